"""Fields of painted squares, so that each box can be held against the colour under it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_leuk import geometry
from yolo_leuk.labels import FIELD
from yolo_leuk.train.appearance import Camera, Light, Stain
from yolo_leuk.train.fields import FieldComposer, FieldPicture, FieldRecipe

WHITE, RED = 0, 1
COLOURS = {WHITE: (30, 0, 250), RED: (250, 0, 30)}
PX_PER_RBC = 16.0
CELL_PX = 16

# Nothing that changes colours, and every box is kept however little of it is left.
PLAIN = FieldRecipe(
    size_px=160,
    px_per_rbc=(10.0, 24.0),
    single=0.0,
    colour_swap=0.0,
    stain=Stain(probability=0.0),
    light=Light(probability=0.0),
    camera=Camera(blur=0.0, noise=0.0, jpeg=0.0),
    crowd=0.0,
    specks=0.0,
    least_visible=1e-9,
)

RECOLOURED = {
    "stain": Stain(probability=0.9),
    "light": Light(probability=0.9),
    "camera": Camera(blur=0.9, noise=0.9, jpeg=0.9),
}

seeds = st.integers(0, 10**6)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Four pictures of two sources; picture i has i + 1 white squares and two red ones."""
    folder = tmp_path_factory.mktemp("pictures")
    return [_painted(folder, number) for number in range(4)]


def _painted(folder, number: int) -> FieldPicture:
    width, height = 120, 90
    rgb = np.full((height, width, 3), (90 + 30 * number, 230, 90 + 30 * number), np.uint8)
    corners = [(6, 6), (50, 20), (90, 10), (20, 50), (64, 64), (100, 60)]
    class_id = [RED, RED, *[WHITE] * (number + 1)]
    xyxy = np.array([(x, y, x + CELL_PX, y + CELL_PX) for x, y in corners], np.float32)
    for (x, y), colour in zip(corners, (COLOURS[c] for c in class_id), strict=False):
        rgb[y : y + CELL_PX, x : x + CELL_PX] = colour
    path = folder / f"{number}.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    return FieldPicture(
        path=path,
        source=f"source{number % 2}",
        xyxy=xyxy[: len(class_id)],
        class_id=np.array(class_id, np.int64),
        px_per_rbc=PX_PER_RBC,
    )


def composed(pictures, seed: int, **changes):
    recipe = dataclasses.replace(PLAIN, **changes)
    return FieldComposer(pictures, recipe, FIELD).training_field(np.random.default_rng(seed))


def near(rgb, colour) -> np.ndarray:
    return (np.abs(rgb.astype(int) - colour) < 60).all(axis=2)


def test_pictures_that_were_read_ahead_need_their_files_no_more(tmp_path):
    pictures = [_painted(tmp_path, number) for number in range(4)]
    composer = FieldComposer(pictures, PLAIN, FIELD)
    composer.read_ahead(threads=2)
    for picture in pictures:
        picture.path.unlink()
    assert len(composer.training_field(np.random.default_rng(0)).xyxy) > 0


@given(seed=seeds)
@settings(max_examples=40)
def test_a_box_holds_its_cell_and_no_cell_lies_outside_the_boxes(pictures, seed):
    field = composed(pictures, seed)
    uncovered = {c: near(field.rgb, colour) for c, colour in COLOURS.items()}
    for (x1, y1, x2, y2), class_id in zip(field.xyxy, field.class_id, strict=True):
        # Linear resampling blurs the rim of a square by a pixel or two.
        inner = field.rgb[round(y1 + 2) : round(y2 - 2), round(x1 + 2) : round(x2 - 2)]
        assert near(inner, COLOURS[class_id]).all()
        top, left = max(round(y1) - 1, 0), max(round(x1) - 1, 0)
        uncovered[class_id][top : round(y2) + 1, left : round(x2) + 1] = False
    assert not any(left_over.any() for left_over in uncovered.values())


@given(seed=seeds)
def test_boxes_lie_on_the_canvas_and_have_an_area(pictures, seed):
    field = composed(pictures, seed, crowd=0.5, colour_swap=0.5, **RECOLOURED)
    assert field.rgb.shape == (160, 160, 3)
    assert field.rgb.dtype == np.uint8
    assert (field.xyxy[:, :2] >= 0).all()
    assert (field.xyxy[:, 2:] <= 160).all()
    assert (geometry.area(field.xyxy) > 0).all()
    assert (field.xyxy.dtype, field.class_id.dtype) == (np.float32, np.int64)


