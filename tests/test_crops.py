"""Cells cut out of their fields; test_pixels.py compares them with those that detect cuts."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_leuk.prepare.white_cells.crops import cut_crops, worth_cutting

SIZE = (200, 100)


def is_worth(box, px_per_rbc: float = 20.0, painted=None) -> bool:
    (worth,) = worth_cutting(np.array([box], np.float32), SIZE, px_per_rbc, painted)
    return bool(worth)


def test_every_cell_becomes_a_square_of_the_same_size():
    field = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    boxes = np.array([[0, 0, 20, 30], [90, 40, 120, 60], [190, 90, 200, 100]], np.float32)
    crops = cut_crops(field, boxes, 20.0)
    assert [crop.picture.shape for crop in crops] == [(90, 90, 3)] * 3
    assert [crop.px_per_rbc for crop in crops] == [20.0] * 3


def test_crops_of_a_sharp_source_are_stored_at_the_scale_of_the_reduced_field():
    (crop,) = cut_crops(
        np.zeros((300, 300, 3), np.uint8), np.array([[90, 90, 190, 190]], np.float32), 70.0
    )
    assert crop.px_per_rbc == pytest.approx(70 / 3)
    assert crop.picture.shape == (70 + 2 * 18, 70 + 2 * 18, 3)


def test_no_cells_give_no_crops():
    none = np.zeros((0, 4), np.float32)
    assert cut_crops(np.zeros((50, 50, 3), np.uint8), none, 20.0) == []
    assert worth_cutting(none, SIZE, 20.0, (0, 0, 9, 9)).shape == (0,)


@pytest.mark.parametrize(
    ("box", "worth"),
    [
        ((50, 30, 80, 60), True),
        ((0, 30, 22, 60), True),
        ((0, 30, 18, 60), False),
        ((182, 30, 200, 60), False),
        ((50, 0, 80, 18), False),
        ((50, 82, 80, 100), False),
        ((50, 30, 68, 48), True),
    ],
    ids=["inside", "wide", "left", "right", "top", "bottom", "small but whole"],
)
def test_what_the_edge_leaves_of_a_cell_must_be_as_wide_as_a_red_cell(box, worth):
    assert is_worth(box) == worth


@pytest.mark.parametrize(("top_of_bar", "worth"), [(90, True), (82, True), (81, False)])
def test_a_cell_of_which_more_than_a_fifth_is_painted_out_is_not_learnt_from(top_of_bar, worth):
    assert is_worth((150, 50, 180, 90), painted=(140, top_of_bar, 200, 100)) == worth
