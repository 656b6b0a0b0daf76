"""Thumbnails, their spectra, and how alike two of them are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_smears import smear

from yolo_leuk.thumbnail import (
    SIDE_PX,
    TURNS,
    correlation,
    detail_of,
    spectrum_of,
    thumbnail_of,
    turned,
    turned_spectrum,
)

ALL_TURNS = range(len(TURNS))


def grey(rgb):
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def thumbnail(seed):
    return thumbnail_of(grey(smear(seed)))


def agreement(one, other):
    return correlation(detail_of(one), detail_of(other))


@given(st.integers(0, 1000), st.sampled_from(ALL_TURNS))
def test_the_detail_of_a_turned_thumbnail_is_the_turned_detail(seed, turn):
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX), np.uint8)
    assert np.allclose(detail_of(turned(noise, turn)), turned(detail_of(noise), turn), atol=1e-4)


@given(st.integers(0, 1000), st.sampled_from(ALL_TURNS))
def test_the_spectrum_of_a_turned_thumbnail_is_the_turned_spectrum(seed, turn):
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX), np.uint8)
    of_turned = spectrum_of(turned(noise, turn))
    assert np.allclose(of_turned, turned_spectrum(spectrum_of(noise)[None], turn)[0], atol=1e-3)


def test_the_eight_turns_are_eight_different_pictures():
    assert len({turned(thumbnail(0), turn).tobytes() for turn in ALL_TURNS}) == 8


@pytest.mark.parametrize(
    ("turn", "as_numpy"),
    [
        (0, lambda t: t),
        (1, np.fliplr),
        (2, np.flipud),
        (3, lambda t: np.rot90(t, 2)),
        (4, np.transpose),
        (5, lambda t: np.rot90(t, -1)),
        (6, np.rot90),
    ],
)
def test_a_turn_is_what_it_is_called(turn, as_numpy):
    assert np.array_equal(turned(thumbnail(0), turn), as_numpy(thumbnail(0)))


@pytest.mark.parametrize("turn", ALL_TURNS)
def test_a_picture_agrees_with_itself_in_the_right_turn_only(turn):
    one = thumbnail(0)
    assert agreement(one, turned(one, turn)) == pytest.approx(1 if turn == 0 else 0.2, abs=0.2)


def test_a_moved_field_still_agrees():
    field = grey(smear(1, (200, 200)))
    assert agreement(thumbnail_of(field[:160, :160]), thumbnail_of(field[24:184, 20:180])) > 0.8


def test_other_fields_do_not_agree():
    assert max(agreement(thumbnail(0), thumbnail(seed)) for seed in range(1, 30)) < 0.4


@pytest.mark.parametrize("value", [0, 255])
def test_an_even_picture_agrees_with_nothing(value):
    even = np.full((SIDE_PX, SIDE_PX), value, np.uint8)
    assert agreement(even, even) == agreement(even, thumbnail(0)) == 0


@pytest.mark.parametrize("shape", [(8, 300), (300, 8), (64, 64), (20, 30)])
def test_a_picture_of_any_shape_has_a_thumbnail(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert thumbnail_of(picture).shape == (SIDE_PX, SIDE_PX)
