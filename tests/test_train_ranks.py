"""Two processes that train one net together, on the CPU in place of two GPUs."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.fresh_process import ROOT, attempts, environment, python, recording
from tests.made_training_data import made_cells, made_fields
from tests.warm_process import warm_python
from yolo_leuk.manifest import read_manifest

pytestmark = pytest.mark.slow

TOGETHER = ROOT / "tests" / "two_processes.py"

# Of 45 cells to learn from, an odd number, so that one is left over.
_SMALL_CELLS = ("cells.size_px=64", "optimise.batch=8")
_SMALL_FIELDS = (
    *("fields.size_px=96", "fields.px_per_rbc=[10, 20]", "px_per_rbc=15"),
    *("optimise.batch=4", "optimise.samples_per_epoch=8"),
)


def command(task: str, data: Path, *others: object) -> list[object]:
    small = _SMALL_CELLS if task == "classify" else _SMALL_FIELDS
    settings = [part for assignment in small for part in ("--set", assignment)]
    return [
        *(TOGETHER, "train", "--task", task, "--data", data, "--out", "run"),
        *("--device", "0,1", *settings, *others),
    ]


def epochs(folder: Path) -> list[int]:
    with (folder / "run" / "results.csv").open(encoding="utf-8", newline="") as stream:
        return [int(row["epoch"]) for row in csv.DictReader(stream)]


def log_of(folder: Path) -> str:
    return (folder / "run" / "train.log").read_text(encoding="utf-8")


def seen(folder: Path, epoch: int) -> list[list[str]]:
    """What each of the two processes was shown in an epoch."""
    lines = [
        (folder / f"seen-{rank}.txt").read_text(encoding="utf-8").splitlines() for rank in (0, 1)
    ]
    return [[line.split()[1] for line in some if line.startswith(f"{epoch} ")] for some in lines]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return made_cells(tmp_path_factory.mktemp("data") / "cells", per_class=(9, 4, 2))


@pytest.fixture(scope="module")
def trained(cells, tmp_path_factory):
    """Where a run of two epochs lies, and what it printed."""
    folder = tmp_path_factory.mktemp("together")
    ended = python(
        *command("classify", cells, "--epochs", 2), folder=folder, **recording(folder / "noted")
    )
    assert ended.returncode == 0, ended.stderr
    return folder, ended


def test_no_sample_of_an_epoch_is_seen_twice_and_none_but_the_odd_one_is_left_out(trained, cells):
    folder, _ = trained
    all_cells = {s.sample_id for s in read_manifest(cells) if s.split == "train"}
    orders = [seen(folder, epoch) for epoch in (0, 1)]
    for first, second in orders:
        assert len(first) == len(second) == 22
        assert Counter(first + second).most_common(1)[0][1] == 1
        assert set(first + second) < all_cells
    assert set(orders[0][0]) != set(orders[1][0])


def test_the_first_process_alone_writes_and_leaves_what_a_run_leaves(trained):
    folder, ended = trained
    files = {str(p.relative_to(folder / "run")) for p in (folder / "run").rglob("*") if p.is_file()}
    assert files == {
        *("config.json", "environment.json", "train.log", "args.yaml", "results.csv"),
        *("learning-curves.png", "probabilities.csv", "probabilities-swapped.csv"),
        *(f"weights/{name}" for name in ("best.pt", "last.pt", "best.onnx", "best.json")),
    }
    written = {name: (folder / "run" / name).stat().st_mtime_ns for name in files}
    assert min(written, key=written.__getitem__) == "config.json"
    assert epochs(folder) == [1, 2]
    assert re.findall(r"epoch (\d) of 2: weighted_f1", log_of(folder)) == ["1", "2"]
    assert log_of(folder).count("started from random weights") == 1
    assert ended.stdout == "run/weights/best.onnx\n"


def test_nothing_is_reached_and_the_home_stays_empty(trained):
    folder, _ = trained
    assert attempts(folder / "noted") == []
    assert list((folder / "home").iterdir()) == []


def test_both_devices_are_named(trained):
    text = (trained[0] / "run" / "weights" / "best.json").read_text(encoding="utf-8")
    assert '"machine": "stand-in 0, stand-in 1"' in text


def test_a_batch_that_does_not_fit_on_each_is_halved_and_the_log_says_so(tmp_path):
    data = made_fields(tmp_path)
    ended = warm_python(*command("detect", data, "--epochs", 1), folder=tmp_path, MOST_SAMPLES="1")
    assert ended.returncode == 0, ended.stderr
    assert log_of(tmp_path).count("out of memory: batch 2 instead of 4") == 1
    assert epochs(tmp_path) == [1]
    assert (tmp_path / "run" / "weights" / "best.onnx").is_file()


def test_where_not_even_one_sample_fits_the_run_ends_with_an_error(cells, tmp_path):
    smallest = ("--set", "optimise.batch=2")
    ended = warm_python(*command("classify", cells, *smallest), folder=tmp_path, MOST_SAMPLES="0")
    assert ended.returncode == 4
    assert "ran out of memory with a batch of 2" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_error_in_one_process_ends_all_and_is_told_as_from_one(tmp_path):
    data = made_cells(tmp_path / "cells")
    broken = next(s.path for s in read_manifest(data) if s.split == "train")
    (data / broken).write_bytes(b"no picture")
    ended = warm_python(*command("classify", data), folder=tmp_path)
    assert ended.returncode == 3
    assert broken in ended.stderr
    assert "Traceback" not in ended.stderr


# So many that the ranks are still at it when they notice that their parent is gone.
_MANY = 12


def test_a_run_whose_main_process_is_killed_ends_and_goes_on_from_its_last_epoch(cells, tmp_path):
    with subprocess.Popen(
        [sys.executable, *map(str, command("classify", cells, "--epochs", _MANY))],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        _wait_until(lambda: f"epoch 2 of {_MANY}" in _log_so_far(tmp_path), process)
        process.kill()
    _wait_until(lambda: not _is_anybody_left(process.pid))
    done = len(epochs(tmp_path))
    assert 2 <= done < _MANY
    ended = warm_python(TOGETHER, "train", "--resume", "run", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    every = list(range(1, _MANY + 1))
    assert epochs(tmp_path) == every
    told = re.findall(rf"epoch (\d+) of {_MANY}:", log_of(tmp_path))
    assert told == [str(epoch) for epoch in every]


def _log_so_far(folder: Path) -> str:
    return log_of(folder) if (folder / "run" / "train.log").exists() else ""


def _is_anybody_left(group: int) -> bool:
    try:
        os.killpg(group, 0)  # asks only
    except ProcessLookupError:
        return False
    return True


def _wait_until(is_so, process: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + 240
    while not is_so():
        assert process is None or process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
