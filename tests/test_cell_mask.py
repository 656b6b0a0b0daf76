"""Where white cells are by colour alone, and what is left without them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.made_smears import VIOLET, smear
from yolo_leuk.cell_mask import cell_mask, without_cells


def test_white_cells_are_masked_and_red_ones_are_not():
    rgb = np.full((120, 120, 3), (238, 232, 236), np.uint8)
    cv2.circle(rgb, (30, 30), 14, (206, 160, 168), -1)
    cv2.circle(rgb, (85, 80), 16, VIOLET, -1)
    mask = cell_mask(rgb)
    assert mask[80, 85]
    assert mask[80, 68]  # a rim around it
    assert not mask[30, 30]
    assert 0.05 < mask.mean() < 0.2


def test_a_field_without_white_cells_has_no_mask():
    assert not cell_mask(smear(0, white=0)).any()


def test_a_cell_on_black_is_all_that_is_not_black():
    rgb = np.zeros((100, 100, 3), np.uint8)
    cv2.circle(rgb, (50, 50), 20, (90, 40, 110), -1)
    assert cell_mask(rgb)[50, 50]
    assert not without_cells(rgb).any()


def test_what_is_painted_out_gets_the_colour_of_what_is_left():
    rgb = smear(0)
    painted = without_cells(rgb)
    mask = cell_mask(rgb)
    assert mask.any()
    assert len(np.unique(painted[mask], axis=0)) == 1
    assert np.array_equal(painted[~mask], rgb[~mask])
    assert not cell_mask(painted).any()


@pytest.mark.parametrize("value", [0, 255])
def test_an_even_picture_can_be_without_cells(value):
    even = np.full((32, 32, 3), value, np.uint8)
    assert np.array_equal(without_cells(even), even)