def test_the_same_seed_makes_the_same_field_and_another_seed_another_one(pictures):
    everything = {"crowd": 0.9, "colour_swap": 0.9, **RECOLOURED}
    first, again, other = (composed(pictures, seed, **everything) for seed in (3, 3, 4))
    assert np.array_equal(first.rgb, again.rgb)
    assert np.array_equal(first.xyxy, again.xyxy)
    assert np.array_equal(first.class_id, again.class_id)
    assert not np.array_equal(first.rgb, other.rgb)


def test_training_leaves_the_pictures_as_they_were(pictures):
    before = [picture.path.read_bytes() for picture in pictures]
    boxes = [picture.xyxy.copy() for picture in pictures]
    for seed in range(5):
        composed(pictures, seed, crowd=1.0, light=Light(probability=1.0))
    assert [picture.path.read_bytes() for picture in pictures] == before
    assert all(np.array_equal(p.xyxy, b) for p, b in zip(pictures, boxes, strict=True))


def test_a_single_picture_lies_on_grey_at_a_scale_of_the_range(pictures):
    scales = []
    for seed in range(150):
        field = composed(pictures, seed, single=1.0, size_px=224, scale_jitter=0.1)
        sides = field.xyxy[:, 2:] - field.xyxy[:, :2]
        scales.append(float(sides.mean()) / CELL_PX * PX_PER_RBC)
        assert len(field.class_id) <= 6
        assert (field.rgb[-8:, -8:] == 114).all()
    assert min(scales) >= 10.0 * 0.9 - 0.5
    assert max(scales) <= 24.0 * 1.1 + 0.5
    assert min(scales) < 11.0
    assert max(scales) > 22.0


@given(seed=seeds)
def test_boxes_are_dropped_where_the_edge_leaves_too_little_of_them(pictures, seed):
    at_own_scale = {"px_per_rbc": (PX_PER_RBC, PX_PER_RBC), "scale_jitter": 0.0}
    loose = composed(pictures, seed, **at_own_scale)
    strict = composed(pictures, seed, **at_own_scale, least_visible=0.5)
    visible = geometry.area(loose.xyxy) / CELL_PX**2
    assert np.array_equal(strict.xyxy, loose.xyxy[visible >= 0.5])
    assert np.array_equal(strict.rgb, loose.rgb)


@given(seed=seeds)
@settings(max_examples=40)
def test_pasted_cells_are_white_boxed_and_cover_no_other_white_cell(pictures, seed):
    crowded = composed(pictures, seed, single=1.0, crowd=1.0, size_px=192)
    white = crowded.xyxy[crowded.class_id == WHITE]
    overlap = geometry.intersection_over_smaller(white, white)
    assert (overlap[~np.eye(len(white), dtype=bool)] <= 0.25 + 1e-6).all()
    for x, y in (white[:, :2] + white[:, 2:]) / 2:
        assert near(crowded.rgb[int(y) : int(y) + 1, int(x) : int(x) + 1], COLOURS[WHITE]).all()


def test_crowding_pastes_cells(pictures):
    counts = {
        crowd: sum(
            int((composed(pictures, seed, single=1.0, crowd=crowd).class_id == WHITE).sum())
            for seed in range(20)
        )
        for crowd in (0.0, 1.0)
    }
    assert counts[1.0] > counts[0.0] + 20


def test_pictures_that_are_not_to_be_turned_stay_as_they_are(pictures):
    recipe = {"single": 1.0, "px_per_rbc": (PX_PER_RBC, PX_PER_RBC), "scale_jitter": 0.0}
    boxes = [{tuple(box) for box in picture.xyxy} for picture in pictures]
    for seed in range(20):
        field = composed(pictures, seed, **recipe, turned=False)
        assert {tuple(box) for box in field.xyxy} in boxes


@given(seed=seeds)
def test_colour_changes_move_no_box(pictures, seed):
    recipe = {"single": 1.0, "px_per_rbc": (PX_PER_RBC, PX_PER_RBC), "scale_jitter": 0.0}
    field = composed(pictures, seed, **recipe, colour_swap=1.0, **RECOLOURED)
    assert np.allclose(field.xyxy, np.rint(field.xyxy))
    assert set(np.rint(geometry.area(field.xyxy))) == {CELL_PX**2}


