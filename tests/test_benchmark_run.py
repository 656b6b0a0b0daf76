"""``benchmark`` times models in processes of their own, and writes what they took."""

from __future__ import annotations

import csv
import json
import sys

import numpy as np
import pytest

from tests.made_evaluation import ensemble_file, net
from tests.made_onnx import detector_file
from tests.made_training_data import made_cells
from yolo_leuk.artifacts import sha256_of_file, write_json
from yolo_leuk.backends.net import usable_cores
from yolo_leuk.benchmark import process, subjects
from yolo_leuk.benchmark.config import BenchmarkConfig
from yolo_leuk.benchmark.one_row import Task
from yolo_leuk.benchmark.process import measured_apart
from yolo_leuk.benchmark.run import run
from yolo_leuk.benchmark.subjects import subjects_of
from yolo_leuk.dataset import read_dataset
from yolo_leuk.errors import (
    ConfigError,
    HashError,
    ImageError,
    ModelError,
    OutputError,
    UsageError,
)
from yolo_leuk.model_file import PIPELINE_SCHEMA
from yolo_leuk.shipped import weights_folder

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and does this")


def pipeline_file(folder):
    """A pipeline whose detector finds two cells, and its nets."""
    boxes = [(20, 20, 60, 60, 0.9, 0), (80, 20, 120, 60, 0.9, 0)]
    nets = {"detector": folder / "finds.onnx", "classifier": folder / "calls.onnx"}
    detector_file(nets["detector"], boxes)
    net(folder, "calls")
    content = {
        "schema": PIPELINE_SCHEMA,
        "name": "made",
        **{
            role: {"file": file.name, "sha256": sha256_of_file(file)} for role, file in nets.items()
        },
        "cell_diameter_rbc": 1.6,
    }
    write_json(folder / "whole.json", content)
    return folder / "whole.json"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """A net in two sizes of batch, and a pipeline."""
    folder = tmp_path_factory.mktemp("benchmark")
    models = (net(folder, "one"), pipeline_file(folder))
    config = BenchmarkConfig(
        models, batches=(1, 4), tiles=(2,), runs=5, warm_up=1, out=folder / "out", progress=False
    )
    return run(config)


def test_there_is_a_row_for_each_part_and_batch_in_the_order_of_the_models(outcome):
    assert [(row.model, row.part, row.batch) for row in outcome.rows] == [
        ("one", "net", 1),
        ("one", "net", 4),
        ("whole", "detector", 2),
        ("whole", "classifier", 1),
        ("whole", "classifier", 4),
        ("whole", "image", 1),
    ]
    assert {(row.runtime, row.precision) for row in outcome.rows} == {("onnxruntime", "fp32")}


def test_the_figures_of_a_row_fit_each_other(outcome):
    for row in outcome.rows:
        assert 0 < row.p5_ms <= row.median_ms <= row.p95_ms
        assert row.per_second == pytest.approx(1000 * row.batch / row.median_ms)
        assert row.load_ms > 0
        assert (row.runs, row.cores) == (5, usable_cores())


