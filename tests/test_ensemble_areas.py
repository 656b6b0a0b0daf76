"""Areas of many votes at once are those of each alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from yolo_leuk import ranking
from yolo_leuk.ensemble.areas import areas


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 5))
def test_areas_are_those_of_scikit_learn(seed, n, rows):
    generator = np.random.default_rng(seed)
    is_positive = generator.permutation(np.arange(n) < generator.integers(1, n))
    scores = generator.random((rows, n))
    expected = [roc_auc_score(is_positive, own) for own in scores]
    np.testing.assert_allclose(areas(scores, is_positive), expected, atol=1e-12)


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3, 10]))
def test_ties_count_half(seed, levels):
    generator = np.random.default_rng(seed)
    is_positive = generator.permutation(np.arange(20) < 8)
    scores = generator.integers(0, levels + 1, (4, 20)) / levels
    expected = [roc_auc_score(is_positive, own) for own in scores]
    np.testing.assert_allclose(areas(scores, is_positive), expected, atol=1e-12)


def test_scores_that_differ_in_their_last_bit_alone_are_not_taken_for_ties():
    low, high = 0.5, np.nextafter(0.5, 1)
    for scores, area in (([low, high], 1.0), ([high, low], 0.0), ([low, low], 0.5)):
        assert areas(np.array([scores]), np.array([False, True])) == pytest.approx(area)


def test_scores_are_left_as_they_are_and_may_be_a_part_of_a_larger_array():
    votes = np.random.default_rng(0).dirichlet(np.ones(3), (4, 30)).transpose(0, 2, 1).copy()
    kept, is_positive = votes.copy(), np.arange(30) % 3 == 0
    found = areas(votes[:, 1], is_positive)
    np.testing.assert_allclose(found, ranking.auroc(votes[:, 1], is_positive))
    np.testing.assert_array_equal(votes, kept)
