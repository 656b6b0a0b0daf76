"""With augmentation off, training hands its net the numbers that it gets in use.

One epoch of each trainer runs in a process of its own; what enters the first layer is held against
what enters it by way of ``detect``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.warm_process import warm_python

pytestmark = pytest.mark.slow

_SEEN_IN_TRAINING = """
import dataclasses, json, sys
from pathlib import Path
import cv2
import numpy as np
from tests.made_nets import BoxesNet, CLASSIFIER_CARD, DETECTOR_CARD
from tests.made_training_data import CELL_PX_PER_RBC, made_cells, made_fields
from yolo_leuk import images
from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.checkpoint import classifier_module, detector_module
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.cell_classifier import cell_crops
from yolo_leuk.prepare.white_cells.crops import cut_crops
from yolo_leuk.train import run
from yolo_leuk.train.appearance import Camera, Light, Stain
from yolo_leuk.train.cells import CellRecipe
from yolo_leuk.train.config import Optimisation, TrainConfig, with_defaults
from yolo_leuk.train.fields import FieldRecipe
from yolo_leuk.train.trainer import trainer_of

off = {"colour_swap": 0.0, "stain": Stain(probability=0.0), "light": Light(probability=0.0),
       "camera": Camera(blur=0.0, noise=0.0, jpeg=0.0), "turned": False}

def trained(config):
    config = dataclasses.replace(with_defaults(config), workers=0)
    data = run.data_of(config, 0)
    trainer = trainer_of(config, run.folder_of(config, data), data)
    seen = []
    def watch(trainer):
        trainer.model.model[0].register_forward_pre_hook(lambda _, x: seen.extend(x[0].detach()))
    trainer.add_callback("on_train_start", watch)
    trainer.train()
    return trainer, data, [tensor.numpy().copy() for tensor in seen]

def entering(module, batch):
    import torch
    seen = []
    hook = module.net.model[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    with torch.no_grad():
        module(torch.from_numpy(batch))
    hook.remove()
    return seen[0].numpy()

def sums(tensors):
    return sorted(tensor.tobytes() for tensor in tensors)
"""

_CLASSIFIER = """
folder = made_cells(Path("cells"), per_class=(3, 1, 1))
generator = np.random.default_rng(1)
field = cv2.GaussianBlur(generator.integers(0, 256, (300, 400, 3), np.uint8), (0, 0), 2)
boxes = {}
for path in sorted(folder.glob("train/*/*.png")):
    x, y = generator.uniform(-5, 360), generator.uniform(-5, 260)
    boxes[path] = np.array([[x, y, x + 43.0, y + 37.0]], np.float32)
    (crop,) = cut_crops(field, boxes[path], CELL_PX_PER_RBC)
    cv2.imwrite(str(path), crop.picture[..., ::-1])

still = CellRecipe(size_px=64, sharpness_px_per_rbc=(20.0, 20.0), zoom=0.0, shift=0.0,
                   uneven_light=0.0, **off)
small = Optimisation(batch=4)
trainer, data, seen = trained(TrainConfig(
    data=folder, out=Path("run"), epochs=1, device="cpu", cells=still, optimise=small))
card = dataclasses.replace(CLASSIFIER_CARD, input_px=64, px_per_rbc=20.0)
crops = np.concatenate([cell_crops(field, box, CELL_PX_PER_RBC, card) for box in boxes.values()])
net = ultralytics.load_checkpoint(Path("run/weights/last.pt"))
in_use = entering(classifier_module(net), crops)
print(json.dumps({"manifest": len(data.training), "seen": len(seen), "shape": seen[0].shape,
                  "different": len(set(sums(seen))), "equal": sums(seen) == sums(in_use)}))
"""

_DETECTOR = """
folder = made_fields(Path("."))
still = FieldRecipe(size_px=128, px_per_rbc=(15.0, 15.0), scale_jitter=0.0, single=1.0,
                    crowd=0.0, specks=0.0, **off)
small = Optimisation(batch=4, samples_per_epoch=40)
trainer, data, seen = trained(TrainConfig(
    task="detect", data=folder, out=Path("run"), epochs=1, device="cpu", fields=still,
    px_per_rbc=15.0, optimise=small))

class Watched(BoxesNet):
    def run(self, batch):
        in_use.append(entering(detector_module(net), batch)[0])
        return super().run(batch)

net = ultralytics.load_checkpoint(Path("run/weights/last.pt"))
in_use = []
card = dataclasses.replace(DETECTOR_CARD, px_per_rbc=15.0)
for sample in data.training:
    FieldDetector(Watched([(0, 0, 1, 1, 0.9, 0)], card)).detect(
        images.read_image(folder / sample.path), sample.px_per_rbc)
# A tile is as large as its picture needs, to a multiple of 32; a canvas is one size.
height, width = in_use[0].shape[1:]
beyond = [float(np.abs(t[:, height:] - 114 / 255).max()) for t in seen]
seen = {t[:, :height, :width].tobytes() for t in seen}
print(json.dumps({"manifest": len(data.training), "different": len(seen), "shape": [height, width],
                  "beyond": max(beyond), "equal": seen == set(sums(in_use))}))
"""


def told_by(tmp_path: Path, script: str) -> dict[str, object]:
    ended = warm_python("-c", _SEEN_IN_TRAINING + script, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_a_classifier_sees_each_cell_of_the_manifest_once_an_epoch_and_as_in_use(tmp_path):
    told = told_by(tmp_path, _CLASSIFIER)
    assert told["shape"] == [3, 64, 64]
    assert told["manifest"] == told["seen"] == told["different"] == 15
    assert told["equal"]


def test_a_detector_sees_each_picture_of_the_manifest_as_in_use(tmp_path):
    told = told_by(tmp_path, _DETECTOR)
    assert told["shape"] == [96, 128]
    assert told["beyond"] < 1e-6
    assert told["manifest"] == told["different"] == 6
    assert told["equal"]
