"""AUROC and curves against scikit-learn, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from yolo_leuk.ranking import auroc, macro_auroc, precision_recall_curve, roc_curve


@st.composite
def scored(draw):
    """Scores with ties, at least one sample of each kind, and weights."""
    n = draw(st.integers(2, 30))
    is_positive = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    is_positive[:2] = [True, False]
    scores = np.array(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))) / 6
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), float)
    weights[:2] = 1
    return scores, is_positive, weights


def test_auroc_counts_pairs_by_hand():
    # Of the four pairs two are right, one is a tie, one is wrong.
    scores, is_positive = np.array([0.1, 0.5, 0.5, 0.9]), np.array([True, False, True, False])
    assert auroc(scores, is_positive) == (0 + 0 + 0.5 + 0) / 4
    assert auroc(scores, ~is_positive) == 3.5 / 4


@settings(deadline=None, max_examples=200)
@given(scored())
def test_auroc_is_that_of_scikit_learn_with_ties_and_weights(sample):
    scores, is_positive, weights = sample
    assert auroc(scores, is_positive) == pytest.approx(metrics.roc_auc_score(is_positive, scores))
    assert auroc(scores, is_positive, weights) == pytest.approx(
        metrics.roc_auc_score(is_positive, scores, sample_weight=weights)
    )


def test_many_scores_and_many_weights_are_done_at_once():
    generator = np.random.default_rng(0)
    is_positive = generator.random(50) < 0.4
    scores = generator.integers(0, 20, (3, 50)) / 20
    weights = generator.integers(0, 4, (4, 50))
    together = auroc(scores, is_positive, weights)
    assert together.shape == (3, 4)
    for i in range(3):
        assert auroc(scores[i], is_positive, weights) == pytest.approx(together[i])
        for j in range(4):
            one = auroc(scores[i], is_positive, weights[j])
            assert one == pytest.approx(together[i, j])


def test_auroc_is_nan_where_a_class_has_no_weight():
    scores, is_positive = np.array([0.1, 0.9]), np.array([False, True])
    weights = np.array([[1.0, 1.0], [1.0, 0.0]])
    assert np.isnan(auroc(scores, np.array([True, True])))
    assert np.isnan(auroc(scores, is_positive, weights)).tolist() == [False, True]


def test_macro_auroc_is_that_of_scikit_learn_and_leaves_out_absent_classes():
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 4, 200)
    p = generator.dirichlet(np.ones(4), 200)
    expected = metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro")
    assert macro_auroc(p, labels) == pytest.approx(expected)
    with_absent = np.insert(p, 2, 0.0, axis=1)
    moved = labels + (labels >= 2)
    assert macro_auroc(with_absent, moved) == pytest.approx(expected)
    assert macro_auroc(np.stack([p, p]), labels, np.ones(200)).tolist() == pytest.approx(
        [expected, expected]
    )
    assert np.isnan(macro_auroc(p, np.zeros(200, int)))


@settings(deadline=None, max_examples=100)
@given(scored())
def test_the_area_under_the_roc_curve_is_the_auroc(sample):
    scores, is_positive, _ = sample
    curve = roc_curve(scores, is_positive)
    x, y, _ = metrics.roc_curve(is_positive, scores, drop_intermediate=False)
    assert curve.x == pytest.approx(x)
    assert curve.y == pytest.approx(y)
    assert metrics.auc(curve.x, curve.y) == pytest.approx(auroc(scores, is_positive))


@settings(deadline=None, max_examples=100)
@given(scored())
def test_the_precision_recall_curve_is_that_of_scikit_learn(sample):
    scores, is_positive, _ = sample
    curve = precision_recall_curve(scores, is_positive)
    precision, recall, _ = metrics.precision_recall_curve(is_positive, scores)
    # Theirs begins with the lowest threshold and ends with a point that no threshold gives.
    assert curve.x == pytest.approx(recall[:-1][::-1])
    assert curve.y == pytest.approx(precision[:-1][::-1])
