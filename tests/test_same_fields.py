"""Pictures that show the same field are found, and no two splits keep one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_source_images import facts_of, image_of, look
from yolo_leuk import images, pixels
from yolo_leuk.prepare.facts import PictureFacts
from yolo_leuk.prepare.split.looks import Look, look_of
from yolo_leuk.prepare.split.same_fields import same_fields, torn_fields
from yolo_leuk.prepare.split.splits import Placement

OTHERS = 12


def moved(one: Look) -> Look:
    """The look of the same field after the stage was moved by an eighth of it."""
    return Look(one.colours, np.roll(one.thumbnail, 8, axis=1))


def pictures(source: str = "set"):
    """A field that was photographed twice, in rows 0 and 1, among other fields."""
    field = look(100.0, 1)
    seen = [field, moved(field), *(look(100.0, 50 + number) for number in range(OTHERS))]
    images = [image_of(f"{number}", source) for number in range(len(seen))]
    return images, [facts_of(f"{source}{n}", one) for n, one in enumerate(seen)]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_field_that_was_moved_a_little_is_found_again(workers):
    assert same_fields(*pictures(), workers=workers) == [(0, 1)]


def test_of_byte_identical_pictures_the_first_is_compared():
    images, facts = pictures()
    assert same_fields([*images, image_of("again")], [*facts, facts[1]]) == [(0, 1)]


def test_the_same_field_in_two_data_sets_is_no_pair():
    images, facts = pictures()
    images[1] = image_of("1", "other")
    assert same_fields(images, facts) == []


def test_pictures_of_known_subjects_are_not_compared():
    images, facts = pictures()
    assert same_fields(images, [PictureFacts(fact.sha256, None) for fact in facts]) == []


def test_rows_of_several_data_sets_are_told_apart():
    images, facts = pictures("one")
    more, more_facts = pictures("other")
    found = same_fields([*images, *more], [*facts, *more_facts])
    assert found == [(0, 1), (len(images), len(images) + 1)]


TRAIN, OTHER_FOLD = Placement("train", 1), Placement("train", 2)
VAL, TEST = Placement("val", 0), Placement("test", -1)


@pytest.mark.parametrize(
    ("places", "torn"),
    [
        ((TRAIN, TEST), {0: 1}),
        ((TEST, TRAIN), {1: 0}),
        ((VAL, TEST), {0: 1}),
        ((VAL, TRAIN), {1: 0}),
        ((TEST, TEST), {}),
        ((TRAIN, TRAIN), {}),
        ((TRAIN, OTHER_FOLD), {0: 1}),
    ],
)
def test_the_later_of_two_splits_keeps_a_field(places, torn):
    assert torn_fields([(0, 1)], dict(enumerate(places))) == torn


@given(
    st.lists(st.sampled_from([TRAIN, OTHER_FOLD, VAL, TEST]), min_size=2, max_size=9),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12),
)
def test_what_is_left_shares_no_field_between_two_folds_and_test_stays_whole(places, pairs):
    pairs = [pair for pair in pairs if pair[0] != pair[1] and max(pair) < len(places)]
    torn = torn_fields(pairs, dict(enumerate(places)))
    assert all(places[row] != TEST for row in torn)
    left = [pair for pair in pairs if not set(pair) & torn.keys()]
    assert all(places[one] == places[other] for one, other in left)


def test_a_real_picture_is_found_again_darker_and_in_another_file(real_data):
    files = sorted((real_data / "all4" / "Original" / "Early").glob("*.jpg"))[:24]
    seen = [pixels.without_scale_bar(images.read_image(file)) for file in files]
    again = pixels.as_jpeg(pixels.with_brightness(seen[7], 0.7), 60)
    shifted = np.roll(seen[9], 30, axis=1)
    turned = cv2.rotate(seen[11], cv2.ROTATE_90_CLOCKWISE)
    facts = [
        facts_of(str(number), look_of(np.ascontiguousarray(rgb), 20.0))
        for number, rgb in enumerate([*seen, again, shifted, turned])
    ]
    found = set(same_fields([image_of(str(n)) for n in range(len(facts))], facts))
    assert {(7, 24), (9, 25), (11, 26)} <= found
