"""What a training may start from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.made_training_data import made_cells
from tests.warm_process import warm_python
from yolo_leuk.config import resolve
from yolo_leuk.errors import ModelError, UsageError
from yolo_leuk.train.config import TrainConfig
from yolo_leuk.train.starting_weights import PRETRAINED, starting_checkpoint


@pytest.mark.parametrize(
    ("given", "init"),
    [(None, "none"), ("none", "none"), ("official", "official"), ("a.pt", Path("a.pt"))],
)
def test_a_word_is_a_word_and_everything_else_a_path(given, init):
    assert resolve(TrainConfig, flags={"init": given}).init == init


def test_none_is_no_checkpoint_and_a_path_is_itself(tmp_path):
    assert starting_checkpoint("none", "v11n", "classify") is None
    checkpoint = tmp_path / "last.pt"
    checkpoint.touch()
    assert starting_checkpoint(checkpoint, "v11n", "classify") == checkpoint


def test_a_checkpoint_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match=r"there is no checkpoint nowhere\.pt"):
        starting_checkpoint(Path("nowhere.pt"), "v11n", "classify")


@pytest.mark.parametrize("asked", ["shipped", "weights/v11n-classify.onnx"])
def test_what_ships_is_no_checkpoint_and_the_hint_says_what_is(asked):
    with pytest.raises(UsageError, match=f"cannot start from {asked}: what ships is ONNX") as told:
        starting_checkpoint(Path(asked), "v11n", "classify")
    assert "weights/last.pt of an own run" in told.value.hint


@pytest.mark.parametrize(
    ("arch", "task", "name"),
    [
        ("v8n", "detect", "yolov8n.pt"),
        ("v11n", "classify", "yolo11n-cls.pt"),
        # There is no official classifier of YOLO12.
        ("v12n", "classify", "yolo12n.pt"),
    ],
)
def test_official_weights_are_looked_for_by_the_name_of_their_release(
    tmp_path, monkeypatch, arch, task, name
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"expected weights/pretrained/{name}") as refused:
        starting_checkpoint("official", arch, task)
    assert "nothing is downloaded" in refused.value.hint
    PRETRAINED.mkdir(parents=True)
    (PRETRAINED / name).touch()
    assert starting_checkpoint("official", arch, task) == PRETRAINED / name


def test_a_net_without_official_weights_is_refused():
    with pytest.raises(UsageError, match="no official weights of vgg16 for classify"):
        starting_checkpoint("official", "vgg16", "classify")


# As an official file is: half precision, a thousand classes, nothing of this package.
_OFFICIAL = """
from pathlib import Path
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
import torch
from ultralytics.nn.tasks import ClassificationModel
net = ClassificationModel("yolo11n-cls.yaml", nc=1000, verbose=False).half()
Path("weights/pretrained").mkdir(parents=True)
torch.save({"model": net, "epoch": -1}, "weights/pretrained/yolo11n-cls.pt")
"""

_FIRST_LAYERS = """
import json
from pathlib import Path
from yolo_leuk.backends.ultralytics import load_checkpoint
paths = ("weights/pretrained/yolo11n-cls.pt", "run/weights/last.pt")
nets = [load_checkpoint(Path(path)) for path in paths]
first = [net.state_dict()["model.0.conv.weight"] for net in nets]
print(json.dumps([float((first[0] - first[1]).abs().max()), float(first[0].abs().max())]))
"""


@pytest.mark.slow
def test_an_official_file_is_started_from_and_the_log_says_how_much_of_it_was_taken(tmp_path):
    assert warm_python("-c", _OFFICIAL, folder=tmp_path).returncode == 0
    data = made_cells(tmp_path / "cells", per_class=(2, 1, 1))
    ended = warm_python(
        *("-m", "yolo_leuk", "train", "--init", "official", "--data", data, "--out", "run"),
        *("--epochs", 1, "--device", "cpu", "--set", "cells.size_px=64"),
        *("--set", "optimise.learning_rate=0.000000001"),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    told = re.search(
        r"started from (\d+) of the (\d+) tensors of weights/pretrained/yolo11n-cls\.pt",
        ended.stderr,
    )
    assert told is not None
    taken, own = map(int, told.groups())
    assert taken == own - 2  # all but the last layer, which has other classes
    apart, size = json.loads(warm_python("-c", _FIRST_LAYERS, folder=tmp_path).stdout)
    assert apart < 1e-3 * size
    start = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert start["config"]["init"] == "official"
    assert re.fullmatch("[0-9a-f]{64}", start["init_sha256"])
