"""Whole runs on tiny data sets, each in a process of its own: files, network, resuming, errors."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from tests.fresh_process import attempts, environment, python, recording
from tests.made_training_data import CELL_PX_PER_RBC, made_cells, made_fields
from tests.warm_process import warm_python
from yolo_leuk.embedded_card import embedded_card
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import read_manifest
from yolo_leuk.model_card import read_card
from yolo_leuk.onnx_graph import PICTURE_STEPS
from yolo_leuk.probabilities import read_probabilities

pytestmark = pytest.mark.slow

TOLERANCE = 1e-4

_SMALL = {
    "classify": ("cells.size_px=64", "optimise.batch=8", "optimise.samples_per_epoch=24"),
    "detect": (
        "fields.size_px=96",
        "fields.px_per_rbc=[10, 20]",
        "px_per_rbc=15",
        "optimise.batch=4",
        "optimise.samples_per_epoch=8",
    ),
}


@dataclass(frozen=True)
class Trained:
    """A run that ended, and what there was before and after."""

    folder: Path
    around: Path
    stdout: str
    data_before: dict[str, str]
    data_after: dict[str, str]


def arguments(task: str, data: Path, out: Path, *others: object) -> list[object]:
    small = [part for assignment in _SMALL[task] for part in ("--set", assignment)]
    return [
        *("-m", "yolo_leuk", "train", "--task", task, "--data", data, "--out", out),
        *("--device", "cpu", *small, *others),
    ]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def epochs(run: Path) -> list[int]:
    return [int(row["epoch"]) for row in _table(run)]


def _table(run: Path) -> list[dict[str, str]]:
    with (run / "results.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def weights(run: Path) -> list[bytes]:
    """All constants of a run's ONNX file; their order is not the same in every export."""
    graph = onnx.load(run / "weights" / "best.onnx").graph
    return sorted(numpy_helper.to_array(constant).tobytes() for constant in graph.initializer)


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return {"classify": made_cells(folder / "cells"), "detect": made_fields(folder)}


def _trained(
    task: str, data: Path, around: Path, *others: object, recorded: bool = False
) -> Trained:
    before = hashes(data)
    command = arguments(task, data, around / "run", "--epochs", 2, *others)
    ended = (
        python(*command, folder=around, **recording(around))
        if recorded
        else warm_python(*command, folder=around)
    )
    assert ended.returncode == 0, ended.stderr
    return Trained(around / "run", around, ended.stdout, before, hashes(data))


@pytest.fixture(scope="module")
def classifier(data_sets, tmp_path_factory):
    """A run of two epochs of the classifier."""
    folder = tmp_path_factory.mktemp("classify")
    return _trained("classify", data_sets["classify"], folder, recorded=True)


@pytest.fixture(scope="module")
def detector(data_sets, tmp_path_factory):
    """A run of two epochs of the detector, started from nothing."""
    folder = tmp_path_factory.mktemp("detect")
    return _trained("detect", data_sets["detect"], folder, recorded=True)


@pytest.fixture(params=["classifier", "detector"])
def trained(request):
    """Either of the two."""
    return request.getfixturevalue(request.param)


# --- what a run leaves, and what it leaves alone -------------------------------------------------


def test_the_recorder_notes_attempts_of_a_process_and_of_the_workers_that_it_forks(tmp_path):
    script = """
import multiprocessing, socket

def reach():
    with socket.socket() as one:
        one.settimeout(0.1)
        try:
            one.connect(("127.0.0.1", 9))
        except OSError:
            pass

reach()
worker = multiprocessing.get_context("fork").Process(target=reach)
worker.start()
worker.join()
try:
    socket.getaddrinfo("localhost", 80)
except OSError:
    pass
"""
    assert python("-c", script, folder=tmp_path, **recording(tmp_path)).returncode == 0
    noted = [line.split(" ", 2) for line in attempts(tmp_path)]
    assert [event for _, event, _ in noted] == [
        "socket.connect",
        "socket.connect",
        "socket.getaddrinfo",
    ]
    assert len({process for process, _, _ in noted}) == 2


def test_neither_a_run_nor_its_workers_try_to_reach_anything(trained):
    assert attempts(trained.around) == []


def test_a_run_changes_nothing_in_its_data_set(trained):
    assert trained.data_after == trained.data_before


def test_a_run_leaves_the_users_home_empty(trained):
    assert list((trained.around / "home").iterdir()) == []


