"""Fields that share some of their cells are found, and no others."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_smears import smear

from yolo_leuk import images, overlaps, pixels
from yolo_leuk.overlaps import overlapping
from yolo_leuk.thumbnail import SIDE_PX, Thumbnail, thumbnail_of

OTHERS = 12
FIELD_PX = 160


def grey_thumbnail(rgb: np.ndarray) -> Thumbnail:
    return thumbnail_of(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8))


@pytest.fixture(scope="module")
def place():
    """A part of a slide, larger than a field."""
    one, another = (np.hstack([smear(seed), smear(seed + 1)]) for seed in (500, 502))
    return np.vstack([one, another])


@pytest.fixture(scope="module")
def others():
    return [grey_thumbnail(smear(seed)) for seed in range(OTHERS)]


def field_at(place: np.ndarray, x: int, y: int) -> np.ndarray:
    return np.ascontiguousarray(place[y : y + FIELD_PX, x : x + FIELD_PX])


@pytest.mark.parametrize(("x", "y"), [(64, 0), (0, 64), (48, 48), (100, 0), (64, 56)])
def test_a_field_is_found_after_the_stage_was_moved(place, others, x, y):
    seen = [grey_thumbnail(field_at(place, *at)) for at in ((20, 20), (20 + x, 20 + y))]
    (found,) = overlapping([seen[0], *others, seen[1]])
    assert (found.first, found.second) == (0, OTHERS + 1)
    shared = (FIELD_PX - x) * (FIELD_PX - y) / FIELD_PX**2
    assert found.shared == pytest.approx(shared, abs=0.06)
    assert found.correlation > 0.6


def test_a_field_is_found_moved_brighter_and_in_another_file(place, others):
    moved = pixels.as_jpeg(pixels.with_brightness(field_at(place, 80, 20), 1.2), 60)
    (found,) = overlapping(
        [grey_thumbnail(field_at(place, 20, 20)), grey_thumbnail(moved), *others]
    )
    assert (found.first, found.second) == (0, 1)


def test_fields_that_touch_and_share_nothing_are_no_overlap(place, others):
    side_by_side = [grey_thumbnail(field_at(place, x, 0)) for x in (0, FIELD_PX)]
    assert overlapping([*side_by_side, *others]) == []


def test_every_two_of_three_fields_in_a_row_are_named_once_and_in_order(place):
    seen = [grey_thumbnail(field_at(place, x, 40)) for x in (0, 40, 80)]
    found = overlapping(seen)
    assert [(one.first, one.second) for one in found] == [(0, 1), (0, 2), (1, 2)]


def test_more_landmarks_than_are_compared_at_once_give_the_same_overlaps(
    place, others, monkeypatch
):
    seen = [grey_thumbnail(field_at(place, x, 40)) for x in (0, 40, 80)]
    at_once = overlapping([*seen, *others])
    monkeypatch.setattr(overlaps, "_ROWS", 7)
    monkeypatch.setattr(overlaps, "_COLUMNS", 11)
    assert overlapping([*seen, *others]) == at_once


def test_single_cells_on_black_are_not_compared():
    on_black = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.circle(on_black, (32, 32), 16, 150, -1)
    assert overlapping([on_black, np.roll(on_black, 3, axis=1)]) == []


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_even_pictures_do_not_overlap(grey):
    even = np.full((SIDE_PX, SIDE_PX), grey, np.uint8)
    assert overlapping([even, even, even]) == []


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pictures_do_not_overlap(count):
    assert overlapping([grey_thumbnail(smear(3))] * count) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_noise_overlaps_with_nothing(seed):
    rng = np.random.default_rng(seed)
    noise = [rng.integers(120, 256, (SIDE_PX, SIDE_PX)).astype(np.uint8) for _ in range(4)]
    assert overlapping(noise) == []


def test_overlaps_of_real_fields_are_found_and_cells_that_look_alike_are_none(real_data):
    files = sorted((real_data / "txl-pbc" / "images").rglob("*.png"))
    found = overlapping([grey_thumbnail(images.read_image(file)) for file in files])
    # All 47 were looked at: each shows one place twice.
    assert len(found) == 47
