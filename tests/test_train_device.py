"""What a run takes from its device, as far as a machine without a GPU can show it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.fresh_process import python
from tests.made_training_data import made_cells
from yolo_leuk.train import run
from yolo_leuk.train.run import TrainConfig, with_defaults

_SMALL = (
    *("--set", "cells.size_px=64", "--set", "optimise.batch=8"),
    *("--set", "optimise.samples_per_epoch=16", "--device", "cpu", "--out", "run"),
)


@pytest.mark.parametrize(
    ("device", "cores", "asked", "workers"),
    [("cpu", 16, 0, 1), ("0", 16, 0, 15), ("0", 1, 0, 1), ("0", 16, 3, 3), ("cpu", 2, 4, 4)],
)
def test_a_gpu_is_fed_by_all_cores_but_one_unless_told_otherwise(
    monkeypatch, device, cores, asked, workers
):
    monkeypatch.setattr(run, "_device", lambda _: device)
    monkeypatch.setattr(run, "usable_cores", lambda: cores)
    config = with_defaults(TrainConfig(data=Path("cells"), device=device, workers=asked))
    assert config.workers == workers


@pytest.mark.parametrize(
    ("device", "has_bfloat16", "amp"), [("0", True, "bf16"), ("0", False, False), ("cpu", 0, False)]
)
def test_mixed_precision_is_bfloat16_or_none_so_that_no_check_downloads_a_net(
    monkeypatch, device, has_bfloat16, amp
):
    monkeypatch.setattr(run, "_has_bfloat16", lambda: has_bfloat16)
    config = TrainConfig(task="detect", device=device)
    assert run._arguments(config, Path("run"), data=None)["amp"] == amp


# --- whole runs, of a process each ---------------------------------------------------------------


def epochs(run_folder: Path) -> list[int]:
    with (run_folder / "results.csv").open(encoding="utf-8", newline="") as stream:
        return [int(row["epoch"]) for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return made_cells(tmp_path_factory.mktemp("data") / "cells")


_WITHOUT_MEMORY = """
import sys
import torch
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
from yolo_leuk.cli.main import main
from yolo_leuk.train.own_trainer import OwnTrainer

enough = OwnTrainer.preprocess_batch

def too_little(self, batch):
    if len(batch["cls"]) > 4:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 MiB.")
    return enough(self, batch)

OwnTrainer.preprocess_batch = too_little
main()
"""


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved_and_the_log_says_so(cells, tmp_path):
    ended = python(
        *("-c", _WITHOUT_MEMORY, "train", "--data", cells, "--epochs", 2, *_SMALL), folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    log = (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    assert log.count("out of memory: batch 4 instead of 8") == 1
    assert epochs(tmp_path / "run") == [1, 2]


@pytest.mark.slow
def test_a_run_that_grows_no_better_stops_and_is_not_taken_up_again(cells, tmp_path):
    ended = python(
        *("-m", "yolo_leuk", "train", "--data", cells, "--epochs", 6, *_SMALL),
        *("--set", "optimise.patience=1", "--set", "optimise.learning_rate=0.000000001"),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    done = epochs(tmp_path / "run")
    assert len(done) < 6
    assert "stopped: the last 1 epochs were no better" in ended.stderr
    (tmp_path / "run" / "weights" / "best.onnx").unlink()
    ended = python("-m", "yolo_leuk", "train", "--resume", "run", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert epochs(tmp_path / "run") == done
    assert (tmp_path / "run" / "weights" / "best.onnx").is_file()


_STOPPED_ON_A_GPU = """
import torch
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
from yolo_leuk.cli.main import main
from yolo_leuk.train.own_trainer import OwnTrainer

whole = OwnTrainer.save_model

def stopped(self):
    self.args.amp = "bf16"  # as a run on a GPU would write
    whole(self)
    raise SystemExit(9)

OwnTrainer.save_model = stopped
main()
"""


@pytest.mark.slow
def test_a_run_that_was_stopped_on_a_gpu_goes_on_without_one(cells, tmp_path):
    ended = python(
        *("-c", _STOPPED_ON_A_GPU, "train", "--data", cells, "--epochs", 2, *_SMALL),
        folder=tmp_path,
    )
    assert ended.returncode == 9, ended.stderr
    assert epochs(tmp_path / "run") == [1]
    ended = python("-m", "yolo_leuk", "train", "--resume", "run", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert epochs(tmp_path / "run") == [1, 2]
