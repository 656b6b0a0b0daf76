"""The examples of docs/benchmark.md work as they are printed, and its tables say what is so."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil

import pytest

from tests.fresh_process import ROOT
from tests.made_evaluation import ensemble_file, net
from tests.made_training_data import made_cells
from tests.test_benchmark_run import pipeline_file
from yolo_leuk.benchmark.config import BenchmarkConfig
from yolo_leuk.benchmark.row import Row
from yolo_leuk.dataset import read_dataset

DOC = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^yolo-leuk benchmark [^\n]*", DOC, flags=re.MULTILINE)
QUICK = ("--set", "runs=1", "--set", "warm_up=0")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the models that the examples name."""
    folder = tmp_path_factory.mktemp("desk")
    weights = folder / "weights"
    net(weights, "v11n-classify")
    shutil.copyfile(pipeline_file(weights), weights / "default.json")
    net(folder / "runs" / "train" / "v11n" / "weights", "best")
    data = read_dataset(made_cells(folder / "cells", (1, 1, 1)))
    members = [net(folder / "members", name) for name in ("v8n", "v11n", "v12n")]
    ensemble_file(folder / "runs" / "ensemble" / "three", data, members)
    exported = folder / "runs" / "export" / "three"
    exported.mkdir(parents=True)
    shutil.copyfile(pipeline_file(exported), exported / "pipeline.json")
    return folder


@pytest.fixture
def benchmark(command, desk, monkeypatch):
    """Run ``yolo-leuk benchmark`` with arguments, in this process and at the desk."""
    monkeypatch.chdir(desk)
    return lambda *arguments: command("benchmark", *arguments)


@pytest.mark.slow
@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_works_as_printed(benchmark, desk, line):
    few = () if "batches" in line else ("--set", "batches=[1]")
    ended = benchmark(*shlex.split(line)[2:], *QUICK, *few)
    assert ended.code == 0, ended.err
    assert (desk / ended.out.strip() / "benchmark.csv").is_file()


def test_the_page_shows_the_ways_to_call_it():
    assert len(EXAMPLES) >= 3


def test_the_table_goes_to_standard_error_and_the_folder_to_standard_output(benchmark, desk):
    ended = benchmark("weights/v11n-classify.onnx", "--set", "batches=[2]", *QUICK)
    assert ended.code == 0, ended.err
    assert re.fullmatch(r"runs/benchmark/v11n-classify\d*\n", ended.out)
    _, header, line = ended.err.splitlines()
    assert header.split()[:5] == ["model", "part", "runtime", "precision", "batch"]
    assert line.split()[:5] == ["v11n-classify", "net", "onnxruntime", "fp32", "2"]
    assert (desk / ended.out.strip() / "benchmark.png").is_file()


def test_json_is_all_that_is_printed(benchmark, desk):
    arguments = ("weights/v11n-classify.onnx", "--set", "batches=[1]", "--out", "told", "--json")
    ended = benchmark(*arguments, *QUICK)
    content = json.loads(ended.out)
    assert ended.err == ""
    assert content.pop("folder") == "told"
    stored = (desk / "told" / "benchmark.json").read_text(encoding="utf-8")
    assert content == json.loads(stored)


def test_a_model_that_cannot_be_opened_ends_with_4(benchmark, desk):
    (desk / "broken.onnx").write_bytes(b"no graph")
    shutil.copyfile(desk / "weights" / "v11n-classify.json", desk / "broken.json")
    ended = benchmark("broken.onnx", "--set", "trust=true")
    assert ended.code == 4
    assert ended.err.startswith("error: broken.onnx cannot be opened by onnxruntime")


def test_every_column_stands_in_the_table():
    columns = DOC[DOC.index("| column |") : DOC.index("Every line is measured")]
    for field in dataclasses.fields(Row):
        assert f"`{field.name}`" in columns


def test_the_defaults_are_those_that_the_page_tells():
    settings = DOC[DOC.index("Settings, by") :]
    told = BenchmarkConfig(models=(ROOT,))
    for name in ("batches", "tiles", "runs", "warm_up"):
        value = getattr(told, name)
        shown = str(list(value)) if isinstance(value, tuple) else str(value)
        assert re.search(rf"`{name}`\s*\(`?{re.escape(shown)}", settings), name
