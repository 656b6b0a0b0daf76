"""Specks are drawn on plain red discs, so that every changed pixel can be counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from yolo_leuk.train.specks import with_specks

GLASS = (236, 232, 230)
BOXES = np.array([[10, 10, 50, 50], [70, 20, 110, 60], [100, 90, 140, 130]], np.float32)

seeds = st.integers(0, 10**6)


def smear() -> np.ndarray:
    return np.full((120, 130, 3), GLASS, np.uint8)


def speckled(seed: int, boxes: np.ndarray = BOXES) -> np.ndarray:
    return with_specks(smear(), boxes, np.random.default_rng(seed))


@given(seed=seeds)
def test_specks_stay_on_the_cells(seed):
    changed = (speckled(seed) != GLASS).any(axis=2)
    for x1, y1, x2, y2 in BOXES.astype(int):
        changed[y1:y2, x1:x2] = False
    assert not changed.any()


@given(seed=seeds)
def test_a_speck_is_far_smaller_than_a_nucleus(seed):
    changed = (np.abs(speckled(seed).astype(int) - GLASS) > 40).any(axis=2)
    # Three specks of the largest radius, side by side.
    assert changed[10:50, 10:50].mean() < 3 * np.pi * 0.2**2


def test_specks_are_dark_or_bright_with_a_dark_rim():
    darkest = min(int(speckled(seed)[..., 1].min()) for seed in range(20))
    red_cells = np.full((120, 130, 3), (200, 120, 120), np.uint8)
    brightest = max(
        int(with_specks(red_cells, BOXES, np.random.default_rng(seed)).max()) for seed in range(20)
    )
    assert darkest < 110
    assert brightest > 220


def test_the_picture_itself_is_left_alone_and_a_seed_makes_the_same_specks():
    rgb = smear()
    with_specks(rgb, BOXES, np.random.default_rng(5))
    assert (rgb == GLASS).all()
    assert np.array_equal(speckled(5), speckled(5))
    assert not np.array_equal(speckled(5), speckled(6))


def test_without_red_cells_nothing_changes():
    assert (speckled(0, BOXES[:0]) == GLASS).all()
