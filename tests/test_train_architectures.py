"""Every net of the registry: it builds, learns, is exported, answers the same, fits TensorRT."""

from __future__ import annotations

import json

import pytest

from tests.made_training_data import made_cells, made_fields
from tests.warm_process import warm_python
from yolo_leuk.errors import ConfigError
from yolo_leuk.train.architectures import architecture, description, known_for

TOLERANCE = 1e-4

_SMALL = {
    "classify": ("cells.size_px=64", "optimise.batch=8", "optimise.samples_per_epoch=16"),
    "detect": (
        "fields.size_px=96",
        "fields.px_per_rbc=[10, 20]",
        "px_per_rbc=15",
        "optimise.batch=4",
        "optimise.samples_per_epoch=8",
    ),
}


def test_an_unknown_net_is_refused_with_the_known_ones_of_the_task():
    with pytest.raises(ConfigError, match="unknown architecture 'v99x'") as refused:
        architecture("v99x", "detect")
    assert refused.value.hint == "Known for detect are v8n, v11n, v12n, v26n, v3-tiny, v3."


def test_a_net_that_has_no_head_for_the_task_is_refused():
    with pytest.raises(ConfigError, match="vgg16 has no net for detect; it has classify"):
        architecture("vgg16", "detect")


@pytest.mark.parametrize("name", ["v8n", "v11n", "v12n", "v26n"])
def test_the_yolo_nets_serve_both_tasks(name):
    assert architecture(name, "classify").yamls.keys() == {"classify", "detect"}


@pytest.mark.parametrize("name", known_for("classify"))
def test_a_description_of_ours_is_layers_and_a_stock_one_the_name_of_its_file(name):
    yaml = architecture(name, "classify").yamls["classify"]
    described = description(yaml)
    if yaml.startswith("yolo"):
        assert described == yaml
    else:
        assert described["head"][-1][-1][-1] == "nc"


def test_who_changes_a_description_changes_no_later_one():
    description("vgg16.yaml")["backbone"].clear()
    assert description("vgg16.yaml")["backbone"]


# --- whole runs ----------------------------------------------------------------------------------

_PARITY = """
import json
from pathlib import Path
import numpy as np
import onnx
from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.net import open_net
from yolo_leuk.export.operators import misfits
from yolo_leuk.export.uint8_input import cast_first
module = ultralytics.load_checkpoint(Path("run/weights/best.pt"))
net = open_net(Path("run/weights/best.onnx"))
import torch
batch = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
with torch.no_grad():
    answer = module(torch.from_numpy(batch).permute(0, 3, 1, 2) / 255)
if net.card.task == "detect":
    name, expected = "boxes", answer[0]
else:
    name, expected = "logits", answer[1] if isinstance(answer, tuple) else answer
found = net.run(batch)[name]
told = {"found": list(found.shape), "expected": list(expected.shape)}
told["apart"] = float(np.abs(found - expected.numpy()).max() / expected.abs().max())
graph = cast_first(onnx.load("run/weights/best.onnx"))
told["misfits"] = [str(misfit) for misfit in misfits(graph)]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return {
        "classify": made_cells(folder / "cells", per_class=(2, 2, 1)),
        "detect": made_fields(folder, pictures_per_split=2),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "name"), [(task, name) for task in ("classify", "detect") for name in known_for(task)]
)
def test_a_net_learns_and_its_checkpoint_answers_as_its_onnx_file_which_tensorrt_takes(
    data_sets, tmp_path, task, name
):
    small = [part for assignment in _SMALL[task] for part in ("--set", assignment)]
    ended = warm_python(
        *("-m", "yolo_leuk", "train", "--task", task, "--arch", name, "--data", data_sets[task]),
        *("--out", "run", "--epochs", 1, "--device", "cpu", *small),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    ended = warm_python("-c", _PARITY, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["found"] == told["expected"]
    assert told["apart"] < TOLERANCE
    assert told["misfits"] == []
