"""Conditions change what they say and nothing else, and alike for every model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD
from tests.made_training_data import CELL_PX_PER_RBC, in_another_hue, made_cells
from yolo_leuk import images, pixels
from yolo_leuk.cell_mask import cell_mask
from yolo_leuk.colour_transfer import colour_statistics
from yolo_leuk.errors import DataError
from yolo_leuk.evaluate.held_out import read_held_out
from yolo_leuk.evaluate.shortcuts import colour_only
from yolo_leuk.evaluate.showing import Showing, inputs_of
from yolo_leuk.evaluate.stress import (
    CLEAN,
    CONDITIONS,
    SWAPPED,
    WITHOUT_CELLS,
    others_of,
    under,
)
from yolo_leuk.sample_input import as_input

COUNT = 20


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    folder = made_cells(tmp_path_factory.mktemp("made") / "cells", per_class=(4, 2, COUNT // 5))
    return read_held_out(folder, "test")


@pytest.fixture(scope="module")
def showing(held_out):
    return Showing(held_out)


def stored(held_out, number):
    return images.read_image(held_out.data.folder / held_out.samples[number].path)


def test_clean_cells_are_the_windows_that_detect_cuts(held_out, showing):
    for number, window in enumerate(showing.under(CONDITIONS[CLEAN], range(COUNT))):
        assert np.array_equal(window, pixels.window_of(stored(held_out, number), CELL_PX_PER_RBC))


def test_a_window_becomes_the_input_that_training_made_of_it(showing):
    (window,) = showing.under(CONDITIONS[CLEAN], [0])
    expected = pixels.classifier_input(window, CLASSIFIER_CARD.input_px)
    assert np.array_equal(as_input(window, CLASSIFIER_CARD), expected)
    assert inputs_of([window] * 3, CLASSIFIER_CARD).shape == (3, 32, 32, 3)


def test_whole_pictures_are_shown_whole(tmp_path):
    held_out = read_held_out(made_cells(tmp_path / "images", (1, 1, 1), level="image"), "test")
    (picture,) = Showing(held_out).under(CONDITIONS[CLEAN], [0])
    assert np.array_equal(picture, stored(held_out, 0))
    card = dataclasses.replace(CLASSIFIER_CARD, level="image")
    assert np.array_equal(as_input(picture, card), pixels.picture_input(picture, 32))


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != CLEAN])
def test_every_other_condition_changes_every_window(showing, name):
    clean = showing.under(CONDITIONS[CLEAN], range(COUNT))
    for before, after in zip(clean, showing.under(CONDITIONS[name], range(COUNT)), strict=True):
        assert before.shape != after.shape or not np.array_equal(before, after)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_sample_is_changed_alike_however_it_is_asked_for(showing, name):
    together = showing.under(CONDITIONS[name], range(COUNT))
    (alone,) = showing.under(CONDITIONS[name], [7])
    assert np.array_equal(alone, together[7])


def test_brightness_is_changed_by_the_stated_factors():
    grey = np.full((8, 8, 3), 100, np.uint8)
    for name, factor in (("darker", 0.6), ("brighter", 1.4)):
        found = under(CONDITIONS[name], grey, 20.0, 0, lambda: grey)
        assert (found == round(100 * factor)).all()
        assert str(factor) in CONDITIONS[name].text


def test_a_wider_ruler_shows_more_around_smaller_cells(showing):
    side = pixels.window_side(CELL_PX_PER_RBC)
    for name, factor in (("larger", 0.8), ("smaller", 1.25)):
        (window,) = showing.under(CONDITIONS[name], [0])
        assert window.shape[0] == round(side * factor)
        middle = window.shape[0] // 2
        (clean,) = showing.under(CONDITIONS[CLEAN], [0])
        assert np.array_equal(window[middle, middle], clean[side // 2, side // 2])


def test_swapped_cells_have_the_colours_of_the_other_one():
    generator = np.random.default_rng(0)
    one = generator.normal((150, 120, 160), 20, (40, 40, 3)).clip(0, 255).astype(np.uint8)
    other = in_another_hue(one, 120)
    found = colour_statistics(under(CONDITIONS[SWAPPED], one, 20.0, 0, lambda: other))
    wanted = colour_statistics(other)
    assert found.mean == pytest.approx(wanted.mean, abs=3)


def test_colours_come_from_samples_all_over_the_split():
    others = others_of(1000)
    assert others.min() >= 0
    assert others.max() < 1000
    assert len(set(others.tolist())) > 600
    assert np.array_equal(others, others_of(1000))


def test_without_cells_nothing_violet_is_left(showing):
    for window in showing.under(WITHOUT_CELLS, range(4)):
        assert not cell_mask(window).any()


def test_a_picture_of_another_size_than_the_manifest_says_is_refused(held_out):
    samples = tuple(dataclasses.replace(s, width=s.width + 1) for s in held_out.samples)
    wrong = Showing(dataclasses.replace(held_out, samples=samples))
    with pytest.raises(DataError, match=r"is 90×90, its manifest says 91×90"):
        wrong.under(CONDITIONS[CLEAN], [0])


# --- what colour alone tells ---------------------------------------------------------------------


def test_colour_alone_tells_drawn_cells_apart_until_colours_are_swapped(held_out):
    found = colour_only(held_out)
    assert found.learnt_from == 5 * (4 + 2)
    right = {
        condition: (answer.calls == held_out.class_ids).mean()
        for condition, answer in found.by_condition.items()
    }
    assert right[CLEAN] > 0.8
    assert right[SWAPPED] < right[CLEAN]


def test_without_another_split_to_learn_from_there_is_no_colour_only_classifier(held_out):
    data = dataclasses.replace(held_out.data, samples=held_out.samples)
    assert colour_only(dataclasses.replace(held_out, data=data)) is None
    assert colour_only(dataclasses.replace(held_out, split="folds")) is None
