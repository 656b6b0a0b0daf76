"""A detector on fields of any size, with a net that sees coloured squares."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, BoxesNet, SquaresNet
from yolo_leuk.errors import CardError
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.pixels import PAD_VALUE

WHITE, RED, PLATELET = range(3)
LARGEST = 30  # three red-cell widths at the detector's scale
CELL = 32  # of the grid that squares lie in, each somewhere in a place of its own


def field_of(width: int, height: int, squares) -> np.ndarray:
    """A grey field with squares (x, y, side, class id); each has a colour of its own."""
    rgb = np.full((height, width, 3), PAD_VALUE, np.uint8)
    for number, (x, y, side, class_id) in enumerate(squares):
        rgb[y : y + side, x : x + side] = class_id, number, 95 - number % 60
    return rgb


def found_by(net, rgb, px_per_rbc: float = 10.0) -> set[tuple[float, ...]]:
    found = FieldDetector(net).detect(rgb, px_per_rbc)
    return {
        (*box, class_id)
        for box, class_id in zip(found.xyxy.tolist(), found.class_id.tolist(), strict=True)
    }


def boxes_of(squares) -> set[tuple[float, ...]]:
    return {(x, y, x + side, y + side, class_id) for x, y, side, class_id in squares}


@st.composite
def fields(draw):
    """A size, and squares up to the largest that nowhere lie on each other; some touch."""
    columns, rows = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    width, height = columns * CELL + draw(st.integers(0, 9)), rows * CELL + draw(st.integers(0, 9))
    places = draw(st.sets(st.tuples(st.integers(0, columns - 1), st.integers(0, rows - 1))))
    squares = []
    for column, row in sorted(places):
        side = draw(st.integers(6, LARGEST))
        x, y = draw(st.integers(0, CELL - side)), draw(st.integers(0, CELL - side))
        squares.append((column * CELL + x, row * CELL + y, side, draw(st.integers(0, 2))))
    return width, height, squares


@given(fields())
def test_every_cell_is_found_once_and_whole_wherever_the_seams_run(case):
    width, height, squares = case
    rgb = field_of(width, height, squares)
    assert found_by(SquaresNet(), rgb) == boxes_of(squares)


@pytest.mark.parametrize("x", range(60, 150, 2))
def test_a_cell_on_a_seam_is_found_once(x):
    squares = [(x, 40, LARGEST, WHITE)]
    assert found_by(SquaresNet(), field_of(240, 100, squares)) == boxes_of(squares)


@pytest.mark.parametrize("x", range(60, 150, 2))
def test_two_tiles_that_see_a_cell_a_little_apart_do_not_leave_it_to_each_other(x):
    net = SquaresNet(outward_px=2.5)
    assert len(found_by(net, field_of(240, 100, [(x, 40, LARGEST, WHITE)]))) == 1


def test_touching_cells_are_not_lost():
    squares = [(x, y, 20, WHITE) for x in range(60, 180, 20) for y in (40, 60)]
    assert found_by(SquaresNet(), field_of(240, 120, squares)) == boxes_of(squares)


@given(fields(), st.integers(0, 5))
def test_the_order_of_a_nets_boxes_changes_nothing(case, seed):
    rgb = field_of(*case)
    assert found_by(SquaresNet(shuffle=seed), rgb) == found_by(SquaresNet(), rgb)


def test_the_most_confident_cell_comes_first():
    squares = [(x, 8, 12, x // 20 % 3) for x in range(0, 300, 20)]
    found = FieldDetector(SquaresNet(shuffle=1)).detect(field_of(310, 40, squares), 10.0)
    assert len(found) == len(squares)
    assert (np.diff(found.confidence) < 0).all()


def test_a_small_image_is_padded_with_grey_to_whole_strides():
    net = SquaresNet()
    squares = [(2, 1, 10, RED)]
    assert found_by(net, field_of(20, 14, squares)) == boxes_of(squares)
    (batch,) = net.batches
    assert batch.shape == (1, 32, 32, 3)
    assert (batch[0, 14:] == PAD_VALUE).all()
    assert (batch[0, :, 20:] == PAD_VALUE).all()


def test_tiles_are_no_larger_than_the_nets_input_and_all_of_one_size():
    net = SquaresNet()
    FieldDetector(net).detect(field_of(500, 60, []), 10.0)
    assert {batch.shape[1:] for batch in net.batches} == {(64, 128, 3)}
    assert sum(len(batch) for batch in net.batches) == 6


def test_boxes_come_back_in_pixels_of_the_image_that_was_given():
    squares = [(40, 20, 24, WHITE), (200, 120, 40, RED)]
    rgb = field_of(300, 200, squares)
    assert found_by(SquaresNet(), rgb, px_per_rbc=20.0) == boxes_of(squares)


def test_boxes_end_at_the_edge_of_the_image():
    net = BoxesNet([(-9, -9, 10, 10, 0.9, WHITE), (50, 20, 66, 50, 0.9, RED)])
    assert found_by(net, field_of(60, 40, [])) == {(0, 0, 10, 10, WHITE), (50, 20, 60, 40, RED)}


def test_among_white_cells_no_pair_is_nested_but_a_platelet_may_lie_on_a_red_cell():
    cell, nucleus = (10, 10, 40, 40), (18, 18, 32, 32)
    net = BoxesNet(
        [
            (*cell, 0.8, WHITE),
            (*nucleus, 0.6, WHITE),
            (50, 50, 62, 62, 0.9, RED),
            (54, 54, 58, 58, 0.5, PLATELET),
        ]
    )
    found = FieldDetector(net).detect(field_of(96, 96, []), 10.0)
    assert found.class_id.tolist() == [RED, WHITE, PLATELET]
    assert found.xyxy[1].tolist() == list(cell)


def test_each_class_has_a_least_confidence_of_its_own():
    thresholds = {**DETECTOR_CARD.thresholds, "confidence_white": 0.7, "confidence_red": 0.2}
    net = BoxesNet(
        [(0, 0, 9, 9, 0.69, WHITE), (20, 0, 29, 9, 0.71, WHITE), (40, 0, 49, 9, 0.21, RED)],
        dataclasses.replace(DETECTOR_CARD, thresholds=thresholds),
    )
    found = found_by(net, field_of(64, 32, []))
    assert found == {(20, 0, 29, 9, WHITE), (40, 0, 49, 9, RED)}


def test_one_cell_boxed_twice_is_found_once_as_the_more_confident_box():
    net = BoxesNet([(0, 0, 20, 20, 0.6, RED), (1, 1, 21, 21, 0.8, RED)])
    assert found_by(net, field_of(64, 64, [])) == {(1, 1, 21, 21, RED)}


def test_an_empty_field_has_no_cells():
    assert len(FieldDetector(SquaresNet()).detect(field_of(300, 300, []), 10.0)) == 0


def test_a_classifier_is_no_detector():
    with pytest.raises(CardError, match="detector"):
        FieldDetector(BoxesNet(card=CLASSIFIER_CARD))
