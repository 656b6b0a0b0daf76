"""Cells that two splits or folds would show are found, by their crops alone."""

from __future__ import annotations

import numpy as np
import pytest
from made_smears import smear

from yolo_leuk import pixels
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.split import cell_thumbnails
from yolo_leuk.prepare.split.same_cells import PlacedCell, torn_cells
from yolo_leuk.prepare.split.splits import Placement

TRAIN, OTHER_FOLD = Placement("train", 1), Placement("train", 2)
VAL, TEST = Placement("val", 0), Placement("test", -1)
CROP_PX = (90, 90)
OTHERS = 12


@pytest.fixture
def crop(tmp_path):
    """Writes the thumbnail of a cell, in a split; the same cell again for the same seed."""

    def made(seed: int, place: Placement, kind: str = "set/Pre", brightness: float = 1.0):
        file = tmp_path / f"{seed}-{place.split}-{place.fold}-{kind[-3:]}-{brightness}"
        picture = pixels.with_brightness(smear(seed, CROP_PX), brightness)
        file.write_bytes(cell_thumbnails.content_of([picture]))
        return PlacedCell(file, 0, kind, place)

    return made


@pytest.fixture
def others(crop):
    """Cells of which no two show the same."""
    return [crop(100 + n, (TRAIN, OTHER_FOLD, VAL, TEST)[n % 4]) for n in range(OTHERS)]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cell_of_the_test_split_is_left_out_of_training(crop, others, workers):
    cells = [crop(1, TRAIN), *others, crop(1, TEST, brightness=0.9)]
    assert torn_cells(cells, workers=workers) == {0: OTHERS + 1}


@pytest.mark.parametrize(
    ("one", "other", "left_out"),
    [(TEST, VAL, 1), (VAL, TRAIN, 1), (TRAIN, OTHER_FOLD, 0), (OTHER_FOLD, TEST, 0)],
)
def test_the_later_split_keeps_it_and_folds_share_none(crop, others, one, other, left_out):
    torn = torn_cells([crop(1, one), crop(1, other, brightness=0.9), *others])
    assert torn == {left_out: 1 - left_out}


def test_a_cell_that_stands_twice_in_one_fold_stays(crop, others):
    assert torn_cells([crop(1, TRAIN), crop(1, TRAIN, brightness=0.9), *others]) == {}


def test_cells_of_another_class_or_data_set_are_not_compared(crop, others):
    assert torn_cells([crop(1, TRAIN, "set/Pre"), crop(1, TEST, "set/Pro"), *others]) == {}


def test_cells_that_differ_stay(others):
    assert torn_cells(others) == {}


def test_no_cells_are_no_trouble():
    assert torn_cells([]) == {}


@pytest.mark.parametrize("spoil", [lambda f: f.write_bytes(b"cut off"), lambda f: f.unlink()])
def test_thumbnails_that_cannot_be_read_are_an_error_with_their_name(crop, others, spoil):
    lost = crop(1, TRAIN)
    spoil(lost.file)
    with pytest.raises(DataError, match=lost.file.name):
        torn_cells([lost, *others])


def test_the_cells_of_one_picture_lie_in_one_file(others, tmp_path):
    file = tmp_path / "a picture"
    file.write_bytes(cell_thumbnails.content_of([smear(seed, CROP_PX) for seed in (1, 2, 3)]))
    train = [PlacedCell(file, number, "set/Pre", TRAIN) for number in range(3)]
    again = tmp_path / "another picture"
    again.write_bytes(cell_thumbnails.content_of([pixels.with_brightness(smear(2, CROP_PX), 0.9)]))
    assert torn_cells([*train, *others, PlacedCell(again, 0, "set/Pre", TEST)]) == {1: OTHERS + 3}


def test_the_answer_does_not_depend_on_the_order_of_the_cells(crop, others):
    cells = [crop(1, TRAIN), *others, crop(1, TEST, brightness=0.9)]
    order = np.random.default_rng(0).permutation(len(cells))
    found = torn_cells([cells[i] for i in order])
    assert {int(order[a]): int(order[b]) for a, b in found.items()} == torn_cells(cells)
