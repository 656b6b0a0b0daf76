"""Logits to probabilities, the vote, and the interval of a share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from yolo_leuk.probabilities import (
    calibrated_vote,
    fit_temperature,
    logits_of,
    negative_log_likelihood,
    softmax,
    threshold_for_coverage,
    vote,
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


# --- the vote ------------------------------------------------------------------------------------


@st.composite
def voters(draw):
    """Probabilities (m, n, k) and weights (p, m) on the simplex."""
    m, n, k, p = (draw(st.integers(1, most)) for most in (4, 5, 4, 3))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    probabilities = generator.dirichlet(np.ones(k), (m, n))
    return probabilities, generator.dirichlet(np.ones(m), p)


@given(voters())
def test_the_vote_is_the_weighted_mean_over_members(case):
    probabilities, weights = case
    votes = vote(probabilities, weights)
    for row, own in zip(votes, weights, strict=True):
        expected = sum(w * p for w, p in zip(own, probabilities, strict=True))
        np.testing.assert_allclose(row, expected, atol=1e-12)
    np.testing.assert_allclose(votes.sum(axis=-1), 1.0)


@given(voters())
def test_one_vote_is_that_of_many_alone(case):
    probabilities, weights = case
    np.testing.assert_allclose(
        vote(probabilities, weights[0]), vote(probabilities, weights)[0], atol=1e-15
    )


def test_probabilities_come_back_from_their_logits():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    np.testing.assert_allclose(softmax(logits_of(probabilities)), probabilities, atol=1e-15)


def test_a_probability_of_nothing_has_a_finite_logit_and_stays_nothing():
    found = logits_of([[0.0, 1.0]])
    assert np.isfinite(found).all()
    assert softmax(found)[0, 0] == pytest.approx(0.0, abs=1e-300)


def test_a_calibrated_vote_of_a_case_worked_out_by_hand():
    # Member 1 at temperature 2: logits (1, 0); member 2 at temperature 1: logits (0, 1).
    logits = np.array([[[2.0, 0.0]], [[0.0, 1.0]]])
    e = np.e
    mean = 0.75 * e / (1 + e) + 0.25 / (1 + e)
    expected = mean**2 / (mean**2 + (1 - mean) ** 2)  # the vote's own temperature is a half
    found = calibrated_vote(logits, [2.0, 1.0], np.array([0.75, 0.25]), 0.5)
    np.testing.assert_allclose(found, [[expected, 1 - expected]])


def test_a_temperature_of_the_vote_changes_no_call():
    logits = np.random.default_rng(1).normal(0, 2, (3, 50, 4))
    weights = np.array([0.5, 0.2, 0.3])
    calls = [
        calibrated_vote(logits, [1.0, 0.7, 2.0], weights, temperature).argmax(axis=1)
        for temperature in (0.3, 1.0, 4.0)
    ]
    np.testing.assert_array_equal(calls[0], calls[1])
    np.testing.assert_array_equal(calls[2], calls[1])
