"""What a classifier is shown of a whole picture; cells are tested in test_train_cells.py."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_train_cells import NO_CAMERA, NO_LIGHT, NO_STAIN, SAMPLE
from yolo_leuk import onnx_graph, pixels
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation
from yolo_leuk.train.views import CellWindow, WholePicture

RECIPE = CellRecipe(picture_px=64)
STILL = dataclasses.replace(
    RECIPE,
    sharpness_px_per_rbc=(90.0, 90.0),
    colour_swap=0.0,
    uneven_light=0.0,
    stain=NO_STAIN,
    light=NO_LIGHT,
    camera=NO_CAMERA,
)


def picture(width: int = 96, height: int = 96, seed: int = 0) -> CellPicture:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return CellPicture(dataclasses.replace(SAMPLE, width=width, height=height), rgb, 0)


def test_the_level_of_a_data_set_says_what_is_shown():
    assert RECIPE.view("cell") == CellWindow(96, RECIPE.zoom, RECIPE.shift)
    assert RECIPE.view("image") == WholePicture(64)


@given(width=st.integers(8, 80), height=st.integers(8, 80))
def test_all_of_a_picture_is_shown_in_the_middle_of_a_square(width, height):
    stored = picture(width, height).crop
    shown = WholePicture(64).shown(stored, 20.0)
    side = max(width, height)
    assert shown.shape == (side, side, 3)
    top, left = side // 2 - height // 2, side // 2 - width // 2
    assert np.array_equal(shown[top : top + height, left : left + width], stored)
    beside = np.ones((side, side), bool)
    beside[top : top + height, left : left + width] = False
    assert (shown[beside] == pixels.background_colour(stored)).all()


def test_a_whole_picture_of_the_inputs_size_goes_in_pixel_by_pixel():
    cell = picture(64, 64)
    assert np.array_equal(CellVariation([], RECIPE, "image").plain(cell), cell.crop)


@given(seed=st.integers(0, 10**6))
def test_a_whole_picture_that_is_not_recoloured_is_only_turned(seed):
    cell = picture()
    variation = CellVariation([cell], STILL, "image")
    plain = variation.plain(cell)
    varied = variation.varied(cell, np.random.default_rng(seed))
    turns = [pixels.turned(plain, number, flip) for number in range(4) for flip in (False, True)]
    assert any(np.array_equal(varied, turn) for turn in turns)


def test_in_training_a_whole_picture_may_be_less_sharp_but_never_sharper():
    shown = picture(160, 160).crop
    view = WholePicture(160)
    as_it_is = view.as_input(shown, 20.0)
    assert np.array_equal(as_it_is, shown)
    assert np.array_equal(view.as_input(shown, 20.0, sharpness=40.0), as_it_is)
    less = view.as_input(shown, 20.0, sharpness=10.0)
    assert less.shape == as_it_is.shape
    assert less.std() < 0.7 * as_it_is.std()


def test_the_card_of_a_net_of_whole_pictures_says_so_and_at_what_scale_they_were():
    samples = [
        dataclasses.replace(SAMPLE, width=width, height=100, px_per_rbc=20.0)
        for width in (64, 128, 320)
    ]
    view = WholePicture(64)
    assert view.px_per_rbc_of(samples) == pytest.approx(10.0)
    assert view.steps == onnx_graph.PICTURE_STEPS
    assert CellWindow(64).px_per_rbc_of(samples) == pixels.SHARPNESS_PX_PER_RBC
