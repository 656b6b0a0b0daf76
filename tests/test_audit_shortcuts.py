"""What gives the class away although it is no cell."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from made_smears import smear

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


@pytest.mark.slow
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
