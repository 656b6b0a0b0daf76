"""Pictures that are there twice."""

from __future__ import annotations

import numpy as np
import pytest
from made_smears import save, smear
from made_training_data import in_another_hue

from yolo_leuk import pixels
from yolo_leuk.audit.duplicates import find_duplicates
from yolo_leuk.audit.layout import open_data_set
from yolo_leuk.audit.scan import scan

FIELDS = 40


def found_in(*folders):
    """Duplicates of the first folder, in it and with the others."""
    sets = [open_data_set(folder) for folder in folders]
    pictures = [picture for data_set in sets for picture in data_set.pictures]
    facts = scan([picture.file for picture in pictures], with_clues=False, workers=1)
    return find_duplicates(pictures, facts, len(sets[0].pictures), workers=1)


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """A folder of fields, none of them twice."""
    root = tmp_path_factory.mktemp("fields")
    for seed in range(FIELDS):
        save(root / f"{seed:02}.png", smear(seed))
    return root


def with_copy(fields, tmp_path, name, rgb, quality=95):
    """The same fields and one picture more."""
    for file in fields.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    save(tmp_path / name, rgb, quality)
    return tmp_path


def test_fields_that_differ_are_no_duplicates(fields):
    found = found_in(fields)
    assert (found.exact, found.near) == ((), ())


def test_the_same_pixels_in_another_file_format_are_an_exact_duplicate(fields, tmp_path):
    found = found_in(with_copy(fields, tmp_path, "copy.bmp", smear(7)))
    (duplicate,) = found.exact
    assert [picture.path for picture in duplicate.pictures] == ["07.png", "copy.bmp"]
    assert not duplicate.same_bytes
    assert found.near == ()


def test_three_copies_of_one_file_are_one_duplicate(fields, tmp_path):
    root = with_copy(fields, tmp_path, "copy.png", smear(7))
    save(root / "again.png", smear(7))
    (duplicate,) = found_in(root).exact
    assert len(duplicate.pictures) == 3
    assert duplicate.same_bytes


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rgb: pixels.as_jpeg(rgb, 50), id="stored as JPEG"),
        pytest.param(lambda rgb: pixels.scaled_to(rgb, 0.5), id="half the size"),
        pytest.param(lambda rgb: pixels.scaled_to(rgb, 1.7), id="larger"),
        pytest.param(lambda rgb: pixels.with_brightness(rgb, 0.8), id="darker"),
        pytest.param(lambda rgb: pixels.with_brightness(rgb, 1.1), id="brighter"),
        pytest.param(lambda rgb: in_another_hue(rgb, 25), id="other stain"),
        pytest.param(lambda rgb: pixels.blurred(rgb, 1.5), id="out of focus"),
        pytest.param(lambda rgb: np.roll(rgb, (20, -16), (0, 1)), id="moved"),
        *(
            pytest.param(
                lambda rgb, turns=turns, mirrored=mirrored: pixels.turned(rgb, turns, mirrored),
                id=f"turned {turns}, mirrored {mirrored}",
            )
            for turns in range(4)
            for mirrored in (False, True)
            if turns or mirrored
        ),
        pytest.param(
            lambda rgb: pixels.as_jpeg(pixels.scaled_to(pixels.turned(rgb, 1, True), 0.7), 70),
            id="mirrored, turned, smaller and stored as JPEG",
        ),
    ],
)
def test_a_changed_copy_is_a_near_duplicate(fields, tmp_path, change):
    root = with_copy(fields, tmp_path, "copy.png", np.ascontiguousarray(change(smear(7))))
    (duplicate,) = found_in(root).near
    assert {picture.path for picture in duplicate.pictures} == {"07.png", "copy.png"}


def test_the_turn_is_named(fields, tmp_path):
    root = with_copy(fields, tmp_path, "copy.png", pixels.turned(smear(7), 2, mirrored=False))
    assert found_in(root).near[0].turn == "turned by 180°"


def test_duplicates_across_splits_data_sets_and_classes_are_told_apart(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for place in ("train/a/0.png", "test/a/0.png"):
        save(one / place, smear(0))
    for place in ("train/a/1.png", "train/b/1.png"):
        save(one / place, smear(1))
    save(one / "train/b/2.png", smear(2))
    save(other / "3.png", smear(2))
    across = [
        (found.pictures[0].path, found.across_splits, found.across_data_sets, found.across_classes)
        for found in found_in(one, other).exact
    ]
    assert across == [
        ("test/a/0.png", True, False, False),
        ("train/b/2.png", False, True, False),
        ("train/a/1.png", False, False, True),
    ]
    assert [found.leaks for found in found_in(one, other).exact] == [True, True, False]


def test_a_near_duplicate_in_another_data_set_is_found(fields, tmp_path):
    save(tmp_path / "copy.jpg", pixels.scaled_to(smear(7), 0.8), quality=60)
    (duplicate,) = found_in(fields, tmp_path).near
    assert duplicate.across_data_sets


def test_duplicates_inside_of_the_other_data_set_are_its_own_affair(fields, tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name, smear(99))
    save(tmp_path / "c.jpg", smear(99))
    found = found_in(fields, tmp_path)
    assert (found.exact, found.near) == ((), ())


def test_even_pictures_are_no_near_duplicates(fields, tmp_path):
    root = with_copy(fields, tmp_path, "white.png", np.full((64, 64, 3), 255, np.uint8))
    save(root / "black.png", np.zeros((64, 64, 3), np.uint8))
    assert found_in(root).near == ()


# --- fields that overlap ------------------------------------------------------------------------


def two_fields_of_one_place(size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """They share half of what they show."""
    place = np.hstack([smear(300), smear(301)])
    step = size_px // 2
    return place[:size_px, 10 : 10 + size_px], place[:size_px, 10 + step : 10 + step + size_px]


def test_fields_that_share_a_part_are_overlaps_and_no_near_duplicates(fields, tmp_path):
    one, other = two_fields_of_one_place(160)
    root = with_copy(fields, tmp_path, "one.png", one)
    save(root / "other.png", other)
    found = found_in(root)
    (overlap,) = found.overlapping
    assert [picture.path for picture in overlap.pictures] == ["one.png", "other.png"]
    assert overlap.shared == pytest.approx(0.5, abs=0.05)
    assert (found.exact, found.near) == ((), ())


def test_fields_of_two_splits_that_share_a_part_leak(tmp_path):
    for place, rgb in zip(("train/0.png", "test/0.png"), two_fields_of_one_place(160), strict=True):
        save(tmp_path / "images" / place, rgb)
    for seed in range(6):
        save(tmp_path / "images" / "train" / f"{seed + 1}.png", smear(seed))
    (overlap,) = found_in(tmp_path).overlapping
    assert overlap.leaks


def test_pictures_of_two_classes_and_single_cells_are_not_laid_over_each_other(tmp_path):
    for place, rgb in zip(("a/0.png", "b/0.png"), two_fields_of_one_place(160), strict=True):
        save(tmp_path / "fields" / place, rgb)
    for place, rgb in zip(("a/0.png", "a/1.png"), two_fields_of_one_place(120), strict=True):
        save(tmp_path / "cells" / place, rgb)
    assert found_in(tmp_path / "fields").overlapping == ()
    assert found_in(tmp_path / "cells").overlapping == ()
