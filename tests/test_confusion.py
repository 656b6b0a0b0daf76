"""Figures of calls, beside scikit-learn and the published costs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from yolo_leuk import confusion
from yolo_leuk.confusion import (
    STAGE_COSTS,
    STAGES,
    confusion_matrices,
    cost_matrix,
    misclassification_cost,
)
from yolo_leuk.errors import DataError
from yolo_leuk.labels import MATURITY


@st.composite
def called_samples(draw, voters: int = 3):
    """Number of classes, labels (n,), calls (voters, n); classes may be missing in either."""
    classes = draw(st.integers(2, 5))
    n = draw(st.integers(1, 30))
    ids = st.integers(0, classes - 1)
    labels = draw(st.lists(ids, min_size=n, max_size=n))
    calls = draw(st.lists(st.lists(ids, min_size=n, max_size=n), min_size=voters, max_size=voters))
    return classes, np.array(labels), np.array(calls)


@given(called_samples())
def test_the_matrices_are_those_of_scikit_learn(case):
    classes, labels, calls = case
    found = confusion_matrices(labels, calls, classes)
    expected = [metrics.confusion_matrix(labels, c, labels=range(classes)) for c in calls]
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=40)
@given(called_samples())
def test_figures_of_all_classes_are_those_of_scikit_learn(case):
    classes, labels, calls = case
    matrices = confusion_matrices(labels, calls, classes)
    for matrix, called in zip(matrices, calls, strict=True):
        averages = {
            average: metrics.f1_score(labels, called, average=average, zero_division=0)
            for average in ("weighted", "macro")
        }
        assert confusion.weighted_f1(matrix) == pytest.approx(averages["weighted"])
        assert confusion.macro_f1(matrix) == pytest.approx(averages["macro"])
        assert confusion.accuracy(matrix) == pytest.approx(metrics.accuracy_score(labels, called))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of classes that no sample is
            expected = metrics.balanced_accuracy_score(labels, called)
        assert confusion.balanced_accuracy(matrix) == pytest.approx(expected)


@settings(max_examples=40)
@given(called_samples())
def test_figures_of_each_class_are_those_of_scikit_learn(case):
    classes, labels, calls = case
    matrices = confusion_matrices(labels, calls, classes)
    for matrix, called in zip(matrices, calls, strict=True):
        expected = metrics.precision_recall_fscore_support(
            labels, called, labels=range(classes), zero_division=np.nan
        )
        np.testing.assert_allclose(confusion.precision(matrix), expected[0])
        np.testing.assert_allclose(confusion.sensitivity(matrix), expected[1])
        np.testing.assert_allclose(confusion.f1(matrix), expected[2])
        others = [
            metrics.recall_score(labels != c, called != c, zero_division=np.nan)
            for c in range(classes)
        ]
        np.testing.assert_allclose(confusion.specificity(matrix), others)


@given(called_samples(voters=4))
def test_over_leading_dimensions_each_matrix_gives_what_it_gives_alone(case):
    classes, labels, calls = case
    matrices = confusion_matrices(labels, calls.reshape(2, 2, -1), classes)
    assert matrices.shape == (2, 2, classes, classes)
    for figure in (
        confusion.accuracy,
        confusion.balanced_accuracy,
        confusion.weighted_f1,
        confusion.macro_f1,
        confusion.precision,
        confusion.sensitivity,
        confusion.specificity,
    ):
        alone = [[figure(matrix) for matrix in row] for row in matrices]
        np.testing.assert_array_equal(figure(matrices), alone)


def test_more_voters_than_are_counted_at_once_are_all_counted(monkeypatch):
    generator = np.random.default_rng(0)
    labels, calls = generator.integers(0, 3, 50), generator.integers(0, 3, (7, 2, 50))
    whole = confusion_matrices(labels, calls, 3)
    monkeypatch.setattr(confusion, "_AT_ONCE", 120)
    np.testing.assert_array_equal(confusion_matrices(labels, calls, 3), whole)


def test_without_samples_there_are_no_figures():
    matrix = confusion_matrices(np.array([], int), np.zeros((2, 0), int), 3)
    assert matrix.shape == (2, 3, 3)
    assert not matrix.any()
    for figure in (confusion.weighted_f1, confusion.macro_f1, confusion.balanced_accuracy):
        assert np.isnan(figure(matrix)).all()


@pytest.mark.parametrize(
    ("labels", "calls", "told"),
    [
        ([0, 1], [0, 1, 1], r"got \(2,\) and \(3,\)"),
        ([0, 2], [0, 1], "each label from 0 to 1, got 0 to 2"),
        ([0, 1], [-1, 1], "each call from 0 to 1, got -1 to 1"),
    ],
)
def test_what_cannot_be_counted_is_refused(labels, calls, told):
    with pytest.raises(DataError, match=told):
        confusion_matrices(np.array(labels), np.array(calls), 2)


# --- the cost of wrong calls ---------------------------------------------------------------------


# The published table: 518 samples; DenseNet-201 costs 20 in total, ConvNeXt 40.
@pytest.mark.parametrize(
    ("wrong", "total", "mean", "score"),
    [
        ({("Benign", "Pre"): 1}, 20, 0.0386, 0.9993),
        ({("Benign", "Early"): 1, ("Pro", "Pre"): 1}, 20, 0.0386, 0.9993),
        ({("Pro", "Benign"): 1, ("Pre", "Pro"): 1}, 40, 0.0772, 0.9986),
    ],
)
def test_the_cost_is_that_of_the_published_table(wrong, total, mean, score):
    matrix = np.diag([518 - len(wrong), 0, 0, 0])
    for (stage, called), count in wrong.items():
        matrix[STAGES.index(stage), STAGES.index(called)] = count
    cost = misclassification_cost(matrix, STAGES)
    assert cost.total == total
    assert round(float(cost.mean), 4) == mean
    assert round(float(cost.score), 4) == score


def test_the_order_of_the_classes_makes_no_difference():
    matrix = np.random.default_rng(1).integers(0, 9, (4, 4))
    order = [2, 0, 3, 1]
    cost = misclassification_cost(matrix[np.ix_(order, order)], [STAGES[i] for i in order])
    assert cost.total == (matrix * STAGE_COSTS).sum()


def test_normal_cells_count_neither_as_samples_nor_as_another_call_than_benign():
    matrix = np.zeros((5, 5), int)
    matrix[0, 4] = 3  # benign cells called normal cost nothing
    matrix[3, 4] = 2  # Pro called normal: 30 each, as if called benign
    matrix[4, 3] = 7  # normal cells called Pro are samples of no stage
    cost = misclassification_cost(matrix, MATURITY.names)
    assert (cost.total, cost.mean) == (60, 12)


def test_costs_of_many_matrices_are_those_of_each():
    matrices = np.random.default_rng(2).integers(0, 9, (3, 2, 4, 4))
    found = misclassification_cost(matrices, STAGES)
    assert found.total.shape == found.mean.shape == found.score.shape == (3, 2)
    assert found.total[2, 1] == misclassification_cost(matrices[2, 1], STAGES).total


def test_classes_without_the_stages_have_no_cost():
    with pytest.raises(DataError, match="Early, Pre, Pro not among the classes Benign, hem"):
        cost_matrix(("Benign", "hem"))
