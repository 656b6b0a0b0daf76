"""Fields composed of single cells: which cells, where, and what their edges look like."""

from __future__ import annotations

import dataclasses
from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_fields import without_boxes
from tests.test_picture_steps import cell_on_black
from yolo_leuk import geometry, images, pixels
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.prepare.extra.compose import (
    ComposeOptions,
    FieldPlan,
    _Layer,
    check_compose,
    compose_field,
    plan_fields,
)
from yolo_leuk.prepare.extra.cut_out import CutOut, cut_out
from yolo_leuk.prepare.extra.drawn_background import draw_background, uneven_light
from yolo_leuk.prepare.pictures.picture import Picture

SMALL = ComposeOptions(size_px=256, px_per_rbc=24.0, cells=(2, 5))


def cell(width: int = 100, height: int = 90, seed: int = 0) -> Picture:
    box = (30, 40, 30 + width, 40 + height)
    return without_boxes(cell_on_black((220, 200), box, seed), 60.0)


def cells(count: int) -> list[Picture]:
    return [cell(80 + 7 * i, 95 - 4 * i, seed=i) for i in range(count)]


def plan(count: int, name: str = "g-field0000") -> FieldPlan:
    return FieldPlan(name, "g", tuple(range(count)))


def composed(count: int = 4, options=SMALL, name="g-field0000", seed: int = 0) -> Picture:
    return compose_field(cells(count), ["white"] * count, plan(count, name), options, seed)


# --- which cells -------------------------------------------------------------------------------

groups_of_cells = st.lists(st.sampled_from(["a", "b", "c", "d+e"]), max_size=60)


@given(groups_of_cells, st.integers(1, 4), st.integers(0, 5), st.integers(1, 3), st.integers(0, 99))
def test_every_cell_is_used_as_often_as_stated_and_with_its_group_only(
    groups, fewest, more, uses, seed
):
    options = dataclasses.replace(SMALL, cells=(fewest, fewest + more), uses=uses)
    plans = plan_fields(groups, options, seed)
    used = Counter(position for p in plans for position in p.cells)
    assert used == dict.fromkeys(range(len(groups)), uses)
    for p in plans:
        assert {groups[position] for position in p.cells} == {p.group}
        assert len(set(p.cells)) == len(p.cells) <= fewest + more
    assert len({p.name for p in plans}) == len(plans)


@given(st.integers(1, 200), st.integers(0, 99))
def test_fields_have_as_many_cells_as_stated_where_a_group_has_them(count, seed):
    options = dataclasses.replace(SMALL, cells=(3, 8))
    sizes = [len(p.cells) for p in plan_fields(["a"] * count, options, seed)]
    assert sum(sizes) == count
    if count >= 3:
        assert min(sizes) >= 3
        assert max(sizes) <= 8


def test_one_more_group_does_not_change_the_fields_of_the_others():
    groups = ["a"] * 9 + ["b"] * 7
    plans = plan_fields(groups, SMALL, 3)
    assert plan_fields([*groups, "c", "c"], SMALL, 3)[: len(plans)] == plans


def test_another_seed_mixes_cells_otherwise():
    groups = ["a"] * 20
    assert plan_fields(groups, SMALL, 1) == plan_fields(groups, SMALL, 1)
    assert plan_fields(groups, SMALL, 1) != plan_fields(groups, SMALL, 2)


# --- the field ---------------------------------------------------------------------------------


def test_the_same_plan_and_seed_give_the_same_field():
    one, other = composed(), composed()
    np.testing.assert_array_equal(one.rgb, other.rgb)
    np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_another_name_or_seed_gives_another_field():
    field = composed()
    for other in (composed(name="g-field0001"), composed(seed=1)):
        assert not np.array_equal(field.rgb, other.rgb)
        assert not np.array_equal(field.xyxy, other.xyxy)


def test_the_number_of_threads_changes_no_pixel():
    before = cv2.getNumThreads()
    fields = []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            fields.append(composed().rgb)
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*fields)


def test_a_field_says_what_it_is():
    field = composed(4)
    assert field.size_wh == (256, 256)
    assert field.px_per_rbc == 24.0
    assert field.labels == ("white",) * 4
    assert field.steps == ("compose: 4 of 4 cells on a drawn background",)


