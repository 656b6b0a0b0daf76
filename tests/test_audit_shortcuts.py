"""What gives the class away although it is no cell."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from made_smears import VIOLET, smear

from yolo_leuk.audit.cell_mask import cell_mask
from yolo_leuk.audit.colour import colour_numbers
from yolo_leuk.audit.exhibits import without_cells as painted_out
from yolo_leuk.audit.probe import trials_of
from yolo_leuk.audit.regions import REGIONS, region_box, region_patches, without_colour
from yolo_leuk.audit.scan import Clues, facts_of
from yolo_leuk.audit.shortcuts import colour_only, region_scores, without_cells

PER_CLASS = 60
LABELS = ["a", "b"] * PER_CLASS
TRIALS = trials_of([""] * 2 * PER_CLASS, LABELS, [""] * 2 * PER_CLASS, seed=0)


@pytest.fixture
def clues(tmp_path):
    """Clues of pictures of two classes, of which the second one is changed."""

    def measure(change):
        found = []
        for number in range(2 * PER_CLASS):
            rgb = smear(number, (96, 96))
            file = tmp_path / "a.png"
            cv2.imwrite(str(file), (change(rgb) if number % 2 else rgb)[..., ::-1])
            found.append(facts_of(file, with_clues=True).clues)
        return found

    return measure


def warmer(rgb):
    return np.clip(rgb * np.array([1.0, 0.97, 0.93]), 0, 255).astype(np.uint8)


def test_nothing_is_found_where_the_classes_look_alike(clues):
    same = clues(lambda rgb: rgb)
    assert not colour_only(same, LABELS, TRIALS)[-1].is_above_chance
    assert not without_cells(same, LABELS, TRIALS)[-1].is_above_chance
    assert not any(region.stands_out for region in region_scores(same, LABELS, TRIALS))


def test_another_light_is_found_by_colour_and_by_what_is_left_but_in_no_corner(clues):
    lit = clues(warmer)
    assert colour_only(lit, LABELS, TRIALS)[-1].balanced_accuracy > 0.95
    assert without_cells(lit, LABELS, TRIALS)[-1].balanced_accuracy > 0.95
    assert not any(region.stands_out for region in region_scores(lit, LABELS, TRIALS))


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_burnt_in_at_an_edge_stands_out_there(region):
    def barred(rgb):
        x1, y1, x2, y2 = region_box(region, (64, 64))
        middle = (x1 + x2) // 2, (y1 + y2) // 2
        cv2.rectangle(rgb, (middle[0] - 3, middle[1] - 1), (middle[0] + 3, middle[1] + 1), 0, -1)
        return rgb

    def clues_of(number):
        rgb = smear(number, (64, 64))
        numbers = np.zeros(11, np.float32)
        return Clues(numbers, numbers, region_patches(barred(rgb) if number % 2 else rgb))

    scores = region_scores([clues_of(n) for n in range(2 * PER_CLASS)], LABELS, TRIALS)
    assert [score.region for score in scores if score.stands_out] == [region]


def test_regions_lie_inside_and_do_not_overlap():
    covered = np.zeros((70, 100), int)
    for region in REGIONS:
        x1, y1, x2, y2 = region_box(region, (100, 70))
        assert 0 <= x1 < x2 <= 100
        assert 0 <= y1 < y2 <= 70
        covered[y1:y2, x1:x2] += 1
    assert covered.max() == 1


def test_patches_without_colour_do_not_change_with_light():
    rgb = smear(3)
    brighter = np.clip(rgb.astype(int) - np.array([30, 20, 40]), 0, 255).astype(np.uint8)
    one, other = without_colour(region_patches(rgb)), without_colour(region_patches(brighter))
    assert np.abs(one - other).max() < 0.5


def test_the_eleven_numbers_are_those_of_the_pixels():
    pixels = np.array([[value] * 3 for value in range(101)], np.uint8)
    numbers = colour_numbers(pixels)
    assert numbers[:6].tolist() == [95] * 3 + [5] * 3
    assert numbers[6:].tolist() == pytest.approx([5, 25, 50, 75, 95])
    assert colour_numbers(pixels[:0]).tolist() == [0] * 11


def test_the_order_of_pixels_does_not_matter():
    pixels = smear(0).reshape(-1, 3)
    shuffled = np.random.default_rng(0).permutation(pixels)
    assert np.array_equal(colour_numbers(pixels), colour_numbers(shuffled))


# --- cells painted out ---------------------------------------------------------------------------


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
    assert not painted_out(rgb).any()


def test_what_is_painted_out_gets_the_colour_of_what_is_left():
    rgb = smear(0)
    painted = painted_out(rgb)
    mask = cell_mask(rgb)
    assert mask.any()
    assert len(np.unique(painted[mask], axis=0)) == 1
    assert np.array_equal(painted[~mask], rgb[~mask])
    assert not cell_mask(painted).any()


@pytest.mark.parametrize("value", [0, 255])
def test_an_even_picture_can_be_painted_out(value):
    even = np.full((32, 32, 3), value, np.uint8)
    assert np.array_equal(painted_out(even), even)
