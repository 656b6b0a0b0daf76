"""An exported net answers as the trained one, on any batch and, a detector, on any field."""

from __future__ import annotations

import json

import pytest

from tests.warm_process import warm_python

pytestmark = pytest.mark.slow

TOLERANCE = 1e-4

_EXPORT = """
import dataclasses, json
from pathlib import Path
import numpy as np
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
import torch
from ultralytics.nn.tasks import ClassificationModel, DetectionModel
from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.backends.net import open_net
from yolo_leuk.embedded_card import embedded_card
from yolo_leuk.onnx_graph import export_classifier, export_detector

torch.manual_seed(0)
generator = np.random.default_rng(0)

def pictures(count, height, width):
    return generator.integers(0, 256, (count, height, width, 3), np.uint8)

def as_tensor(batch):
    return torch.from_numpy(batch).permute(0, 3, 1, 2) / 255

def experienced(net, size):
    # Some steps in training mode, so that the layers of normalisation have seen something.
    net.train()
    with torch.no_grad():
        for _ in range(5):
            net(as_tensor(pictures(4, size, size)))
    return net.eval()

def apart(found, expected):
    expected = expected.numpy()
    assert found.shape == expected.shape, (found.shape, expected.shape)
    return float(np.abs(found - expected).max())

told = {}
detector = experienced(DetectionModel("yolo11n.yaml", nc=3, verbose=False), 64)
card = dataclasses.replace(DETECTOR_CARD, name="cells")
written = export_detector(detector, Path("cells.onnx"), card)
net = open_net(Path("cells.onnx"))
for count, height, width in ((1, 64, 64), (3, 96, 160), (2, 128, 32)):
    batch = pictures(count, height, width)
    with torch.no_grad():
        expected = detector(as_tensor(batch))[0]
    told[f"boxes {count}x{height}x{width}"] = apart(net.run(batch)["boxes"], expected)
told["detector's flags"] = [detector.model[-1].export, detector.model[-1].dynamic]
told["hash"] = written.sha256 == sha256_of_file(Path("cells.onnx")) == net.card.sha256
told["inside"] = embedded_card(Path("cells.onnx")).to_json() == net.card.to_json()

classifier = experienced(ClassificationModel("yolo11n-cls.yaml", nc=5, verbose=False), 48)
projection = generator.standard_normal((7, 1280)).astype(np.float32) / 1280**0.5
card = dataclasses.replace(CLASSIFIER_CARD, name="calls", input_px=48)
export_classifier(classifier, projection, Path("calls.onnx"), card)
net = open_net(Path("calls.onnx"))
for count in (1, 5):
    batch = pictures(count, 48, 48)
    pooled = []
    hook = classifier.model[-1].linear.register_forward_pre_hook(lambda _, x: pooled.append(x[0]))
    with torch.no_grad():
        logits = classifier(as_tensor(batch))[1]
    hook.remove()
    found = net.run(batch)
    told[f"logits {count}"] = apart(found["logits"], logits)
    told[f"features {count}"] = apart(found["features"], pooled[0] @ torch.tensor(projection).T)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """How far each output of the exported nets is from that of the net it was made from."""
    ended = warm_python("-c", _EXPORT, folder=tmp_path_factory.mktemp("exported"))
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("size", ["1x64x64", "3x96x160", "2x128x32"])
def test_an_exported_detector_finds_the_same_boxes_in_fields_of_any_size(exported, size):
    assert exported[f"boxes {size}"] < TOLERANCE


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("output", ["logits", "features"])
def test_an_exported_classifier_gives_the_same_answers_in_batches_of_any_size(
    exported, output, count
):
    assert exported[f"{output} {count}"] < TOLERANCE


def test_the_card_has_the_hash_of_the_file(exported):
    assert exported["hash"] is True


def test_the_card_stands_inside_the_file_too(exported):
    assert exported["inside"] is True


def test_an_export_leaves_the_net_as_it_was(exported):
    assert exported["detector's flags"] == [False, False]
