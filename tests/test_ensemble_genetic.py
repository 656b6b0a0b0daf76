"""The operators of the genetic search one by one, and the search that they make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_members import opinions
from yolo_leuk.ensemble import genetic
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.genetic import (
    GeneticSearch,
    crossed,
    mutated,
    normalised,
    search,
    winners,
)
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.errors import ConfigError
from yolo_leuk.probabilities import softmax

seeds = st.integers(0, 10**6)
members = st.integers(1, 6)


def on_simplex(individuals):
    return (individuals >= 0).all() and np.allclose(individuals.sum(axis=-1), 1, atol=1e-12)


def population(seed: int, m: int, shape=(2, 8)):
    return np.random.default_rng(seed).dirichlet(np.ones(m), shape)


# --- operators -----------------------------------------------------------------------------------


@given(seeds, members)
def test_normalised_genes_lie_on_the_simplex_and_keep_their_proportions(seed, m):
    genes = np.random.default_rng(seed).random((4, 3, m))
    found = normalised(genes)
    assert on_simplex(found)
    np.testing.assert_allclose(found * genes.sum(axis=-1, keepdims=True), genes)


def test_genes_that_are_all_zero_become_equal_weights():
    np.testing.assert_array_equal(normalised(np.zeros((2, 4))), np.full((2, 4), 0.25))


@given(seeds, members)
def test_children_lie_on_the_simplex_half_way_between_their_parents(seed, m):
    mothers, fathers = population(seed, m), population(seed + 1, m)
    children = crossed(mothers, fathers)
    assert on_simplex(children)
    np.testing.assert_allclose(children, (mothers + fathers) / 2, atol=1e-12)


@given(seeds, members, st.floats(0, 1))
def test_mutants_lie_on_the_simplex(seed, m, rate):
    # It fails where the normalised mutant is lost and the one that sums to anything goes on.
    found = mutated(population(seed, m), rate, np.random.default_rng(seed))
    assert on_simplex(found)


@given(seeds, st.integers(2, 6))
def test_a_mutant_has_one_gene_replaced_and_the_others_keep_their_proportions(seed, m):
    before = population(seed, m, (50,))
    after = mutated(before, 1.0, np.random.default_rng(seed))
    # Replacing a gene scales all others alike: the ratio is one number but at that gene.
    ratio = after / before
    middle = np.median(ratio, axis=-1, keepdims=True) if m > 2 else ratio[:, :1]
    assert ((~np.isclose(ratio, middle)).sum(axis=-1) <= 1).all()
    assert (~np.isclose(after, before).all(axis=-1)).mean() > 0.9


def test_every_gene_is_replaced_about_equally_often_and_by_any_number_up_to_1():
    before = np.full((40_000, 4), 0.25)
    after = mutated(before, 1.0, np.random.default_rng(0))
    gene = np.abs(after - np.median(after, axis=1, keepdims=True)).argmax(axis=1)
    np.testing.assert_allclose(np.bincount(gene) / len(gene), 0.25, atol=0.02)
    share = after[np.arange(len(gene)), gene]
    number = 0.75 * share / (1 - share)  # before it was normalised with three genes of 0.25
    assert number.max() == pytest.approx(1.0, abs=0.01)
    assert number.mean() == pytest.approx(0.5, abs=0.02)


def test_the_rate_is_the_share_of_individuals_that_mutate():
    before = population(0, 4, (20_000,))
    for rate in (0.0, 0.2, 1.0):
        after = mutated(before, rate, np.random.default_rng(1))
        changed = ~np.isclose(before, after).all(axis=-1)
        assert changed.mean() == pytest.approx(rate, abs=0.02)


@given(seeds, st.integers(1, 9))
def test_winners_are_individuals_of_their_own_population(seed, contestants):
    before = population(seed, 3)
    fitness = np.random.default_rng(seed).random(before.shape[:-1])
    found = winners(before, fitness, contestants, np.random.default_rng(seed))
    assert found.shape == before.shape
    for own, parents in zip(before, found, strict=True):
        assert {tuple(p) for p in parents} <= {tuple(i) for i in own}


def test_of_five_contestants_the_fittest_wins_as_often_as_it_takes_part():
    individuals = np.eye(10)
    fitness = np.arange(10.0)
    found = winners(
        np.broadcast_to(individuals, (3000, 10, 10)),
        np.broadcast_to(fitness, (3000, 10)),
        5,
        np.random.default_rng(2),
    )
    share = found.mean(axis=(0, 1))
    rank = np.arange(1, 11) / 10
    expected = rank**5 - (rank - 0.1) ** 5  # all five at most this fit, and not all less
    np.testing.assert_allclose(share, expected, atol=0.01)


def test_with_one_contestant_fitness_does_not_matter():
    found = winners(
        np.broadcast_to(np.eye(4), (5000, 4, 4)),
        np.broadcast_to(np.arange(4.0), (5000, 4)),
        1,
        np.random.default_rng(3),
    )
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0.25, atol=0.02)


def test_operators_change_nothing_that_they_are_given():
    before = population(5, 4)
    kept, fitness = before.copy(), np.ones(before.shape[:-1])
    generator = np.random.default_rng(0)
    for found in (
        mutated(before, 1.0, generator),
        crossed(before, before),
        winners(before, fitness, 5, generator),
        normalised(before),
    ):
        found[...] = -1
    np.testing.assert_array_equal(before, kept)


# --- the search ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def score():
    data = opinions(3, skill=1.0)
    return Scorer(softmax(data.logits), data.class_ids, fitness_of("weighted_f1", data.classes))


SMALL = GeneticSearch(individuals=12, generations=6, restarts=3)


def test_every_individual_of_every_generation_lies_on_the_simplex(score):
    generations = list(genetic._generations(score, SMALL, np.random.default_rng(0)))
    assert len(generations) == 6
    for individuals, fitness in generations:
        assert individuals.shape == (3, 12, 3)
        assert on_simplex(individuals)
        np.testing.assert_array_equal(fitness, score(individuals))


def test_what_is_kept_is_the_fittest_that_ever_lived_in_any_restart(score):
    found, history = search(score, SMALL, np.random.default_rng(0))
    assert found.fitness == history.best.max()
    assert found.fitness == score(found.weights[None])[0]
    assert on_simplex(found.weights)


def test_the_history_has_a_number_for_each_generation_of_each_restart(score):
    _, history = search(score, SMALL, np.random.default_rng(0))
    assert history.best.shape == history.mean.shape == (3, 6)
    assert (history.mean <= history.best).all()


def test_the_same_generator_finds_the_same_and_another_one_searches_elsewhere(score):
    first, again, other = (
        search(score, SMALL, np.random.default_rng(seed))[1].mean for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_population_grows_fitter(score):
    _, history = search(score, GeneticSearch(restarts=1, mutation=0.1), np.random.default_rng(0))
    assert history.mean[0, -20:].mean() > history.mean[0, 0]


def test_a_single_generation_is_the_random_one(score):
    _, history = search(score, GeneticSearch(generations=1), np.random.default_rng(0))
    assert history.best.shape == (10, 1)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("individuals", 0),
        ("generations", 0),
        ("restarts", -1),
        ("tournament", 0),
        ("mutation", 1.5),
    ],
)
def test_settings_out_of_their_range_are_refused(setting, value):
    with pytest.raises(ConfigError, match=f"genetic.{setting} is {value}"):
        GeneticSearch(**{setting: value})
