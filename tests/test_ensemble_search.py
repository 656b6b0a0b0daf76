"""The grid and differential evolution, and which of equally fit weights is taken."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_members import opinions
from yolo_leuk.ensemble import evolution, genetic, grid
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.ensemble.search import Found, best_of
from yolo_leuk.probabilities import softmax


def scorer_of(members: int, **about):
    data = opinions(members, **about)
    return Scorer(softmax(data.logits), data.class_ids, fitness_of("weighted_f1", data.classes))


# --- the best ------------------------------------------------------------------------------------


def test_of_equally_fit_weights_those_nearest_to_equal_are_taken():
    weights = np.array([[1.0, 0.0], [0.6, 0.4], [0.9, 0.1], [0.5, 0.5]])
    found = best_of(weights, np.array([0.8, 0.8, 0.8, 0.7]))
    np.testing.assert_array_equal(found.weights, [0.6, 0.4])


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (Found(np.array([1.0, 0.0]), 0.9), [1.0, 0.0]),
        (Found(np.array([1.0, 0.0]), 0.7), [0.6, 0.4]),
        (Found(np.array([1.0, 0.0]), 0.8), [0.6, 0.4]),
        (Found(np.array([0.5, 0.5]), 0.8), [0.5, 0.5]),
    ],
)
def test_what_was_found_before_is_kept_where_it_is_fitter_or_as_fit_and_more_even(before, kept):
    found = best_of(np.array([[0.6, 0.4]]), np.array([0.8]), before)
    np.testing.assert_array_equal(found.weights, kept)


# --- the grid ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("members", "step"), [(2, 0.01), (3, 0.01), (4, 0.02), (5, 0.05)])
def test_the_grid_is_as_fine_as_it_was_asked_to_be(members, step):
    assert grid.steps_of(members) == round(1 / step)


@given(st.integers(2, 20))
def test_no_grid_is_too_large_to_be_searched(members):
    steps = grid.steps_of(members)
    assert math.comb(steps + members - 1, members - 1) <= 25_000


@given(st.integers(2, 5), st.integers(1, 8))
def test_the_grid_has_every_multiple_of_the_step_on_the_simplex_once(members, steps):
    expected = {
        point
        for point in itertools.product(range(steps + 1), repeat=members)
        if sum(point) == steps
    }
    points = grid.simplex_grid(members, steps)
    assert len(points) == len(expected)
    assert {tuple(np.rint(point * steps).astype(int)) for point in points} == expected
    np.testing.assert_allclose(points.sum(axis=1), 1)


def test_no_point_of_the_grid_is_fitter_than_the_one_that_is_found():
    score = scorer_of(3, skill=0.8)
    found = grid.search(score)
    points = grid.simplex_grid(3, 100)
    assert found.fitness == score(points).max()
    assert score(found.weights[None])[0] == found.fitness


# --- differential evolution ----------------------------------------------------------------------


@pytest.mark.parametrize("members", [2, 3, 5])
def test_evolution_finds_weights_on_the_simplex_about_as_fit_as_the_grid(members):
    score = scorer_of(members, per_class=30, skill=0.8)
    found = evolution.search(score, np.random.default_rng(0))
    assert found.weights.shape == (members,)
    assert (found.weights >= 0).all()
    assert found.weights.sum() == pytest.approx(1)
    assert found.fitness == pytest.approx(float(score(found.weights[None])[0]))
    assert found.fitness >= grid.search(score).fitness - 0.01


def test_all_searches_of_one_seed_find_the_same_again():
    score = scorer_of(3)
    for search in (
        lambda: evolution.search(score, np.random.default_rng(4)),
        lambda: genetic.search(score, genetic.GeneticSearch(), np.random.default_rng(4))[0],
    ):
        np.testing.assert_array_equal(search().weights, search().weights)


def test_a_member_that_is_always_right_gets_the_weight():
    data = opinions(3, skill=0.3)
    members = softmax(data.logits)
    members[1] = 0.1 * np.eye(5)[data.class_ids] + 0.18  # hardly sure, and never wrong
    score = Scorer(members, data.class_ids, fitness_of("weighted_f1", data.classes))
    for found in (
        grid.search(score),
        genetic.search(score, genetic.GeneticSearch(), np.random.default_rng(0))[0],
        evolution.search(score, np.random.default_rng(0)),
    ):
        assert found.fitness == pytest.approx(1.0)
        assert found.weights[1] > 0.5
