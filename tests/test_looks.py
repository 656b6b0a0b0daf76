"""Pictures that look like one slide stay together."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.made_source_images import look
from yolo_leuk import images, pixels
from yolo_leuk.prepare.split import looks as looks_module
from yolo_leuk.prepare.split.looks import (
    group_by_look,
    join_nearest,
    look_of,
    pieces_of,
)
from yolo_leuk.thumbnail import correlation, detail_of

PX = 20.0


def field_of(seed: int, glass=(238, 232, 236), violet=(104, 66, 150), red=(206, 160, 168)):
    """A field of cells at random places, in the colours of one slide."""
    rng = np.random.default_rng(seed)
    rgb = np.full((112, 112, 3), glass, np.uint8)
    for colour, radius in ((red, 10), (red, 10), (red, 10), (violet, 13), (violet, 13)):
        x, y = rng.integers(0, 112, 2)
        cv2.circle(rgb, (int(x), int(y)), radius, colour, cv2.FILLED)
    return pixels.with_noise(rgb, 3.0, rng)


def cells_in_rows():
    """Red cells and one nucleus, none of which touches another."""
    rgb = np.full((112, 112, 3), (238, 232, 236), np.uint8)
    for x in range(12, 112, 22):
        for y in range(12, 80, 22):
            cv2.circle(rgb, (x, y), 10, (176, 120, 136), cv2.FILLED)
    cv2.circle(rgb, (60, 95), 11, (104, 66, 150), cv2.FILLED)
    return rgb


def test_pictures_of_two_slides_make_two_groups():
    pale = [look_of(field_of(seed), PX) for seed in range(6)]
    dark = [
        look_of(field_of(seed, (210, 214, 240), (70, 50, 140), (150, 120, 170)), PX)
        for seed in range(10, 16)
    ]
    numbers = [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12]
    groups = group_by_look([*pale, *dark], numbers, 2, np.arange(12))
    assert groups.tolist() == [0] * 6 + [1] * 6


def test_a_look_tells_glass_nuclei_and_red_cells_apart():
    parts = look_of(cells_in_rows(), PX).colours.reshape(3, 3)
    for part, colour in zip(parts, [(238, 232, 236), (104, 66, 150), (176, 120, 136)], strict=True):
        lab = cv2.cvtColor(np.array([[colour]], np.uint8), cv2.COLOR_RGB2LAB)[0, 0]
        assert np.abs(part - lab).max() <= 3


def test_a_blank_picture_has_a_look_too():
    blank = look_of(np.full((64, 64, 3), 200, np.uint8), PX)
    assert np.isfinite(blank.colours).all()
    assert np.ptp(blank.thumbnail) == 0


def test_of_pictures_alike_those_with_near_numbers_go_together():
    looks = [look(100.0, seed) for seed in range(8)]
    groups = group_by_look(looks, [1, 2, 3, 4, 101, 102, 103, 104], 2, np.arange(8))
    assert groups.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_one_piece_is_together_whatever_its_numbers_and_colours():
    looks = [look(100.0 + 9 * seed, seed) for seed in range(8)]
    groups = group_by_look(looks, [1, 2, 3, 4, 5, 6, 7, 900], 7, pieces_of([(2, 7)], 8))
    assert groups[2] == groups[7]


def test_a_chain_of_pairs_is_one_piece():
    assert pieces_of([(4, 3), (3, 1)], 6).tolist() == [0, 1, 2, 1, 1, 3]
    assert pieces_of([], 3).tolist() == [0, 1, 2]


def test_pictures_without_numbers_are_grouped_by_colour():
    looks = [look(100.0 + seed % 2, seed) for seed in range(4)]
    looks += [look(180.0 + seed % 2, seed) for seed in range(4, 8)]
    assert group_by_look(looks, [None] * 8, 2, np.arange(8)).tolist() == [0] * 4 + [1] * 4


@given(
    st.lists(st.integers(0, 255), min_size=1, max_size=12),
    st.integers(1, 8),
    st.integers(0, 1000),
)
def test_there_are_no_more_groups_than_asked_for_and_they_are_numbered_in_order(
    colours, most, seed
):
    looks = [look(float(c), seed + i) for i, c in enumerate(colours)]
    groups = group_by_look(looks, list(range(len(looks))), most, np.arange(len(looks)))
    assert len(groups) == len(looks)
    assert len(set(groups.tolist())) <= most
    first = [groups.tolist().index(g) for g in range(int(groups.max()) + 1)]
    assert first == sorted(first)


def test_one_picture_more_than_groups_makes_two_share_one():
    looks = [look(100.0, 1), look(180.0, 2), look(104.0, 3)]
    assert group_by_look(looks, [None] * 3, 2, np.arange(3)).tolist() == [0, 1, 0]
    assert group_by_look(looks, [None] * 3, 3, np.arange(3)).tolist() == [0, 1, 2]


def test_a_picture_is_measured_the_same_every_time():
    first, second = look_of(field_of(4), PX), look_of(field_of(4), PX)
    np.testing.assert_array_equal(first.colours, second.colours)
    np.testing.assert_array_equal(first.thumbnail, second.thumbnail)


@given(hnp.arrays(np.uint8, st.integers(1, 40)))
def test_a_colour_is_the_median_of_its_part(values):
    assert looks_module._median(np.bincount(values, minlength=256)) == np.median(values)


def test_a_sharper_picture_of_a_field_has_nearly_the_same_look():
    """Large pictures are measured at the size of small ones, and so in a fraction of the time."""
    image = cells_in_rows()
    # Glass that a ring of nuclei encloses is glass at any size.
    cv2.circle(image, (40, 40), 18, (104, 66, 150), cv2.FILLED)
    cv2.circle(image, (40, 40), 13, (238, 232, 236), cv2.FILLED)
    large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    one, other = look_of(image, PX), look_of(large, 4 * PX)
    assert np.abs(one.colours - other.colours).max() <= 2
    assert correlation(detail_of(one.thumbnail), detail_of(other.thumbnail)) > 0.9


def test_pictures_given_as_one_piece_stay_together_however_they_look():
    looks = [look(100.0, seed) for seed in range(4)] + [look(200.0, seed) for seed in range(4, 8)]
    groups = group_by_look(looks, [None] * 8, 2, np.array([0, 1, 2, 3, 4, 5, 6, 3]))
    assert groups[3] == groups[7]


def test_of_very_many_pictures_neighbours_are_put_together_before_they_are_linked(monkeypatch):
    monkeypatch.setattr(looks_module, "_MOST_LINKED", 16)
    numbers = list(range(40)) + list(range(400, 440))
    looks = [look(100.0 + 50 * (n >= 400), n) for n in numbers]
    assert group_by_look(looks, numbers, 2, np.arange(80)).tolist() == [0] * 40 + [1] * 40
    assert 6 < len(set(group_by_look(looks, numbers, 12, np.arange(80)).tolist())) <= 12


# --- pictures that join groups ------------------------------------------------------------------


def test_a_new_picture_joins_the_group_nearest_in_colour():
    looks = [look(100.0, 1), look(104.0, 2), look(180.0, 3), look(176.0, 4)]
    assert join_nearest(looks, [None] * 4, ["pale", None, "dark", None], np.arange(4)) == [
        "pale",
        "pale",
        "dark",
        "dark",
    ]


def test_a_new_picture_joins_the_group_nearest_in_number_where_colours_are_alike():
    looks = [look(100.0, seed) for seed in range(3)]
    joined = join_nearest(looks, [10, 500, 503], ["first", "last", None], np.arange(3))
    assert joined == ["first", "last", "last"]


def test_a_near_duplicate_goes_along_with_its_twin_and_not_with_the_nearest_group():
    looks = [look(100.0, 1), look(180.0, 2), look(180.0, 3)]
    joined = join_nearest(looks, [None] * 3, ["pale", "dark", None], np.array([0, 1, 0]))
    assert joined == ["pale", "dark", "pale"]


def test_pictures_that_have_a_group_keep_it_even_if_one_piece_has_several():
    looks = [look(100.0, 1), look(100.0, 2), look(180.0, 3)]
    joined = join_nearest(looks, [None] * 3, ["a", "b", None], np.array([0, 0, 0]))
    assert joined == ["a", "b", "a"]


# --- real pictures ------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["Benign", "Early", "Pre", "Pro"])
def test_file_numbers_of_real_pictures_say_something_of_their_slides(real_data, label):
    """The nearest neighbour in colour has a number nearby much oftener than by chance."""
    files = sorted((real_data / "all4" / "Original" / label).glob("*.jpg"))[:120]
    looks = [look_of(pixels.without_scale_bar(images.read_image(f)), PX) for f in files]
    colours = np.array([one.colours for one in looks])
    colours /= np.maximum(colours.std(axis=0), 1.0)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    place = np.arange(len(files))
    found = (np.abs(place - apart.argmin(axis=1)) <= 3).mean()
    by_chance = 6 / (len(files) - 1)
    assert found > 3 * by_chance
