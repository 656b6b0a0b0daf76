"""The benchmark of training compares like with like, and leaves alone what it measures on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.fresh_process import ROOT, attempts, python, recording
from tests.made_training_data import made_cells
from yolo_leuk.labels import MATURITY
from yolo_leuk.train.cells import CellRecipe, CellVariation, load_cells
from yolo_leuk.train.dataset import checked_dataset


@pytest.fixture(scope="module")
def train():
    """The module, imported as scripts/benchmark imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from benchmarks import train
    return train


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    """Sixteen cells of each class to learn from, four to validate on."""
    return made_cells(tmp_path_factory.mktemp("data") / "cells", per_class=(16, 4, 2))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_our_training_sees_what_detect_sees_when_its_augmentation_is_off(train, data_set):
    cells = load_cells(data_set, checked_dataset(data_set, "classify").training, MATURITY)
    variation = CellVariation(cells, CellRecipe(**train.STILL))
    for cell in cells:
        for seed in range(8):
            varied = variation.varied(cell, np.random.default_rng(seed))
            assert np.array_equal(varied, variation.plain(cell))


def test_a_part_of_a_data_set_is_one_in_which_each_class_keeps_its_share(train, data_set, tmp_path):
    before = files(data_set)
    assert train._write_part(data_set, tmp_path / "part", 40) == (40, 10)
    part = checked_dataset(tmp_path / "part", "classify")
    assert Counter(sample.label for sample in part.training) == dict.fromkeys(MATURITY.names, 8)
    assert {sample.label for sample in part.validation} == set(MATURITY.names)
    assert files(data_set) == before


def test_a_part_of_pictures_that_are_no_cells_is_refused(train, tmp_path):
    folder = made_cells(tmp_path / "pictures", per_class=(1, 1, 1), level="image")
    with pytest.raises(SystemExit, match="holds whole pictures"):
        train._write_part(folder, tmp_path / "part", 5)


_SEEN_BY_ULTRALYTICS = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from peers import ultralytics_classifier
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
from ultralytics.cfg import get_cfg
from ultralytics.data.dataset import ClassificationDataset

arguments = get_cfg(overrides={"imgsz": 96, **ultralytics_classifier.NO_AUGMENTATION})
training, validation = (
    ClassificationDataset(sys.argv[2], arguments, augment=augment) for augment in (True, False)
)
pairs = [(training[i]["img"], validation[i]["img"]) for i in range(len(training))]
print(len(pairs), all(torch.equal(*pair) for pair in pairs))
"""


@pytest.mark.slow
def test_ultralytics_training_sees_what_its_validation_sees_when_its_augmentation_is_off(
    data_set, tmp_path
):
    ended = python(
        *("-c", _SEEN_BY_ULTRALYTICS, ROOT / "scripts", data_set / "train"), folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["80", "True"]


@pytest.mark.slow
def test_the_table_has_both_peers_and_nothing_is_reached_or_written_beside_the_pictures(
    data_set, tmp_path
):
    before = files(data_set)
    ended = python(
        *(ROOT / "scripts" / "benchmark", "train", "--data", data_set),
        *("--cells", 40, "--rounds", 1),
        folder=tmp_path,
        **recording(tmp_path),
    )
    assert ended.returncode == 0, ended.stderr
    rows = [line.split() for line in ended.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == ["off", "off", "each", "each"]
    for row in rows:
        peer_s, ours_s, ratio, _aim = map(float, row[-4:])
        assert ratio == pytest.approx(ours_s / peer_s, abs=0.05)
    assert files(data_set) == before
    assert attempts(tmp_path) == []