def test_validation_fields_hold_every_picture_once_and_never_change(pictures):
    composer = FieldComposer(pictures, PLAIN, FIELD)
    fields = composer.validation_fields(PX_PER_RBC)
    assert sum(len(field.class_id) for field in fields) == sum(len(p.class_id) for p in pictures)
    for number in range(len(pictures)):
        glass = (90 + 30 * number, 230, 90 + 30 * number)
        painted = 120 * 90 - (number + 3) * CELL_PX**2
        assert sum(int((field.rgb == glass).all(axis=2).sum()) for field in fields) == painted
    again = composer.validation_fields(PX_PER_RBC)
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(fields, again, strict=True))
    assert all(np.array_equal(a.xyxy, b.xyxy) for a, b in zip(fields, again, strict=True))


def test_as_many_whole_pictures_share_a_validation_field_as_fit(pictures):
    composer = FieldComposer(pictures, dataclasses.replace(PLAIN, size_px=250), FIELD)
    assert len(composer.validation_fields(PX_PER_RBC)) == 1
    composer = FieldComposer(pictures, dataclasses.replace(PLAIN, size_px=128), FIELD)
    assert len(composer.validation_fields(PX_PER_RBC)) == len(pictures)


def test_a_validation_field_grows_to_hold_its_largest_picture_whole(pictures):
    composer = FieldComposer(pictures[:1], dataclasses.replace(PLAIN, size_px=64), FIELD)
    [field] = composer.validation_fields(PX_PER_RBC)
    whole = cv2.imread(str(pictures[0].path))[..., ::-1]
    assert field.rgb.shape == (128, 128, 3)
    assert np.array_equal(field.rgb[:90, :120], whole)
    assert len(field.class_id) == len(pictures[0].class_id)


def test_a_small_source_is_drawn_more_often_than_its_share(pictures):
    many = [dataclasses.replace(pictures[0], source="many")] * 16
    few = [dataclasses.replace(pictures[1], source="few")]
    greens = [
        (
            composed([*many, *few], seed, single=1.0, source_power=0.5).rgb[2, 2] == (120, 230, 120)
        ).all()
        for seed in range(200)
    ]
    # Its share is 1 of 17, the root of it 1 of 5.
    assert 0.12 < np.mean(greens) < 0.28


def test_cells_that_hide_a_box_together_remove_it(pictures):
    """A red square wide enough that no pasted cell hides six tenths of it alone."""
    wide = dataclasses.replace(
        pictures[0],
        xyxy=np.array([[0, 0, 40, 40], pictures[0].xyxy[2]], np.float32),
        class_id=np.array([RED, WHITE], np.int64),
    )
    own_scale = {"px_per_rbc": (PX_PER_RBC, PX_PER_RBC), "scale_jitter": 0.0, "single": 1.0}
    kept = [
        (composed([wide], seed, **own_scale, crowd=1.0, crowd_cells=60).class_id == RED).any()
        for seed in range(40)
    ]
    assert 0 < sum(kept) < 40


def test_specks_mark_red_cells_and_no_white_ones(pictures):
    own_scale = {"px_per_rbc": (PX_PER_RBC, PX_PER_RBC), "scale_jitter": 0.0, "single": 1.0}
    marked = {WHITE: 0, RED: 0}
    for seed in range(20):
        field = composed(pictures, seed, **own_scale, specks=1.0)
        assert np.allclose(field.xyxy, np.rint(field.xyxy))
        for (x1, y1, x2, y2), class_id in zip(field.xyxy.astype(int), field.class_id, strict=True):
            marked[int(class_id)] += not near(field.rgb[y1:y2, x1:x2], COLOURS[class_id]).all()
    assert marked[WHITE] == 0
    assert marked[RED] > 5


def test_pictures_without_boxes_make_fields_without_boxes(pictures):
    empty = dataclasses.replace(
        pictures[0], xyxy=np.zeros((0, 4), np.float32), class_id=np.zeros(0, np.int64)
    )
    field = composed([empty], 0, crowd=1.0)
    assert field.xyxy.shape == (0, 4)
    assert field.class_id.shape == (0,)
