"""scripts/compare_recipes.py from data to table: both recipes train, nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fresh_process import ROOT, attempts, python, recording
from tests.made_training_data import made_cells
from tests.warm_process import warm_python

pytestmark = pytest.mark.slow


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_both_recipes_are_trained_once_and_compared_without_reaching_anything(tmp_path):
    data = made_cells(tmp_path / "cells")
    before = files(data)
    command = (
        *(ROOT / "scripts" / "compare_recipes.py", "--data", data, "--epochs", 2),
        *("--draws", 20, "--runs", tmp_path / "runs", "--out", tmp_path / "recipes.json"),
    )
    first = python(*command, folder=tmp_path, **recording(tmp_path))
    assert first.returncode == 0, first.stderr
    content = json.loads((tmp_path / "recipes.json").read_text(encoding="utf-8"))
    assert content["conditions"]["clean"]["ours"]["samples"] == 20
    assert content["training_cells"] == 40
    runs = files(tmp_path / "runs")

    again = warm_python(*command, folder=tmp_path)
    assert again.stdout == first.stdout
    assert files(tmp_path / "runs") == runs
    assert files(data) == before
    assert attempts(tmp_path) == []


def test_a_data_set_of_whole_pictures_is_refused(tmp_path):
    data = made_cells(tmp_path / "pictures", per_class=(1, 1, 1), level="image")
    ended = python(ROOT / "scripts" / "compare_recipes.py", "--data", data, folder=tmp_path)
    assert ended.returncode == 1
    assert "holds whole pictures; a data set of cells is needed" in ended.stderr
