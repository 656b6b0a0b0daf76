"""The examples of docs/evaluate.md work as they are printed, and its tables say what is so."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.fresh_process import ROOT, python
from tests.made_evaluation import ensemble_file, net, table_file
from tests.made_onnx import detector_file
from tests.made_training_data import made_cells, made_fields
from yolo_leuk import artifacts
from yolo_leuk.dataset import read_dataset
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS
from yolo_leuk.pipeline import SCHEMA

DOC = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^yolo-leuk evaluate [^\n]*", DOC, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the data sets and the models that the examples name."""
    folder = tmp_path_factory.mktemp("desk")
    data = read_dataset(made_cells(folder / "datasets" / "cells", (2, 2, 2)))
    made_fields(folder / "datasets", 1)
    runs = folder / "runs"
    nets = [net(runs / "train" / name / "weights", "best") for name in ("v8n", "v11n")]
    members = [net(folder / "members", name) for name in ("v8n", "v11n")]
    ensemble_file(runs / "ensemble" / "both", data, members)
    table_file(runs / "folds" / "v11n" / "probabilities.csv", data, ("train", "val"))
    detector = runs / "detector" / "weights" / "best.onnx"
    detector.parent.mkdir(parents=True)
    sha256 = detector_file(detector, [(10, 10, 30, 30, 0.9, 0)]).sha256
    content = {
        "schema": SCHEMA,
        "name": "smear",
        "detector": {"file": str(detector.relative_to(folder)), "sha256": sha256},
        "classifier": {
            "file": str(nets[0].relative_to(folder)),
            "sha256": artifacts.sha256_of_file(nets[0]),
        },
        "cell_diameter_rbc": 1.6,
    }
    artifacts.write_json(folder / "smear.json", content)
    return folder


def test_the_page_shows_the_ways_to_call_it():
    assert len(EXAMPLES) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_works_as_printed(desk, line):
    ended = python(*("-m", "yolo_leuk", *shlex.split(line)[1:], "--set", "draws=10"), folder=desk)
    assert ended.returncode == 0, ended.stderr
    assert (desk / ended.stdout.strip()).is_file()


def test_every_condition_stands_in_the_table_with_its_strength():
    table = DOC[DOC.index("| condition |") :]
    for name, condition in CONDITIONS.items():
        if name == CLEAN:
            continue
        (row,) = [line for line in table.splitlines() if f"`{name}`" in line and line[0] == "|"]
        for strength in re.findall(r"\d+(?:\.\d+)?", condition.text):
            assert strength in row, name
