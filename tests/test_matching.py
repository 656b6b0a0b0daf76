"""Which boxes meet which, against slow and plain implementations of the same rules."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_leuk import geometry
from yolo_leuk.matching import (
    Matched,
    average_precision,
    best_f1_confidence,
    best_pairs,
    match,
    recall_and_precision,
    together,
)

NONE = np.zeros((0, 4))


@st.composite
def boxes(draw, most: int = 6):
    corner, side = st.integers(0, 12), st.integers(1, 8)
    rows = draw(st.lists(st.tuples(corner, corner, side, side), max_size=most))
    return np.array([(x, y, x + w, y + h) for x, y, w, h in rows], float).reshape(-1, 4)


@st.composite
def found_boxes(draw):
    xyxy = draw(boxes())
    order = draw(st.permutations(range(len(xyxy))))
    return xyxy, (np.array(order, float) + 1) / 10


@st.composite
def matches(draw):
    """Any outcome of a matching; confidences may be the same."""
    hits = draw(st.lists(st.booleans(), max_size=12))
    confidence = draw(
        st.lists(st.sampled_from([0.1, 0.3, 0.5, 0.7]), min_size=len(hits), max_size=len(hits))
    )
    missed = draw(st.integers(0, 5))
    return Matched(
        np.array(sorted(confidence, reverse=True)), np.array(hits, bool), sum(hits) + missed
    )


# --- by hand, one box after the other ----------------------------------------------------------


def shared(a, b) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def area(a) -> float:
    return (a[2] - a[0]) * (a[3] - a[1])


def matched_by_hand(found, confidence, truth, ignored, least_iou):
    """Confidence and outcome of each box that counts, most confident first."""
    left = [tuple(t) for t in truth]
    outcome = []
    for row in sorted(range(len(found)), key=lambda i: -confidence[i]):
        box = found[row]
        best, best_iou = None, least_iou
        for candidate in left:
            overlap = shared(box, candidate)
            iou = overlap / (area(box) + area(candidate) - overlap)
            if iou > best_iou or (iou == best_iou and best is None):
                best, best_iou = candidate, iou
        if best is not None:
            left.remove(best)
            outcome.append((confidence[row], True))
        elif not any(shared(box, region) >= area(box) / 2 for region in ignored):
            outcome.append((confidence[row], False))
    return outcome


def average_precision_by_hand(hits, truths) -> float:
    points = [(sum(hits[: n + 1]) / truths, sum(hits[: n + 1]) / (n + 1)) for n in range(len(hits))]
    levels = [
        max((precision for recall, precision in points if recall >= level), default=0.0)
        for level in np.linspace(0, 1, 101)
    ]
    return sum(levels) / 101


@given(found_boxes(), boxes(), boxes(most=2), st.sampled_from([0.3, 0.5, 0.75]))
def test_boxes_are_matched_as_by_hand(found, truth, ignored, least_iou):
    xyxy, confidence = found
    matched = match(xyxy, confidence, truth, least_iou=least_iou, ignored_xyxy=ignored)
    outcome = list(zip(matched.confidence, matched.is_hit, strict=True))
    assert outcome == matched_by_hand(xyxy, confidence, truth, ignored, least_iou)
    assert matched.truths == len(truth)


@given(matches())
def test_average_precision_is_that_of_a_walk_over_all_recalls(matched):
    if matched.truths == 0:
        assert math.isnan(average_precision(matched))
        return
    expected = average_precision_by_hand(matched.is_hit.tolist(), matched.truths)
    assert average_precision(matched) == pytest.approx(expected)


@given(matches(), st.sampled_from([0.0, 0.2, 0.5, 0.9]))
def test_recall_and_precision_are_shares_of_what_is_believed(matched, least):
    hits = [
        hit
        for confidence, hit in zip(matched.confidence, matched.is_hit, strict=True)
        if confidence >= least
    ]
    recall, precision = recall_and_precision(matched, least)
    assert recall == (sum(hits) / matched.truths if matched.truths else 1.0)
    assert precision == pytest.approx(sum(hits) / len(hits) if hits else 1.0)


@given(st.lists(matches(), min_size=1, max_size=3))
def test_no_other_confidence_gives_a_higher_mean_f1(parts):
    def f1(part: Matched, least: float) -> float:
        believed = part.confidence >= least
        return 2 * (part.is_hit & believed).sum() / (believed.sum() + part.truths)

    telling = [part for part in parts if part.truths]
    if not telling:
        assert best_f1_confidence(parts) == 0.5
        return
    mean = {
        c: np.mean([f1(p, c) for p in telling]) for c in np.round(np.linspace(0.05, 0.95, 91), 2)
    }
    assert mean[best_f1_confidence(parts)] == pytest.approx(max(mean.values()))


def test_a_source_with_many_boxes_does_not_decide_for_the_others():
    large = Matched(np.array([0.9] * 50 + [0.3] * 50), np.ones(100, bool), 100)
    few = Matched(np.array([0.9, 0.3, 0.3, 0.3]), np.array([True, False, False, False]), 1)
    assert best_f1_confidence([large]) <= 0.3
    assert best_f1_confidence([large, few, few]) > 0.3


# --- single cases ------------------------------------------------------------------------------

CELL, BESIDE = (0, 0, 10, 10), (20, 0, 30, 10)


def test_a_true_box_is_met_once_and_by_the_most_confident():
    matched = match(np.array([CELL, CELL]), np.array([0.4, 0.8]), np.array([CELL]))
    assert matched.confidence.tolist() == [0.8, 0.4]
    assert matched.is_hit.tolist() == [True, False]


def test_an_iou_at_the_threshold_is_a_hit_and_one_below_it_is_a_miss():
    half = np.array([(0, 0, 5, 10)])
    assert match(half, np.ones(1), np.array([CELL]), least_iou=0.5).is_hit.tolist() == [True]
    assert match(half, np.ones(1), np.array([CELL]), least_iou=0.51).is_hit.tolist() == [False]


def test_what_lies_in_an_ignored_region_is_neither_hit_nor_miss():
    found = np.array([CELL, BESIDE])
    matched = match(
        found, np.array([0.9, 0.8]), np.array([CELL]), ignored_xyxy=np.array([(18, 0, 40, 40)])
    )
    assert matched.is_hit.tolist() == [True]


def test_a_true_box_in_an_ignored_region_is_still_a_hit():
    matched = match(np.array([CELL]), np.ones(1), np.array([CELL]), ignored_xyxy=np.array([CELL]))
    assert matched.is_hit.tolist() == [True]


def test_nothing_found_misses_everything():
    matched = match(NONE, np.zeros(0), np.array([CELL, BESIDE]))
    assert recall_and_precision(matched) == (0.0, 1.0)
    assert average_precision(matched) == 0.0


def test_where_nothing_is_nothing_can_be_missed():
    matched = match(np.array([CELL]), np.ones(1), NONE)
    assert recall_and_precision(matched) == (1.0, 0.0)
    assert math.isnan(average_precision(matched))


def test_a_perfect_detector_has_an_average_precision_of_one():
    matched = match(np.array([CELL, BESIDE]), np.array([0.9, 0.5]), np.array([BESIDE, CELL]))
    assert average_precision(matched) == 1.0
    assert 0.05 <= best_f1_confidence([matched]) <= 0.5


def test_images_are_put_together_by_confidence():
    first = match(np.array([CELL, BESIDE]), np.array([0.9, 0.2]), np.array([CELL]))
    second = match(np.array([CELL]), np.array([0.5]), np.array([CELL, BESIDE]))
    both = together([first, second])
    assert both.confidence.tolist() == [0.9, 0.5, 0.2]
    assert both.is_hit.tolist() == [True, True, False]
    assert both.truths == 3
    assert together([]).truths == 0


# --- pairs without confidence --------------------------------------------------------------------


def test_a_box_leaves_a_cell_to_another_one_where_more_pairs_come_of_it():
    # The first found box fits both cells, the second one only the first cell.
    true = np.array([[0, 0, 10, 10], [4, 0, 14, 10]], float)
    found = np.array([[1, 0, 11, 10], [0, 0, 8, 10]], float)
    confidence = np.array([0.9, 0.8])
    assert match(found, confidence, true, least_iou=0.5).is_hit.sum() == 1
    pairs = best_pairs(found, true, least_iou=0.5)
    assert [rows.tolist() for rows in pairs] == [[0, 1], [1, 0]]


def test_of_as_many_pairs_those_of_highest_iou_are_taken():
    true = np.array([[0, 0, 10, 10]], float)
    found = np.array([[0, 0, 10, 7], [0, 0, 10, 9], [0, 0, 10, 8]], float)
    assert [rows.tolist() for rows in best_pairs(found, true)] == [[1], [0]]


def test_below_the_threshold_there_are_no_pairs():
    true = np.array([[0, 0, 10, 10]], float)
    assert [len(rows) for rows in best_pairs(true + 6, true)] == [0, 0]
    assert [len(rows) for rows in best_pairs(NONE, true)] == [0, 0]
    assert [len(rows) for rows in best_pairs(true, NONE)] == [0, 0]


@given(boxes(5), boxes(5))
def test_best_pairs_are_those_of_trying_everything(found, true):
    rows, columns = best_pairs(found, true, least_iou=0.3)
    overlap = geometry.iou(found, true)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert (overlap[rows, columns] >= 0.3).all()
    best = (0, 0.0)
    longer = overlap if overlap.shape[0] >= overlap.shape[1] else overlap.T
    for chosen in itertools.permutations(range(longer.shape[0]), longer.shape[1]):
        values = longer[list(chosen), range(longer.shape[1])]
        kept = values[values >= 0.3]
        best = max(best, (len(kept), round(float(kept.sum()), 9)))
    assert (len(rows), round(float(overlap[rows, columns].sum()), 9)) == pytest.approx(best)
