"""Figures of a classifier, against cases worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score

from yolo_leuk.train.cell_figures import figures


def test_weighted_f1_of_a_case_worked_out_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    # Class 0: precision 1, recall 2/3, F1 0.8; class 1: precision 1/2, recall 1, F1 2/3.
    found = figures(probabilities, np.array([0, 0, 0, 1]))
    assert found["weighted_f1"] == pytest.approx((3 * 0.8 + 2 / 3) / 4)


def test_a_class_that_is_never_called_counts_as_zero():
    found = figures(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
    assert found["weighted_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_balanced_accuracy_is_the_mean_recall_of_the_classes():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])
    assert figures(probabilities, labels)["balanced_accuracy"] == pytest.approx((2 / 3 + 0) / 2)


@given(seed=st.integers(0, 10**6), count=st.integers(20, 60))
def test_all_figures_agree_with_scikit_learn(seed, count):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(4), count)
    labels = np.append(np.arange(4), generator.integers(0, 4, count - 4))
    called = probabilities.argmax(axis=1)
    found = figures(probabilities, labels)
    assert found["weighted_f1"] == pytest.approx(
        f1_score(labels, called, average="weighted", zero_division=0)
    )
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, called))
    assert 0 <= found["ece"] <= 1
