"""Logits to probabilities, and the interval of a share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from yolo_leuk.probabilities import (
    fit_temperature,
    negative_log_likelihood,
    softmax,
    threshold_for_coverage,
    wilson_interval,
)

logits = st.lists(
    st.lists(st.floats(-500, 500), min_size=3, max_size=3), min_size=1, max_size=6
).map(np.array)


@given(logits, st.floats(0.05, 20))
def test_softmax_is_that_of_scipy_and_its_rows_sum_to_one(values, temperature):
    probabilities = softmax(values, temperature)
    np.testing.assert_allclose(
        probabilities, special.softmax(values / temperature, axis=-1), atol=1e-12
    )
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0)


def test_a_high_temperature_doubts_and_a_low_one_decides():
    assert softmax([[2.0, 1.0, 0.0]], 1000.0).max() == pytest.approx(1 / 3, abs=1e-3)
    assert softmax([[2.0, 1.0, 0.0]], 0.05).max() == pytest.approx(1.0, abs=1e-6)


def test_the_likelihood_is_the_mean_log_probability_of_the_true_class():
    values, labels = np.array([[3.0, 1.0], [0.0, 2.0]]), np.array([0, 0])
    by_hand = -(np.log(1 / (1 + np.exp(-2))) + np.log(1 / (1 + np.exp(2)))) / 2
    assert negative_log_likelihood(values, labels) == pytest.approx(by_hand)


def test_a_certain_and_wrong_answer_costs_much_but_not_everything():
    assert np.isfinite(negative_log_likelihood([[2000.0, 0.0]], np.array([1])))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_of_synthetic_logits_is_recovered(temperature):
    rng = np.random.default_rng(7)
    honest = rng.normal(0, 2, (20_000, 5))
    labels = np.array([rng.choice(5, p=p) for p in softmax(honest)])
    assert fit_temperature(honest * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_the_fitted_temperature_has_the_least_likelihood_of_a_fine_grid():
    rng = np.random.default_rng(8)
    values, labels = rng.normal(0, 3, (300, 4)), rng.integers(0, 4, 300)
    values[np.arange(300), labels] += 3
    grid = min(negative_log_likelihood(values, labels, t) for t in np.geomspace(0.05, 20, 2000))
    fitted = negative_log_likelihood(values, labels, fit_temperature(values, labels))
    assert fitted <= grid + 1e-9


def test_a_net_that_is_always_right_keeps_a_temperature_within_bounds():
    always_right = np.eye(3)[[0, 1, 2] * 5] * 10
    assert 0.05 <= fit_temperature(always_right, np.array([0, 1, 2] * 5)) < 0.5


@given(st.floats(0.05, 1.0), st.integers(1, 400))
def test_a_threshold_calls_the_coverage_that_was_asked_for(coverage, count):
    highest = np.random.default_rng(count).uniform(0.2, 1.0, count)
    called = (highest >= threshold_for_coverage(highest, coverage)).mean()
    assert coverage - 1 / count - 1e-9 <= called <= coverage + 1 / count + 1e-9


# Newcombe RG. Stat Med 1998;17:857-872, table I, method 3 (the score interval of Wilson).
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_share_is_the_published_one(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 3000), st.data())
def test_the_interval_of_a_share_is_that_of_scipy(trials, data):
    successes = data.draw(st.integers(0, trials))
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    low, high = wilson_interval(successes, trials)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert 0 <= low <= high <= 1


def test_without_a_trial_everything_is_possible():
    assert wilson_interval(0, 0) == (0.0, 1.0)
