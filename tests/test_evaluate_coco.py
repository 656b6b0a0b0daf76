"""Average precision is that of pycocotools, and its draws are those of drawing images."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_leuk import matching
from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.dataset import TrueBoxes
from yolo_leuk.evaluate import coco
from yolo_leuk.records import Detections

CLASSES = 2


def scene(seed: int, images: int = 6, *, ties: bool = False):
    """True boxes, and found ones that are near them, doubled, missed or nowhere."""
    generator = np.random.default_rng(seed)

    def boxes(count):
        corner, side = generator.uniform(0, 60, (count, 2)), generator.uniform(10, 20, (count, 2))
        return np.hstack([corner, corner + side]).astype(np.float32)

    found, truth = [], []
    for _ in range(images):
        true, classes = boxes(generator.integers(0, 5)), generator.integers(0, CLASSES, 8)
        near = np.repeat(true, 2, axis=0) + generator.uniform(-4, 4, (2 * len(true), 4))
        xyxy = np.concatenate([near, boxes(2)]).astype(np.float32)
        class_id = np.concatenate([np.repeat(classes[: len(true)], 2), classes[-2:]])
        kept = generator.random(len(xyxy)) < 0.7
        confidence = generator.random(len(xyxy))
        confidence = np.round(confidence, 1) if ties else confidence
        found.append(Detections(xyxy[kept], confidence[kept].astype(np.float32), class_id[kept]))
        truth.append(TrueBoxes(true, classes[: len(true)]))
    return found, truth


def by_images(images: int, draws: int = 8) -> GroupBootstrap:
    return GroupBootstrap([f"i{n}" for n in range(images)], draws=draws)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), ties=st.booleans())
def test_average_precision_is_that_of_pycocotools(seed, ties):
    found, truth = scene(seed, ties=ties)
    evaluation = coco._evaluated(found, truth, CLASSES)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 0].mean(axis=1)  # −1 without true boxes
    ranked = coco.ranked_by_class(found, truth, CLASSES)
    for number in range(CLASSES):
        area = coco.average_precision(ranked[number], by_images(len(found)))[0]
        expected = np.where(precision[:, number] < 0, np.nan, precision[:, number])
        assert area == pytest.approx(expected, nan_ok=True)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_at_half_overlap_it_is_that_of_our_own_matching(seed):
    found, truth = scene(seed)
    ranked = coco.ranked_by_class(found, truth, CLASSES)
    for number in range(CLASSES):
        parts = [
            matching.match(f.xyxy[f.class_id == number], f.confidence[f.class_id == number],
                           t.xyxy[t.class_id == number])
            for f, t in zip(found, truth, strict=True)
        ]  # fmt: skip
        expected = matching.average_precision(matching.together(parts))
        area = coco.average_precision(ranked[number], by_images(len(found)), ious=1)[0, 0]
        assert area == pytest.approx(expected, nan_ok=True)


def test_a_draw_is_the_figure_of_the_images_that_were_drawn_with_repeats():
    found, truth = scene(3, images=8)
    bootstrap = by_images(8, draws=12)
    ranked = coco.ranked_by_class(found, truth, CLASSES)[0]
    areas = coco.average_precision(ranked, bootstrap)
    recalls = coco.recall_at(ranked, bootstrap, (0.5, 2.0))
    drawn = bootstrap.tallies(np.arange(8), 8).astype(int)
    for counts, area, recall in zip(drawn, areas, recalls, strict=True):
        images = np.repeat(np.arange(8), counts)
        again = coco.ranked_by_class(
            [found[i] for i in images], [truth[i] for i in images], CLASSES
        )
        once = by_images(len(images), draws=0)
        assert area == pytest.approx(coco.average_precision(again[0], once)[0])
        assert recall == pytest.approx(coco.recall_at(again[0], once, (0.5, 2.0))[0])


def test_recall_at_false_boxes_by_hand():
    box = np.array([[0, 0, 10, 10]], np.float32)
    truth = [TrueBoxes(np.concatenate([box, box + 50]), np.zeros(2, np.int64))] * 2
    # In each image a hit at 0.9, a false one at 0.8, a hit at 0.7.
    found = [
        Detections(
            np.concatenate([box, box + 200, box + 50]),
            np.array([0.9, 0.8, 0.7], np.float32),
            np.zeros(3, np.int64),
        )
    ] * 2
    (ranked,) = coco.ranked_by_class(found, truth, 1)
    recalls = coco.recall_at(ranked, by_images(2, draws=0), (0, 0.5, 1))[0]
    assert recalls.tolist() == [0.5, 0.5, 1.0]
    false, recall = coco.recall_curve(ranked)
    assert false.tolist() == [0, 0, 0.5, 1, 1, 1]
    assert recall.tolist() == [0.25, 0.5, 0.5, 0.5, 0.75, 1.0]


def test_without_found_boxes_the_precision_is_nought_and_without_true_ones_it_has_no_meaning():
    box = TrueBoxes(np.array([[0, 0, 9, 9]], np.float32), np.zeros(1, np.int64))
    ranked = coco.ranked_by_class([Detections.empty()], [box], CLASSES)
    once = by_images(1, draws=0)
    assert coco.average_precision(ranked[0], once)[0].tolist() == [0.0] * 10
    assert np.isnan(coco.average_precision(ranked[1], once)).all()
    assert coco.recall_at(ranked[0], once, (1,)).tolist() == [[0.0]]