def test_labels_stay_with_their_cells():
    small, large = cell(40, 40), cell(140, 120)
    field = compose_field([small, large], ["hem", "all"], plan(2), SMALL, 0)
    areas = dict(zip(field.labels, geometry.area(field.xyxy), strict=True))
    assert areas["all"] > 5 * areas["hem"]


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_boxes_are_those_of_the_pasted_cells(seed):
    options = dataclasses.replace(SMALL, overlap=0.0)
    field = composed(3, options, seed=seed)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(field.mask, connectivity=4)
    found = sorted([x, y, x + w, y + h] for x, y, w, h, _ in stats[1:].tolist())
    if count == 4:  # cells that only touch are one part
        assert found == sorted(field.xyxy.astype(int).tolist())
    assert set(np.unique(parts)) == set(range(count))


def disc(radius: int) -> CutOut:
    side = 2 * radius + 5
    cover = np.zeros((side, side), np.float32)
    cv2.circle(cover, (side // 2, side // 2), radius, 1.0, cv2.FILLED)
    return CutOut(np.zeros((side, side, 3), np.float32), cover, "")


@given(
    st.lists(st.integers(5, 16), min_size=1, max_size=8),
    st.sampled_from([0.0, 0.1, 0.4]),
    st.integers(0, 1000),
)
def test_no_cell_lies_under_others_by_more_than_stated(radii, overlap, seed):
    options = dataclasses.replace(SMALL, size_px=90, overlap=overlap)
    layer = _Layer(options)
    generator = np.random.default_rng(seed)
    for radius in radii:
        layer.place(disc(radius), generator)
    on_top = np.full((90, 90), -1)
    for number, (cell_, x, y) in enumerate(layer.placed):
        on_top[y : y + cell_.side, x : x + cell_.side][cell_.shown] = number
    for number, (cell_, _, _) in enumerate(layer.placed):
        assert (on_top == number).sum() >= (1 - overlap) * cell_.shown.sum()
    np.testing.assert_array_equal(layer.taken, on_top >= 0)
    assert layer.placed


def test_a_cell_without_a_place_is_left_out_and_not_counted():
    options = dataclasses.replace(SMALL, size_px=48, overlap=0.0)
    field = composed(5, options)
    placed = len(field.labels)
    assert 1 <= placed < 5
    assert field.steps == (f"compose: {placed} of 5 cells on a drawn background",)
    larger_than_the_field = compose_field(
        [cell(200, 160)], ["all"], plan(1), dataclasses.replace(SMALL, size_px=40), 0
    )
    assert larger_than_the_field.labels == ()
    assert larger_than_the_field.xyxy.shape == (0, 4)


def test_cells_are_pasted_at_the_scale_of_the_field():
    field = compose_field([cell(100, 100)], ["white"], plan(1), SMALL, 0)
    x1, y1, x2, y2 = field.xyxy[0]
    # 100 px at 60 px per red cell are 40 at 24; the rim that is mixed with black is gone.
    assert 37 <= x2 - x1 <= 41
    assert 37 <= y2 - y1 <= 41


def test_glass_and_red_cells_are_as_stated():
    empty = dataclasses.replace(SMALL, red_cells=0.0, glass_rgb=(200, 150, 100))
    bare, full = composed(1, empty), composed(1, dataclasses.replace(empty, red_cells=45.0))
    glass = bare.rgb[bare.mask == 0].mean(axis=0)
    np.testing.assert_allclose(glass, (200, 150, 100), rtol=0.1)
    darker = (full.rgb.astype(int).sum(axis=2) < 0.93 * glass.sum()) & (full.mask == 0)
    # 45 discs of one red-cell width cover 35 % of a square of ten by ten, less what overlaps.
    assert 0.15 < darker.mean() < 0.4


def test_the_background_knows_nothing_of_the_class():
    one, other = (
        compose_field(cells(2), [label] * 2, plan(2), SMALL, 0).rgb for label in ("all", "hem")
    )
    np.testing.assert_array_equal(one, other)


def test_red_cells_keep_off_the_pasted_cells():
    taken = np.zeros((200, 200), bool)
    taken[60:140, 60:140] = True
    rng = np.random.default_rng(0)
    background = draw_background(taken, (200, 200, 200), 20.0, 300, rng)
    assert background[75:125, 75:125].min() > 190
    assert background.min() < 180


def test_light_falls_off_gently():
    light = uneven_light((200, 300), np.random.default_rng(0))
    assert light.shape == (200, 300)
    assert 0.85 < light.min() < light.max() < 1.05
    assert light.argmax() // 300 in range(60, 140)


# --- cut out -----------------------------------------------------------------------------------


def test_the_largest_part_of_a_picture_is_the_cell():
    rgb = cell().rgb.copy()
    clean = cut_out(without_boxes(rgb, 60.0), "", 60.0, 0, mirrored=False)
    rgb[5:12, 180:195] = 130
    dirty = cut_out(without_boxes(rgb, 60.0), "", 60.0, 0, mirrored=False)
    np.testing.assert_array_equal(dirty.cover, clean.cover)


@pytest.mark.parametrize("px_per_rbc", [24.0, 40.0, 60.0, 75.0])
def test_no_black_is_left_around_a_cell(px_per_rbc):
    glass, violet = np.array([200, 190, 195]), np.array([150, 110, 170])
    rgb = np.zeros((220, 220, 3), np.uint8)
    cv2.circle(rgb, (110, 110), 70, violet.tolist(), cv2.FILLED)
    rgb = pixels.blurred(rgb, 0.5)  # the outline is mixed with black, as real ones are
    found = cut_out(without_boxes(rgb, 60.0), "", px_per_rbc, 0, mirrored=False)
    cover = found.cover[..., None]
    pasted = cover * found.rgb + (1 - cover) * glass
    assert found.cover.max() > 0.99
    assert (pasted > 0.94 * violet).all()


def test_a_mask_says_what_the_cell_is_where_there_is_one():
    rgb = cell(100, 100).rgb
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[50:100, 40:80] = 255
    found = cut_out(without_boxes(rgb, 60.0, mask), "", 60.0, 0, mirrored=False)
    rows, columns = (np.flatnonzero(found.shown.any(axis=a)) for a in (1, 0))
    assert abs(len(rows) - 50) <= 3
    assert abs(len(columns) - 40) <= 3


def test_nothing_but_black_is_refused():
    with pytest.raises(DataError, match="nothing but black"):
        cut_out(without_boxes(np.zeros((50, 50, 3), np.uint8), 60.0), "", 60.0, 0, mirrored=False)


def test_a_cut_out_cell_is_turned_as_asked():
    picture = without_boxes(cell_on_black((220, 200), (30, 40, 150, 100)), 60.0)
    upright, lying = (cut_out(picture, "", 60.0, turns, mirrored=False) for turns in (1, 0))
    np.testing.assert_allclose(upright.cover, np.rot90(lying.cover), atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_px": 8},
        {"px_per_rbc": 0.0},
        {"cells": (0, 4)},
        {"cells": (5, 4)},
        {"red_cells": -1.0},
        {"overlap": 1.0},
        {"overlap": -0.1},
        {"uses": 0},
        {"glass_rgb": (0, 10, 300)},
    ],
)
def test_options_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=f"expected {next(iter(wrong))}"):
        check_compose(dataclasses.replace(ComposeOptions(), **wrong))


# --- real cells --------------------------------------------------------------------------------


def test_real_cells_make_fields_without_a_black_fringe(real_data):
    files = sorted((real_data / "cnmc" / "training_data").glob("fold_1/*/*"))[::90]
    pictures = [without_boxes(images.read_image(file), 140.0) for file in files]
    options = ComposeOptions()
    for start in range(0, len(pictures) - 5, 5):
        some = pictures[start : start + 5]
        name = f"real-{start}"
        field = compose_field(some, ["white"] * 5, plan(5, name), options, 0)
        assert len(field.labels) == 5
        sides = field.xyxy[:, 2:] - field.xyxy[:, :2]
        assert (sides > 0.7 * options.px_per_rbc).all()
        assert (sides < 3 * options.px_per_rbc).all()
        edge = cv2.morphologyEx(field.mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        inside = cv2.erode(field.mask, np.ones((9, 9), np.uint8)) > 0
        brightness = field.rgb.max(axis=2).astype(float)
        assert np.percentile(brightness[edge], 1) > 0.8 * np.percentile(brightness[inside], 5)