def test_the_files_say_what_the_rows_say(outcome):
    content = json.loads((outcome.folder / "benchmark.json").read_text(encoding="utf-8"))
    assert content == outcome.content
    assert content["machine"]["cores"] == usable_cores()
    assert "onnxruntime" in content["machine"]["packages"]
    with (outcome.folder / "benchmark.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [list(row) for row in table] == [list(row) for row in content["rows"]]
    assert [[str(value) for value in row.values()] for row in content["rows"]] == [
        list(row.values()) for row in table
    ]
    assert (outcome.folder / "benchmark.png").read_bytes().startswith(b"\x89PNG")


def test_no_file_tells_where_things_lie(outcome):
    for name in ("config.json", "benchmark.json", "benchmark.csv"):
        assert str(outcome.folder.parent) not in (outcome.folder / name).read_text(encoding="utf-8")


@linux
def test_the_memory_of_a_row_is_that_of_its_process_alone(tmp_path):
    held = np.ones(256 << 20, np.uint8)
    found = measured_apart(task(net(tmp_path, "one")))
    assert held.nbytes / 2**20 > found["peak_mib"] > 20


@linux
@pytest.mark.slow
def test_a_larger_batch_needs_more_memory():
    file = weights_folder() / "v11n-classify.onnx"
    few, many = (measured_apart(task(file, batch=batch))["peak_mib"] for batch in (1, 64))
    assert many > few + 20


@linux
def test_a_process_keeps_to_the_cores_that_it_is_given(tmp_path):
    assert measured_apart(task(net(tmp_path, "one"), cores=1))["cores"] == 1


def test_more_cores_than_there_are_is_refused_in_the_words_of_the_other_process(tmp_path):
    file = net(tmp_path, "one")
    with pytest.raises(UsageError, match=r"cores is 5000; this process may use|cannot keep"):
        measured_apart(task(file, cores=5000))


def task(file, *, batch: int = 1, cores: int | None = None) -> Task:
    return Task(str(file), "net", batch, 2, 0, cores, "", False)


# --- what is timed -------------------------------------------------------------------------------


def test_a_checkpoint_beside_a_net_is_timed_where_there_is_torch(tmp_path, monkeypatch):
    file = net(tmp_path, "best")
    file.with_suffix(".pt").write_bytes(b"a checkpoint")
    for has_torch, runtimes in ((True, ["onnxruntime", "torch"]), (False, ["onnxruntime"])):
        monkeypatch.setattr(subjects, "_has_torch", lambda has=has_torch: has)
        found = subjects_of(BenchmarkConfig((file,)))
        assert [one.runtime for one in found] == runtimes
    assert found[0].batches == (1, 8, 16, 64)


def test_an_ensemble_is_timed_as_one_net(tmp_path):
    data = read_dataset(made_cells(tmp_path / "cells", (1, 1, 1)))
    file = ensemble_file(tmp_path / "both", data, [net(tmp_path, name) for name in ("a", "b")])
    (found,) = subjects_of(BenchmarkConfig((file.parent,), batches=(3,)))
    assert (found.model, found.part, found.batches) == ("both", "net", (3,))
    assert len(measured_apart(task(found.file, batch=3))["latencies_ms"]) == 2


def test_the_precision_is_that_of_the_card(tmp_path):
    file = net(tmp_path, "half", export={"precision": "fp16"})
    (found,) = subjects_of(BenchmarkConfig((file,)))
    assert found.precision == "fp16"


def test_models_of_one_file_name_are_told_apart_by_their_folders(tmp_path):
    files = tuple(net(tmp_path / name, "best") for name in ("a", "b"))
    assert [one.model for one in subjects_of(BenchmarkConfig(files))] == ["a/best", "b/best"]


def test_a_run_is_called_by_its_folder(tmp_path):
    net(tmp_path / "v11n" / "weights", "best")
    (found,) = subjects_of(BenchmarkConfig((tmp_path / "v11n",)))
    assert found.model == "v11n"


# --- what is refused -----------------------------------------------------------------------------


def refused(folder, kind, match, *models, **changes):
    out = folder / "out"
    with pytest.raises(kind, match=match):
        run(BenchmarkConfig(models, out=out, runs=1, progress=False, **changes))
    assert not out.exists()
    assert not list(folder.glob(".partial-*"))


def test_a_model_that_is_not_there_is_refused(tmp_path):
    refused(tmp_path, ModelError, "there is no model", tmp_path / "none.onnx")


def test_a_model_that_is_named_twice_is_refused(tmp_path):
    file = net(tmp_path, "one")
    refused(tmp_path, UsageError, "a model is named twice", file, file)


def test_a_net_that_its_card_does_not_speak_of_is_refused_unless_it_is_trusted(tmp_path):
    file = net(tmp_path, "one")
    other = net(tmp_path, "two", weights=np.ones((3, 5), np.float32))
    file.write_bytes(other.read_bytes())
    refused(tmp_path, HashError, "its card says", file)
    assert subjects_of(BenchmarkConfig((file,), trust=True))


def test_an_image_that_is_not_there_is_refused(tmp_path):
    file = net(tmp_path, "one")
    refused(tmp_path, ImageError, "there is no image", file, image=tmp_path / "none.jpg")


def test_a_process_that_dies_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    dying = tmp_path / "dies"
    dying.write_text("#!/bin/sh\necho out of memory >&2\nkill -9 $$\n")
    dying.chmod(0o755)
    file = net(tmp_path, "one")
    monkeypatch.setattr(process.sys, "executable", str(dying))
    refused(tmp_path, ModelError, "at batch 1 ended with -9: out of memory", file)


def test_a_folder_that_holds_something_is_not_written_to(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="already holds something"):
        run(BenchmarkConfig((net(tmp_path, "one"),), out=tmp_path / "out"))
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "changes",
    [
        {"models": ()},
        {"batches": ()},
        {"batches": (1, 0)},
        {"tiles": (2, 2)},
        {"runs": 0},
        {"warm_up": -1},
        {"cores": 0},
    ],
)
def test_a_setting_out_of_its_range_is_refused(tmp_path, changes):
    with pytest.raises(ConfigError, match="expected"):
        BenchmarkConfig(**{"models": (tmp_path,), **changes})
