"""What a run takes from its device, as far as a machine without a GPU can show it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.made_training_data import made_cells
from tests.warm_process import warm_python
from yolo_leuk.backends import ultralytics
from yolo_leuk.errors import ConfigError, UsageError
from yolo_leuk.train import config, device, trainer
from yolo_leuk.train.config import Optimisation, TrainConfig, with_defaults
from yolo_leuk.train.device import chosen_device

_SMALL = (
    *("--set", "cells.size_px=64", "--set", "optimise.batch=8"),
    *("--set", "optimise.samples_per_epoch=16", "--device", "cpu", "--out", "run"),
)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("", "0"), ("cpu", "cpu"), ("1", "1"), ("0,1", "0,1"), ("1, 0", "1,0")],
)
@pytest.mark.usefixtures("two_gpus")
def test_a_device_is_the_cpu_a_gpu_or_several(wanted, chosen):
    assert chosen_device(wanted) == chosen


def test_without_a_gpu_the_device_is_the_cpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert chosen_device("") == "cpu"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("7", "torch finds no device '7'; it finds 0, 1, cpu"),
        ("0,7,9", "torch finds no device '7', '9'; it finds 0, 1, cpu"),
        ("0,", "torch finds no device ''"),
        ("cuda:0", "torch finds no device 'cuda:0'"),
        ("1,0,1", "--device 1,0,1 names 1 twice"),
        ("cpu,0", "expected GPUs alone, or cpu alone"),
    ],
)
@pytest.mark.usefixtures("two_gpus")
def test_a_device_that_is_not_there_is_refused_by_its_name(wanted, told):
    with pytest.raises(UsageError) as caught:
        chosen_device(wanted)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("gpu", "cores", "asked", "workers"),
    [
        *(("cpu", 16, 0, 1), ("0", 16, 0, 15), ("0", 1, 0, 1), ("0", 16, 3, 3), ("cpu", 2, 4, 4)),
        *(("0,1", 16, 0, 7), ("0,1", 3, 0, 1), ("0,1", 16, 5, 5)),
    ],
)
def test_a_gpu_is_fed_by_all_cores_of_its_share_but_one_unless_told_otherwise(
    monkeypatch, gpu, cores, asked, workers
):
    monkeypatch.setattr(config, "chosen_device", lambda _: gpu)
    monkeypatch.setattr(device, "usable_cores", lambda: cores)
    found = with_defaults(TrainConfig(data=Path("cells"), device=gpu, workers=asked))
    assert found.workers == workers


@pytest.mark.parametrize(
    ("fold", "asked", "keep"),
    [(0, "", "best"), (2, "", "best"), ("all", "", "last"), ("all", "best", "best")],
)
def test_no_epoch_is_chosen_on_what_all_folds_are_asked_about(fold, asked, keep):
    wanted = TrainConfig(data=Path("cells"), fold=fold, optimise=Optimisation(keep=asked))
    assert with_defaults(wanted).optimise.keep == keep


@pytest.mark.usefixtures("two_gpus")
def test_a_batch_that_cannot_be_dealt_out_to_the_gpus_is_refused():
    asked = TrainConfig(data=Path("cells"), device="0,1", optimise=Optimisation(batch=15))
    with pytest.raises(ConfigError, match="is 15; expected a multiple of the 2 GPUs"):
        with_defaults(asked)
    assert with_defaults(replace(asked, device="1")).optimise.batch == 15


@pytest.mark.parametrize(
    ("gpu", "capabilities", "amp"),
    [
        ("0", [(8, 0)], "bf16"),
        ("0", [(7, 5)], False),
        ("0,1", [(9, 0), (8, 6)], "bf16"),
        ("0,1", [(9, 0), (7, 5)], False),
        ("cpu", [], False),
    ],
)
def test_mixed_precision_is_bfloat16_or_none_so_that_no_check_downloads_a_net(
    monkeypatch, gpu, capabilities, amp
):
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda number: capabilities[number])
    asked = TrainConfig(task="detect", device=gpu)
    assert trainer._arguments(asked, Path("run"), data=None)["amp"] == amp


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
    ended = warm_python(
        *("-c", _WITHOUT_MEMORY, "train", "--data", cells, "--epochs", 2, *_SMALL), folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    log = (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    assert log.count("out of memory: batch 4 instead of 8") == 1
    assert epochs(tmp_path / "run") == [1, 2]


@pytest.mark.slow
def test_a_run_that_grows_no_better_stops_and_is_not_taken_up_again(cells, tmp_path):
    ended = warm_python(
        *("-m", "yolo_leuk", "train", "--data", cells, "--epochs", 6, *_SMALL),
        *("--set", "optimise.patience=1", "--set", "optimise.learning_rate=0.000000001"),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    done = epochs(tmp_path / "run")
    assert len(done) < 6
    assert "stopped: the last 1 epochs were no better" in ended.stderr
    (tmp_path / "run" / "weights" / "best.onnx").unlink()
    ended = warm_python("-m", "yolo_leuk", "train", "--resume", "run", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert epochs(tmp_path / "run") == done
    assert (tmp_path / "run" / "weights" / "best.onnx").is_file()


_WORSE_EVERY_EPOCH = """
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
from yolo_leuk.cli.main import main
from yolo_leuk.train.own_trainer import OwnTrainer

measured = OwnTrainer.validate

def worse(self):
    metrics, _ = measured(self)
    fitness = 3.0 - self.epoch
    self.best_fitness = max(self.best_fitness, fitness)
    return metrics, fitness

OwnTrainer.validate = worse
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("keep", "epoch"), [("best", 1), ("last", 3)])
def test_the_net_is_that_of_the_epoch_that_was_asked_for(cells, tmp_path, keep, epoch):
    ended = warm_python(
        *("-c", _WORSE_EVERY_EPOCH, "train", "--data", cells, "--epochs", 3, *_SMALL),
        *("--set", f"optimise.keep={keep}"),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    assert ultralytics.epochs_done(tmp_path / "run" / "weights" / "best.pt") == epoch


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
    ended = warm_python(
        *("-c", _STOPPED_ON_A_GPU, "train", "--data", cells, "--epochs", 2, *_SMALL),
        folder=tmp_path,
    )
    assert ended.returncode == 9, ended.stderr
    assert epochs(tmp_path / "run") == [1]
    ended = warm_python("-m", "yolo_leuk", "train", "--resume", "run", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert epochs(tmp_path / "run") == [1, 2]
