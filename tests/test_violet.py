"""Nuclei by their colour, and two means on a histogram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_fields import GLASS, field_of
from yolo_leuk.prepare.white_cells.violet import (
    two_means_threshold,
    violet_mask,
    with_small_holes_filled,
)

PX = 20.0


@given(st.lists(st.integers(0, 255), min_size=2, max_size=60))
def test_the_histogram_gives_the_clusters_of_k_means_on_the_pixels(levels):
    values = np.array(levels, np.uint8)
    border = two_means_threshold(values)
    low, high = values[values <= border], values[values > border]
    if len(set(levels)) == 1:
        assert border == levels[0]
        return
    # A fixed point of Lloyd's iteration: the border lies midway between the two means.
    assert border == pytest.approx((low.mean() + high.mean()) / 2)


def test_two_heaps_are_parted_between_them():
    values = np.array([50] * 900 + [200] * 100, np.uint8)
    assert two_means_threshold(values) == 125


def test_nuclei_are_violet_and_red_cells_are_not():
    mask = violet_mask(field_of([(60, 60, 13)], [(150, 150, 10), (40, 180, 10)]), PX)
    assert mask[60, 60] == 255
    assert mask.dtype == np.uint8
    assert not mask[100:].any()


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((64, 64, 3), GLASS, np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        field_of(red=[(60, 60, 10), (120, 90, 10)]),
    ],
    ids=["glass", "black", "red cells"],
)
def test_without_nuclei_nothing_is_violet(rgb):
    assert not violet_mask(rgb, PX).any()


def test_small_holes_are_filled_and_large_ones_are_not():
    mask = np.full((60, 60), 255, np.uint8)
    mask[10:13, 10:13] = 0
    mask[30:50, 30:50] = 0
    before = mask.copy()
    filled = with_small_holes_filled(mask, 25)
    assert filled[11, 11] == 255
    assert not filled[30:50, 30:50].any()
    np.testing.assert_array_equal(mask, before)