def test_only_the_path_of_the_net_goes_to_standard_output(trained):
    assert trained.stdout == f"{trained.folder / 'weights' / 'best.onnx'}\n"


def test_a_run_holds_its_files_and_the_configuration_was_the_first(trained):
    files = {str(p.relative_to(trained.folder)) for p in trained.folder.rglob("*") if p.is_file()}
    is_detector = read_card(trained.folder / "weights" / "best.json").task == "detect"
    tables = () if is_detector else ("probabilities.csv", "probabilities-swapped.csv")
    assert files == {
        *("config.json", "environment.json", "train.log", "args.yaml"),
        *("results.csv", "learning-curves.png", *tables),
        *(f"weights/{name}" for name in ("best.pt", "last.pt", "best.onnx", "best.json")),
    }
    written = {name: (trained.folder / name).stat().st_mtime_ns for name in files}
    assert min(written, key=written.__getitem__) == "config.json"


def test_the_log_names_the_data_set_first_and_tells_of_every_epoch(trained):
    log = (trained.folder / "train.log").read_text(encoding="utf-8").splitlines()
    assert re.search(r"training v11n for (classify|detect) on .*/(cells|fields)$", log[0])
    samples = read_manifest(_data_of(trained))
    learnt, validated = (sum(s.split == split for s in samples) for split in ("train", "val"))
    assert [line.split(" ", 2)[2].split(":")[0] for line in log[1:5]] == [
        f"{learnt} samples to learn from, {validated} to be measured on",
        "started from random weights",
        "epoch 1 of 2",
        "epoch 2 of 2",
    ]
    assert epochs(trained.folder) == [1, 2]


def test_the_card_tells_of_the_training_and_of_no_folder_of_this_machine(trained):
    text = (trained.folder / "weights" / "best.json").read_text(encoding="utf-8")
    card = read_card(trained.folder / "weights" / "best.json")
    assert str(trained.around.parent) not in text
    assert (
        card.training["manifest_sha256"]
        == hashlib.sha256((_data_of(trained) / "manifest.csv").read_bytes()).hexdigest()
    )
    assert card.training["config"]["epochs"] == 2
    # Told after the training: it has left torch the threads that it had at the start.
    begun = json.loads((trained.folder / "environment.json").read_text(encoding="utf-8"))
    assert card.training["machine"] == begun["device"]
    *_, last = _table(trained.folder)
    assert card.training["hours"] == round(float(last["time"]) / 3600, 3)
    checkpoint = trained.folder / "weights" / "best.pt"
    checkpoint_sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert card.training["checkpoint_sha256"] == checkpoint_sha256
    assert embedded_card(checkpoint.with_suffix(".onnx")).to_json() == card.to_json()


