"""Calibration error and Brier score, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from yolo_leuk.calibration import (
    binned_gaps,
    bins_of,
    brier_scores,
    error_of_gaps,
    expected_calibration_error,
)


def test_calibration_error_of_a_case_worked_out_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.55, 0.45], [0.45, 0.55]])
    labels = np.array([0, 1, 0, 0])
    # Two at 0.95, half of them right; two at 0.55, half of them right.
    assert expected_calibration_error(probabilities, labels) == pytest.approx(
        0.5 * (0.95 - 0.5) + 0.5 * (0.55 - 0.5)
    )


def test_sure_and_right_has_no_calibration_error_and_sure_and_wrong_has_all_of_it():
    assert expected_calibration_error(np.eye(3), np.array([0, 1, 2])) == pytest.approx(0)
    assert expected_calibration_error(np.eye(3), np.array([1, 2, 0])) == pytest.approx(1)


def test_gaps_of_both_signs_in_different_bins_do_not_cancel():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    assert expected_calibration_error(probabilities, np.array([1, 0])) == pytest.approx(
        (0.9 + 0.4) / 2
    )


def test_a_probability_of_one_is_in_the_last_bin():
    assert bins_of([0.0, 0.1, 0.5, 0.999, 1.0], bins=10).tolist() == [0, 1, 5, 9, 9]


@given(seed=st.integers(0, 10**6), bins=st.integers(1, 20))
def test_the_error_is_that_of_a_loop_over_bins(seed, bins):
    generator = np.random.default_rng(seed)
    probabilities, labels = generator.dirichlet(np.ones(3), 50), generator.integers(0, 3, 50)
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for number in range(bins):
        inside = (top >= number / bins) & ((top < (number + 1) / bins) | (number == bins - 1))
        if inside.any():
            expected += inside.mean() * abs(top[inside].mean() - right[inside].mean())
    assert expected_calibration_error(probabilities, labels, bins) == pytest.approx(expected)


def test_gaps_are_summed_over_leading_dimensions():
    generator = np.random.default_rng(0)
    probabilities, labels = generator.dirichlet(np.ones(3), 40), generator.integers(0, 3, 40)
    gaps = binned_gaps(probabilities, labels)
    halves = np.stack([gaps[:20].sum(axis=0), gaps[20:].sum(axis=0)])
    errors = error_of_gaps(halves, [20, 20])
    for error, part in zip(errors, (slice(20), slice(20, None)), strict=True):
        assert error == pytest.approx(expected_calibration_error(probabilities[part], labels[part]))


def test_the_brier_score_goes_from_right_to_wrong_by_hand():
    probabilities = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.25, 0.25]])
    assert brier_scores(probabilities, np.array([0, 0, 0])).tolist() == [
        0,
        2,
        0.25 + 0.0625 + 0.0625,
    ]


@given(seed=st.integers(0, 10**6))
def test_the_brier_score_of_two_classes_is_twice_that_of_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    p, labels = generator.random(30), np.append([0, 1], generator.integers(0, 2, 28))
    ours = brier_scores(np.stack([1 - p, p], axis=1), labels).mean()
    assert ours == pytest.approx(2 * brier_score_loss(labels, p))
