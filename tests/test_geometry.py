"""Boxes and tiles, against what can be counted pixel by pixel or pair by pair."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_leuk import geometry, pixels
from yolo_leuk.errors import DataError
from yolo_leuk.records import Detections

SIZE = 24

sizes_wh = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


@st.composite
def whole_boxes(draw, size: int = SIZE, most: int = 8, least: int = 0):
    """Boxes with whole corners inside a square picture, with area."""
    corner = st.integers(0, size)
    pair = st.tuples(corner, corner).filter(lambda ends: ends[0] != ends[1]).map(sorted)
    boxes = draw(st.lists(st.tuples(pair, pair), min_size=least, max_size=most))
    rows = [(x1, y1, x2, y2) for (x1, x2), (y1, y2) in boxes]
    return np.array(rows, np.float32).reshape(-1, 4)


@st.composite
def detections(draw, classes: int = 3):
    """Boxes with confidences of which no two are the same."""
    xyxy = draw(whole_boxes())
    order = draw(st.permutations(range(len(xyxy))))
    class_id = draw(st.lists(st.integers(0, classes - 1), min_size=len(xyxy), max_size=len(xyxy)))
    confidence = (np.array(order, np.float32) + 1) / (len(xyxy) + 1)
    return Detections(xyxy, confidence, np.array(class_id, np.int64))


def painted(box, size: int = SIZE):
    canvas = np.zeros((size, size), bool)
    x1, y1, x2, y2 = (int(v) for v in box)
    canvas[y1:y2, x1:x2] = True
    return canvas


def rows_of(found: Detections) -> set[tuple[float, ...]]:
    return {
        (*box, confidence, class_id)
        for box, confidence, class_id in zip(
            found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True
        )
    }


# --- formats -----------------------------------------------------------------------------------


@given(whole_boxes(size=1000), sizes_wh)
def test_corners_survive_the_way_to_yolo_boxes_and_back(xyxy, size_wh):
    there = geometry.cxcywhn_from_xyxy(xyxy, size_wh)
    np.testing.assert_allclose(geometry.xyxy_from_cxcywhn(there, size_wh), xyxy, atol=1e-3)


def test_a_yolo_box_is_centre_and_size_as_fractions_of_width_and_height():
    box = np.array([[0.5, 0.25, 0.2, 0.5]])
    assert geometry.xyxy_from_cxcywhn(box, (100, 40)).tolist() == [[40, 0, 60, 20]]


def test_no_boxes_stay_no_boxes_in_every_format():
    nothing = np.zeros((0, 4), np.float32)
    for boxes in (
        geometry.xyxy_from_cxcywhn(nothing, (10, 10)),
        geometry.cxcywhn_from_xyxy(nothing, (10, 10)),
        geometry.clip_xyxy(nothing, (10, 10)),
        geometry.turned_xyxy(nothing, (10, 10), 1, mirrored=True),
    ):
        assert boxes.shape == (0, 4)


@given(whole_boxes(size=60), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_a_clipped_box_holds_what_of_it_lies_in_the_image(xyxy, size_wh):
    clipped = geometry.clip_xyxy(xyxy - 15, size_wh)
    image = np.array([[0, 0, *size_wh]])
    np.testing.assert_allclose(
        geometry.area(clipped), geometry.intersection(xyxy - 15, image)[:, 0], atol=1e-4
    )


@given(whole_boxes(), st.integers(-4, 7), st.booleans())
def test_turned_boxes_lie_where_a_turned_picture_shows_them(xyxy, quarter_turns, mirrored):
    width, height = SIZE, SIZE + 7
    turned_boxes = geometry.turned_xyxy(xyxy, (width, height), quarter_turns, mirrored)
    for box, turned_box in zip(xyxy, turned_boxes, strict=True):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[painted(box, height)[:, :width]] = 255
        shown = pixels.turned(picture, quarter_turns, mirrored)[..., 0] > 0
        rows, columns = np.nonzero(shown)
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert turned_box.tolist() == expected


def test_turning_boxes_leaves_the_ones_that_were_given_as_they_were():
    given_boxes = np.array([[1, 2, 3, 5]], np.float32)
    geometry.turned_xyxy(given_boxes, (10, 20), 1, mirrored=True)
    assert given_boxes.tolist() == [[1, 2, 3, 5]]


# --- overlap -----------------------------------------------------------------------------------


@given(whole_boxes(), whole_boxes())
def test_overlaps_are_those_of_a_count_of_pixels(first, second):
    iou = geometry.iou(first, second)
    nested = geometry.intersection_over_smaller(first, second)
    assert iou.shape == nested.shape == (len(first), len(second))
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            a, b = painted(one), painted(other)
            shared = (a & b).sum()
            assert geometry.intersection(first, second)[i, j] == shared
            assert iou[i, j] == pytest.approx(shared / (a | b).sum())
            assert nested[i, j] == pytest.approx(shared / min(a.sum(), b.sum()))


def test_boxes_without_area_overlap_nothing_not_even_each_other():
    flat = np.array([[3, 3, 3, 9], [5, 5, 5, 5]], np.float32)
    assert geometry.iou(flat, flat).tolist() == [[0, 0], [0, 0]]
    assert geometry.intersection_over_smaller(flat, flat).tolist() == [[0, 0], [0, 0]]


# --- suppression -------------------------------------------------------------------------------


def suppressed_by_hand(found: Detections, overlap_of, threshold: float) -> set[tuple[float, ...]]:
    """One box after the other, from the most confident down, each against all that were kept."""
    kept: list[Detections] = []
    for row in sorted(range(len(found)), key=lambda i: -found.confidence[i]):
        one = found[[row]]
        if all(
            other.class_id != one.class_id or overlap_of(one.xyxy, other.xyxy)[0, 0] < threshold
            for other in kept
        ):
            kept.append(one)
    return rows_of(Detections.concatenate(kept))


@given(detections(), st.sampled_from([0.2, 0.5, 0.7]))
def test_suppression_keeps_what_a_walk_from_the_most_confident_box_keeps(found, threshold):
    kept = geometry.suppress_per_class(found, threshold)
    assert rows_of(kept) == suppressed_by_hand(found, geometry.iou, threshold)


@given(detections(), st.randoms(use_true_random=False))
def test_suppression_does_not_depend_on_the_order_of_the_boxes(found, random):
    order = list(range(len(found)))
    random.shuffle(order)
    shuffled = found[np.array(order, np.intp)]
    assert rows_of(geometry.suppress_per_class(shuffled, 0.5)) == rows_of(
        geometry.suppress_per_class(found, 0.5)
    )
    assert rows_of(geometry.merge_nested(shuffled)) == rows_of(geometry.merge_nested(found))


@given(detections(classes=1))
def test_merging_leaves_no_nested_pair_and_drops_nothing_without_a_reason(found):
    merged = geometry.merge_nested(found)
    overlap = geometry.intersection_over_smaller(merged.xyxy, merged.xyxy)
    assert (overlap[~np.eye(len(merged), dtype=bool)] < 0.6).all()
    assert rows_of(merged) == suppressed_by_hand(found, geometry.intersection_over_smaller, 0.6)


def test_a_nucleus_inside_its_cell_is_merged_into_the_more_confident_of_the_two():
    cell, nucleus, elsewhere = (0, 0, 20, 20), (4, 4, 12, 12), (30, 30, 50, 50)
    found = Detections(
        np.array([nucleus, cell, elsewhere], np.float32),
        np.array([0.4, 0.9, 0.3], np.float32),
        np.zeros(3, np.int64),
    )
    assert geometry.merge_nested(found).xyxy.tolist() == [[0, 0, 20, 20], [30, 30, 50, 50]]


def test_boxes_of_different_classes_do_not_suppress_each_other():
    found = Detections(
        np.array([[0, 0, 9, 9]] * 2, np.float32),
        np.array([0.9, 0.8], np.float32),
        np.array([0, 1], np.int64),
    )
    assert len(geometry.suppress_per_class(found, 0.5)) == 2


# --- tiles -------------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.integers(1, 1500), st.data())
def test_tiles_cover_everything_with_the_promised_overlap(length, tile, data):
    overlap = data.draw(st.integers(0, tile - 1))
    starts = geometry.tile_starts(length, tile, overlap)
    assert starts[0] == 0
    if length <= tile:
        assert starts == [0]
        return
    assert starts[-1] + tile == length
    for left, right in pairwise(starts):
        assert left < right
        assert left + tile - right >= overlap


@given(st.integers(1, 5000), st.integers(1, 1500), st.data())
def test_no_tile_could_be_spared(length, tile, data):
    overlap = data.draw(st.integers(0, tile - 1))
    count = len(geometry.tile_starts(length, tile, overlap))
    covered_by_one_less = tile + (count - 2) * (tile - overlap)
    assert count == 1 or covered_by_one_less < length


@given(st.integers(1, 5000), st.integers(1, 1500), st.data())
def test_the_cores_of_tiles_share_out_the_whole_length(length, tile, data):
    starts = geometry.tile_starts(length, tile, data.draw(st.integers(0, tile - 1)))
    cores = geometry.tile_cores(starts, tile, length)
    assert cores[0][0] == 0
    assert cores[-1][1] == length
    assert [end for _, end in cores[:-1]] == [begin for begin, _ in cores[1:]]
    for start, (begin, end) in zip(starts, cores, strict=True):
        assert start <= begin <= end <= start + max(tile, length)


@given(st.integers(2, 900), st.data())
def test_what_is_no_wider_than_the_overlap_lies_whole_in_the_tile_of_its_centre(tile, data):
    overlap = data.draw(st.integers(1, tile - 1))
    length = data.draw(st.integers(tile, 4000))
    centre = data.draw(st.floats(overlap / 2, length - overlap / 2))
    starts = geometry.tile_starts(length, tile, overlap)
    owners = [
        start
        for start, (begin, end) in zip(
            starts, geometry.tile_cores(starts, tile, length), strict=True
        )
        if begin <= centre <= end
    ]
    assert owners
    for start in owners:
        assert start <= centre - overlap / 2
        assert centre + overlap / 2 <= start + tile


@pytest.mark.parametrize("overlap", [-1, 64, 100])
def test_an_overlap_that_leaves_no_step_is_refused(overlap):
    with pytest.raises(DataError, match="overlap"):
        geometry.tile_starts(1000, 64, overlap)


@given(st.integers(0, 10_000), st.integers(1, 64))
def test_rounding_up_gives_the_next_multiple(value, multiple):
    rounded = geometry.round_up(value, multiple)
    assert rounded % multiple == 0
    assert 0 <= rounded - value < multiple
