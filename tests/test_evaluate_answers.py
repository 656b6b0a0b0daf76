"""Answers for pictures follow from those for their cells."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_answers import made_sample, sure, truth_of_samples
from yolo_leuk.evaluate.answers import Answer, Answers, mean_log_probability, per_image
from yolo_leuk.labels import LabelScheme

SCHEME = LabelScheme(("a", "b"), frozenset({"b"}))


def cells(*pictures: tuple[str, str], **changes):
    """Samples of (picture, label)."""
    return [
        made_sample(f"c{n}", label, sha256=picture, group=f"g-{picture}", **changes)
        for n, (picture, label) in enumerate(pictures)
    ]


def answers_of(samples, probabilities, is_called=None):
    truth = truth_of_samples(samples, SCHEME)
    return Answers(truth, {"net": Answer(np.array(probabilities), is_called)})


def test_the_mean_log_probability_is_the_normalised_geometric_mean():
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    found = mean_log_probability(p, np.array([0, 0, 1]), 2)
    geometric = np.sqrt(p[0] * p[1])
    assert found == pytest.approx(np.array([geometric / geometric.sum(), p[2]]))


def test_one_cell_that_is_wholly_sure_does_not_outvote_all_others():
    p = np.array([[0.0, 1.0], *[[0.99, 0.01]] * 9])
    assert mean_log_probability(p, np.zeros(10, np.int64), 1)[0, 0] > 0.8


def test_pictures_have_the_label_the_group_and_the_vote_of_their_cells():
    samples = cells(("x", "a"), ("y", "b"), ("x", "a"), ("y", "b"))
    found = per_image(
        answers_of(samples, [[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6]]), draws=5, seed=0
    )
    assert found.truth.unit == "images"
    assert found.truth.class_ids.tolist() == [0, 1]
    assert [sample.group for sample in found.truth.samples] == ["g-x", "g-y"]
    assert found.by_model["net"].calls.tolist() == [0, 1]


def test_a_picture_with_cells_of_several_classes_is_left_out():
    samples = cells(("x", "a"), ("x", "b"), ("y", "b"), ("y", "b"))
    found = per_image(answers_of(samples, [[0.5, 0.5]] * 4), draws=5, seed=0)
    assert [sample.sha256 for sample in found.truth.samples] == ["y"]


def test_where_each_picture_holds_one_cell_nothing_is_told_of_pictures():
    answers = answers_of(cells(("x", "a"), ("y", "b")), [[0.9, 0.1], [0.1, 0.9]])
    assert per_image(answers, draws=5, seed=0) is None


def test_where_all_pictures_are_mixed_nothing_is_told_of_pictures():
    assert (
        per_image(answers_of(cells(("x", "a"), ("x", "b")), [[0.5, 0.5]] * 2), draws=5, seed=0)
        is None
    )


def test_a_picture_is_called_where_most_of_its_cells_are():
    samples = cells(*[("x", "a")] * 3, *[("y", "b")] * 2)
    called = np.array([True, True, False, True, False])
    found = per_image(answers_of(samples, [[0.9, 0.1]] * 5, called), draws=5, seed=0)
    assert found.by_model["net"].is_called.tolist() == [True, False]


def test_calls_are_the_most_probable_classes_unidentified_or_not():
    answer = dataclasses.replace(sure([1, 0], 2), is_called=np.array([False, True]))
    assert answer.calls.tolist() == [1, 0]
