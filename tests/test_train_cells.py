"""Cells that a classifier learns from are those that ``detect`` would show it, varied."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_training_data import CELL_PX_PER_RBC, drawn_cell, in_another_hue, made_cells
from yolo_leuk import pixels
from yolo_leuk.cell_classifier import cell_crops
from yolo_leuk.colour_transfer import colour_statistics
from yolo_leuk.errors import DataError
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare.white_cells.crops import cut_crops
from yolo_leuk.records import Sample
from yolo_leuk.train.appearance import Camera, Light, Stain
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation, load_cells

SIZE_PX = 48
CARD = SimpleNamespace(input_px=SIZE_PX, px_per_rbc=pixels.SHARPNESS_PX_PER_RBC)
RECIPE = CellRecipe(size_px=SIZE_PX)
NO_STAIN, NO_LIGHT = Stain(probability=0.0), Light(probability=0.0)
NO_CAMERA = Camera(blur=0.0, noise=0.0, jpeg=0.0)

SAMPLE = Sample(
    sample_id="a",
    path="a.png",
    source="drawn",
    sha256="0" * 64,
    width=90,
    height=90,
    label="Pro",
    subject="",
    group="a",
    split="train",
    fold=1,
    px_per_rbc=CELL_PX_PER_RBC,
    steps="",
)


def picture_of(crop, px_per_rbc: float = CELL_PX_PER_RBC, class_id: int = 3) -> CellPicture:
    return CellPicture(dataclasses.replace(SAMPLE, px_per_rbc=px_per_rbc), crop, class_id)


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    return made_cells(tmp_path_factory.mktemp("data") / "cells", per_class=(2, 1, 1))


# --- what the net sees ---------------------------------------------------------------------------


@given(
    px_per_rbc=st.floats(12, 70),
    left=st.floats(-5, 200),
    top=st.floats(-5, 150),
    side=st.floats(4, 90),
    seed=st.integers(0, 99),
)
def test_a_stored_cell_shows_the_pixels_that_detect_cuts_from_the_field(
    px_per_rbc, left, top, side, seed
):
    noise = np.random.default_rng(seed).integers(0, 256, (160, 210, 3), np.uint8)
    field = cv2.GaussianBlur(noise, (0, 0), 2)
    box = np.array([[left, top, left + side, top + 0.8 * side]], np.float32)
    (crop,) = cut_crops(field, box, px_per_rbc)
    variation = CellVariation([], RECIPE)
    learnt_from = variation.plain(picture_of(crop.picture, crop.px_per_rbc))
    (in_use,) = cell_crops(field, box, px_per_rbc, CARD)
    assert np.array_equal(learnt_from, in_use)


def test_training_sees_the_same_cell_varied():
    generator = np.random.default_rng(0)
    cell = picture_of(drawn_cell(3, generator))
    variation = CellVariation([cell, picture_of(drawn_cell(0, generator))], RECIPE)
    first, again, other = (
        variation.varied(cell, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert (first.shape, first.dtype) == ((SIZE_PX, SIZE_PX, 3), np.uint8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_cell_that_is_not_varied_at_all_is_only_turned():
    still = CellRecipe(
        size_px=SIZE_PX,
        sharpness_px_per_rbc=(20.0, 20.0),
        zoom=0.0,
        shift=0.0,
        colour_swap=0.0,
        uneven_light=0.0,
        stain=NO_STAIN,
        light=NO_LIGHT,
        camera=NO_CAMERA,
    )
    crop = drawn_cell(2, np.random.default_rng(0))
    crop[:45] //= 2
    cell = picture_of(crop)
    variation = CellVariation([cell], still)
    plain = variation.plain(cell)
    turns = {
        pixels.turned(plain, quarter_turns, mirrored).tobytes()
        for quarter_turns in range(4)
        for mirrored in (False, True)
    }
    seen = {variation.varied(cell, np.random.default_rng(seed)).tobytes() for seed in range(60)}
    assert seen == turns


@given(seed=st.integers(0, 10**6))
def test_zoom_and_shift_leave_the_nucleus_in_the_picture(seed):
    recipe = dataclasses.replace(
        RECIPE,
        colour_swap=0.0,
        uneven_light=0.0,
        stain=NO_STAIN,
        light=NO_LIGHT,
        camera=NO_CAMERA,
    )
    cell = picture_of(drawn_cell(0, np.random.default_rng(0)))
    varied = CellVariation([cell], recipe).varied(cell, np.random.default_rng(seed))
    dark = np.argwhere(varied.astype(int).sum(axis=2) < 400)
    centre = dark.mean(axis=0) + 0.5  # of pixels, not of their upper left corners
    assert np.abs(centre - SIZE_PX / 2).max() < 0.1 * SIZE_PX


def test_a_varied_cell_leaves_the_stored_one_as_it_was():
    crop = drawn_cell(2, np.random.default_rng(0))
    before = crop.copy()
    cell = picture_of(crop)
    variation = CellVariation([cell], RECIPE)
    for seed in range(20):
        variation.varied(cell, np.random.default_rng(seed))
    assert np.array_equal(crop, before)


# --- colours -------------------------------------------------------------------------------------


def test_a_swapped_cell_has_the_colours_of_another_one():
    generator = np.random.default_rng(0)
    # A window of the input's own size, so that no resampling comes between.
    side = pixels.window_side(CELL_PX_PER_RBC)
    recipe = CellRecipe(size_px=side)
    cell = picture_of(drawn_cell(1, generator))
    green = picture_of(in_another_hue(drawn_cell(1, generator), 120, 1.5))
    variation = CellVariation([green], recipe)
    swapped = colour_statistics(variation.swapped(cell, np.random.default_rng(0)))
    wanted = colour_statistics(variation.plain(green))
    own = colour_statistics(variation.plain(cell))
    assert np.abs(own.mean - wanted.mean).max() > 10
    assert np.abs(swapped.mean - wanted.mean).max() < 3
    deviations = [np.sqrt(np.diag(found.covariance)) for found in (swapped, wanted)]
    assert np.abs(deviations[0] - deviations[1]).max() < 3


def test_colours_come_from_cells_of_every_class():
    generator = np.random.default_rng(0)
    hues = [picture_of(in_another_hue(drawn_cell(2, generator), 40 * i), 20.0) for i in range(3)]
    variation = CellVariation(hues, CellRecipe(size_px=SIZE_PX))
    swapped = [variation.swapped(hues[0], np.random.default_rng(seed)) for seed in range(30)]
    means = {tuple(np.rint(colour_statistics(rgb).mean / 4)) for rgb in swapped}
    assert len(means) >= 3


# --- loading -------------------------------------------------------------------------------------


def test_samples_are_loaded_in_their_order_with_their_classes(data_set):
    samples = read_manifest(data_set)[::-1]
    cells = load_cells(data_set, samples, MATURITY)
    assert [cell.sample for cell in cells] == samples
    assert all(cell.class_id == MATURITY.id_of(cell.sample.label) for cell in cells)


def test_a_picture_of_another_size_than_its_manifest_says_is_an_error(tmp_path):
    folder = made_cells(tmp_path / "cells", per_class=(1, 1, 1))
    path = folder / "train" / "Pro" / "Pro-train-0.png"
    cv2.imwrite(str(path), np.zeros((50, 60, 3), np.uint8))
    with pytest.raises(DataError, match=r"Pro-train-0\.png is 60×50, its manifest says 90×90"):
        load_cells(folder, read_manifest(folder), MATURITY)