def test_a_run_keeps_its_seed_the_hash_of_its_data_and_what_it_ran_on(trained):
    start = json.loads((trained.folder / "config.json").read_text(encoding="utf-8"))
    manifest = (_data_of(trained) / "manifest.csv").read_bytes()
    assert start["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert (start["config"]["seed"], start["config"]["init"]) == (0, "none")
    ran_on = json.loads((trained.folder / "environment.json").read_text(encoding="utf-8"))
    assert ran_on.keys() >= {"python", "torch", "ultralytics", "numpy", "platform", "cores"}
    assert ran_on["device"].startswith("CPU, ")


def test_the_table_of_epochs_has_losses_figures_and_learning_rates(trained):
    *_, last = _table(trained.folder)
    is_detector = read_card(trained.folder / "weights" / "best.json").task == "detect"
    figures = (
        {f"{key}(B)" for key in ("precision", "recall", "mAP50", "mAP50-95")}
        if is_detector
        else {"weighted_f1", "balanced_accuracy", "ece"}
    )
    assert {column for column in last if "metrics/" in column} == {f"metrics/{f}" for f in figures}
    losses = {f"{kind}_loss" for kind in ("box", "cls", "dfl")} if is_detector else {"loss"}
    assert last.keys() >= {f"{part}/{loss}" for part in ("train", "val") for loss in losses}
    assert last.keys() >= {"epoch", "time", "lr/pg0"}


def _data_of(trained: Trained) -> Path:
    content = json.loads((trained.folder / "config.json").read_text(encoding="utf-8"))
    return Path(content["config"]["data"])


_PARITY = """
import json, sys
from pathlib import Path
import numpy as np
from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.net import open_net
ultralytics.load_checkpoint(Path("run/weights/last.pt"))
module = ultralytics.load_checkpoint(Path("run/weights/best.pt"))
net = open_net(Path("run/weights/best.onnx"))
import torch
batch = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
with torch.no_grad():
    answer = module(torch.from_numpy(batch).permute(0, 3, 1, 2) / 255)
name, expected = ("boxes", answer[0]) if net.card.task == "detect" else ("logits", answer[1])
found = net.run(batch)[name]
apart = np.abs(found - expected.numpy())
if net.card.task == "detect":
    apart[:, :4] /= batch.shape[1]  # coordinates as parts of the picture, as scores are of 1
print(json.dumps([list(found.shape) == list(expected.shape), float(apart.max())]))
"""


def test_the_checkpoints_load_safely_and_the_onnx_file_answers_as_they_do(trained):
    ended = warm_python("-c", _PARITY, folder=trained.around)
    assert ended.returncode == 0, ended.stderr
    same_shape, apart = json.loads(ended.stdout)
    assert same_shape
    assert apart < TOLERANCE


# --- the same again ------------------------------------------------------------------------------


def test_a_run_says_what_its_net_says_of_the_samples_it_was_validated_on(classifier, data_sets):
    validated = [s for s in read_manifest(data_sets["classify"]) if s.split == "val"]
    for name in ("probabilities.csv", "probabilities-swapped.csv"):
        table = read_probabilities(classifier.folder / name)
        assert table.classes == MATURITY.names
        assert sorted(row.sample_id for row in table.samples) == sorted(
            sample.sample_id for sample in validated
        )


def test_a_net_learns_from_whole_pictures_and_its_card_says_so(tmp_path):
    data = made_cells(tmp_path / "pictures", level="image")
    trained = _trained("classify", data, tmp_path, "--set", "cells.picture_px=96")
    card = read_card(trained.folder / "weights" / "best.json")
    assert (card.level, card.input_px) == ("image", 96)
    assert card.px_per_rbc == pytest.approx(CELL_PX_PER_RBC * 96 / 90, abs=0.01)
    assert card.preprocessing == PICTURE_STEPS
    # And detect gives the answers of the run's own table, calibrated.
    table = read_probabilities(trained.folder / "probabilities.csv")
    sample = next(s for s in read_manifest(data) if s.sample_id == table.samples[0].sample_id)
    ended = warm_python(
        *("-m", "yolo_leuk", "detect", data / sample.path, "--as", "image", "--json"),
        *("--model", trained.folder / "weights" / "best.onnx"),
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    (result,) = json.loads(ended.stdout)["results"]
    calibrated = table.probabilities[0] ** (1 / card.temperature)
    expected = dict(zip(table.classes, calibrated / calibrated.sum(), strict=True))
    (cell,) = result["cells"]
    assert cell["probabilities"] == pytest.approx(expected, abs=1e-3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    classifier, data_sets, tmp_path
):
    again = _trained("classify", data_sets["classify"], tmp_path / "again")
    other = _trained("classify", data_sets["classify"], tmp_path / "other", "--set", "seed=1")
    assert weights(again.folder) == weights(classifier.folder)
    assert weights(other.folder) != weights(classifier.folder)


# --- resuming ------------------------------------------------------------------------------------


def test_a_killed_run_goes_on_from_its_last_whole_epoch(data_sets, tmp_path):
    run = tmp_path / "run"
    command = arguments("classify", data_sets["classify"], run, "--epochs", 6)
    with subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        _wait_for(run / "train.log", "epoch 2 of 6", process)
        os.killpg(process.pid, signal.SIGKILL)
    done = len(epochs(run))
    assert 2 <= done < 6
    ended = warm_python("-m", "yolo_leuk", "train", "--resume", run, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert epochs(run) == [1, 2, 3, 4, 5, 6]
    log = (run / "train.log").read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"epoch (\d) of 6:", log)] == [1, 2, 3, 4, 5, 6]
    assert ended.stdout == f"{run / 'weights' / 'best.onnx'}\n"
    assert read_card(run / "weights" / "best.json").training["config"]["epochs"] == 6


def _wait_for(file: Path, text: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not (file.exists() and text in file.read_text(encoding="utf-8")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, f"no {text!r} in {file}"
        time.sleep(0.01)


def test_a_run_that_was_stopped_during_its_export_is_exported(detector):
    run = detector.folder
    before = weights(run)
    (run / "weights" / "best.onnx").unlink()
    ended = warm_python("-m", "yolo_leuk", "train", "--resume", run, folder=detector.around)
    assert ended.returncode == 0, ended.stderr
    assert weights(run) == before
    assert epochs(run) == [1, 2]


# --- what is refused -----------------------------------------------------------------------------


def refused(tmp_path: Path, *others: object) -> subprocess.CompletedProcess:
    ended = warm_python("-m", "yolo_leuk", "train", *others, folder=tmp_path)
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (("--arch", "v99x"), "Known for classify are v8n, v11n"),
        ((), "Make one with `yolo-leuk prepare SOURCE --task classify`"),
        (("--task", "detect", "--set", "fields.size_px=100"), "expected a multiple of 32"),
        (("--data", "cells", "--device", "7"), "torch finds no device '7'"),
        (("--data", "cells", "--out", "cells"), "already holds something"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(data_sets, tmp_path, others, told):
    (tmp_path / "cells").symlink_to(data_sets["classify"], target_is_directory=True)
    before = hashes(data_sets["classify"])
    ended = refused(tmp_path, *others)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert hashes(data_sets["classify"]) == before
    assert {path.name for path in tmp_path.iterdir()} == {"cells", "home"}


def test_a_data_set_whose_manifest_was_changed_is_refused(tmp_path):
    data = made_cells(tmp_path / "cells", per_class=(1, 1, 1))
    manifest = data / "manifest.csv"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("Pro-train-0,test", "Pro-train-0,train")
        + "\n",
        encoding="utf-8",
    )
    ended = refused(tmp_path, "--data", data)
    assert ended.returncode == 3
    assert "is not the manifest that dataset.json speaks of" in ended.stderr


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_a_broken_picture_ends_the_run_by_its_name_and_is_neither_mended_nor_dropped(
    tmp_path, task
):
    data = made_cells(tmp_path / "cells") if task == "classify" else made_fields(tmp_path)
    broken = next(s.path for s in read_manifest(data) if s.split == "train")
    content = (data / broken).read_bytes()
    (data / broken).write_bytes(content[: len(content) // 2])
    before = hashes(data)
    ended = warm_python(*arguments(task, data, tmp_path / "run", "--epochs", 9), folder=tmp_path)
    assert ended.returncode == 3
    assert broken in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert hashes(data) == before


def test_class_weights_that_were_not_prepared_are_refused_before_the_run(data_sets, tmp_path):
    ended = refused(
        tmp_path,
        *("--data", data_sets["classify"], "--out", "run"),
        *("--set", "optimise.class_weights=dataset"),
    )
    assert ended.returncode == 2
    assert "Prepare it with --set balance=weights" in ended.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_does_not_go_on_with_a_data_set_that_was_prepared_anew(tmp_path):
    data = made_cells(tmp_path / "cells", per_class=(2, 2, 1))
    _trained("classify", data, tmp_path)
    shutil.rmtree(data)
    made_cells(data, per_class=(3, 2, 1))
    ended = refused(tmp_path, "--resume", "run")
    assert ended.returncode == 3
    assert "was begun with the manifest of SHA-256" in ended.stderr


def test_a_checkpoint_to_start_from_that_is_none_is_refused_before_the_run(data_sets, tmp_path):
    (tmp_path / "notes.pt").write_text("no checkpoint")
    ended = refused(tmp_path, "--data", data_sets["classify"], "--init", "notes.pt", "--out", "run")
    assert ended.returncode == 4
    assert "notes.pt cannot be loaded safely" in ended.stderr
    assert not (tmp_path / "run").exists()


def test_resuming_with_another_setting_is_refused_by_its_name(classifier):
    ended = refused(
        classifier.around, "--resume", classifier.folder, "--epochs", 9, "--set", "cells.zoom=0.4"
    )
    assert ended.returncode == 2
    assert "was started with another value of epochs, cells.zoom" in ended.stderr


def test_a_run_starts_from_the_weights_of_another_one(classifier, data_sets, tmp_path):
    init = classifier.folder / "weights" / "last.pt"
    trained = _trained("detect", data_sets["detect"], tmp_path, "--init", init)
    log = (trained.folder / "train.log").read_text(encoding="utf-8")
    assert re.search(r"started from (\d+) of the \d+ tensors of .*last\.pt", log)
    card = read_card(trained.folder / "weights" / "best.json")
    assert card.training["init_sha256"] == hashlib.sha256(init.read_bytes()).hexdigest()
