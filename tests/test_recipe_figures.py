"""Recipes are compared on the same cells, and what colour alone tells is measured, not assumed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.made_training_data import CELL_PX_PER_RBC, drawn_cell, in_another_hue, made_cells
from yolo_leuk import pixels
from yolo_leuk.colour_transfer import colour_statistics
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import read_manifest
from yolo_leuk.train.cells import CellRecipe, load_cells

SCRIPTS = Path(__file__).parents[1] / "scripts"
RECIPE = CellRecipe(size_px=48)
DRAWS = 20


@pytest.fixture(scope="module")
def recipes():
    """The module, imported as a script imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        from figures import recipes
    return recipes


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Six drawn cells of each class."""
    folder = made_cells(tmp_path_factory.mktemp("data") / "cells", per_class=(6, 1, 1))
    samples = [sample for sample in read_manifest(folder) if sample.split == "train"]
    return load_cells(folder, samples, MATURITY)


def truth(cells) -> np.ndarray:
    return np.array([cell.class_id for cell in cells])


# --- what the nets are shown ---------------------------------------------------------------------


def test_clean_windows_are_those_that_detect_cuts(recipes, cells):
    for window, cell in zip(recipes.windows_under("clean", cells), cells, strict=True):
        assert np.array_equal(window, pixels.window_of(cell.crop, CELL_PX_PER_RBC))


def test_every_condition_but_clean_changes_every_window_and_leaves_its_size(recipes, cells):
    clean = recipes.windows_under("clean", cells)
    for condition in set(recipes.CONDITIONS) - {"clean", "swapped"}:
        for before, after in zip(clean, recipes.windows_under(condition, cells), strict=True):
            assert after.shape == before.shape, condition
            assert not np.array_equal(after, before), condition


def test_swapped_windows_have_the_colours_of_other_cells(recipes, cells):
    green = [dataclasses.replace(c, crop=in_another_hue(c.crop, 120, 1.5)) for c in cells[:15]]
    mixed = [*green, *cells[15:]]
    before, after = (
        np.array([colour_statistics(w).mean for w in recipes.windows_under(name, mixed)])
        for name in ("clean", "swapped")
    )
    moved = np.abs(after - before).max(axis=1) > 10
    assert 0.2 < moved.mean() < 0.8
    nearest = np.abs(after[:, None] - before[None]).max(axis=2).min(axis=1)
    assert nearest.max() < 8  # not 0: some colours are cut off at the edge of RGB


# --- the comparison ------------------------------------------------------------------------------


def test_two_nets_that_answer_alike_are_no_step_apart_under_any_condition(recipes, cells):
    def half_right(_windows):
        return np.where(np.arange(len(cells)) % 2, truth(cells), 0)

    found = recipes.compared(cells, half_right, half_right, DRAWS)
    assert tuple(found) == recipes.CONDITIONS
    for figures in found.values():
        assert [figures["ahead"][key] for key in ("value", "low", "high")] == [0, 0, 0]
        assert figures["kept"] == {"ours": 1.0, "theirs": 1.0}


def test_a_net_that_fails_in_the_dark_keeps_nothing_of_its_clean_figure_there(recipes, cells):
    bright = np.mean([w.mean() for w in recipes.windows_under("clean", cells)])

    def afraid_of_the_dark(windows):
        is_dark = np.mean([w.mean() for w in windows]) < 0.7 * bright
        return (truth(cells) + is_dark) % len(MATURITY)

    found = recipes.compared(cells, lambda _: truth(cells), afraid_of_the_dark, DRAWS)
    assert found["darker"]["kept"] == {"ours": 1.0, "theirs": 0.0}
    assert found["darker"]["ahead"]["value"] == 1
    assert found["brighter"]["kept"] == {"ours": 1.0, "theirs": 1.0}


def test_what_colour_tells_of_cells_of_one_form_is_mostly_gone_in_training(recipes, cells):
    generator = np.random.default_rng(0)
    of_one_form = [
        dataclasses.replace(
            cell, crop=in_another_hue(drawn_cell(2, generator), 60 * cell.class_id, 1.3)
        )
        for cell in cells
    ]
    found = recipes.colour_alone(of_one_form[::2], of_one_form[1::2], RECIPE, DRAWS)
    assert found["chance"] == 0.2
    assert found["as_they_are"]["value"] == 1
    assert found["in_training"]["value"] < 0.7


def test_the_numbers_of_colour_tell_large_nuclei_from_small_ones_too(recipes, cells):
    found = recipes.colour_alone(cells[::2], cells[1::2], RECIPE, DRAWS)
    assert found["in_one_colour"]["value"] > 0.7


# --- the page ------------------------------------------------------------------------------------


def test_the_section_of_the_page_has_a_row_for_each_condition(recipes, cells):
    from figures import recipe_table

    wrong = (truth(cells) + 1) % len(MATURITY)
    content = {
        "arch": "v11n",
        "input_px": 48,
        "epochs": 3,
        "starts_from_sha256": None,
        "training_cells": 30,
        "conditions": recipes.compared(cells, lambda _: truth(cells), lambda _: wrong, DRAWS),
        "colour_alone": recipes.colour_alone(cells, cells, RECIPE, DRAWS),
    }
    lines = recipe_table.section(content).splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) == len(recipes.CONDITIONS)
    assert rows[0] == (
        "| as they are | 1.000 (1.000–1.000) | 1.00 | 0.000 (0.000–0.000) | – "
        "| +1.000 (+1.000 to +1.000) |"
    )
