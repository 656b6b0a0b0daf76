"""Intervals rest on groups, and the quick ways give what drawing the rows themselves gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_leuk.bootstrap import GroupBootstrap, over_groups


@pytest.fixture
def rows():
    """Forty groups of unequal size, each of one class; values that differ between groups."""
    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 9, 40)
    group = np.repeat(np.arange(40), sizes)
    values = generator.normal(size=40)[group] + generator.normal(scale=0.1, size=len(group))
    return [f"g{g:02}" for g in group], [f"c{g % 3}" for g in group], values


def plain_draws(groups, strata, draws, seed):
    """Rows of each draw, one group after the other."""
    names, stratum = np.array(groups), np.array(strata)
    pools = [np.unique(names[stratum == s]) for s in np.unique(stratum)]
    generator = np.random.default_rng(seed)
    for _ in range(draws):
        chosen = [name for pool in pools for name in generator.choice(pool, len(pool))]
        yield np.concatenate([np.flatnonzero(names == name) for name in chosen])


def test_the_interval_is_that_of_drawing_the_rows_of_whole_groups(rows):
    groups, strata, values = rows
    plain = [values[drawn].mean() for drawn in plain_draws(groups, strata, 300, 4)]
    figure = over_groups(lambda r: values[r].mean(), groups, strata=strata, draws=300, seed=4)
    assert figure.value == pytest.approx(values.mean())
    assert (figure.low, figure.high) == pytest.approx(np.quantile(plain, (0.025, 0.975)))
    assert (figure.samples, figure.groups) == (len(values), 40)


def test_sums_tallies_weights_and_rows_give_the_same_draws(rows):
    groups, strata, values = rows
    bootstrap = GroupBootstrap(groups, strata=strata, draws=50, seed=1)
    by_rows = bootstrap.of_rows(lambda r: values[r].sum())
    assert bootstrap.sums(values) == pytest.approx(by_rows)
    assert bootstrap.weighted(lambda w: w @ values) == pytest.approx(by_rows)
    order = np.argsort(values)
    assert bootstrap.weighted(lambda w: w @ values[order], order) == pytest.approx(by_rows)
    thirds = np.digitize(values, np.quantile(values, [1 / 3, 2 / 3]))
    expected = bootstrap.sums(thirds[:, None] == np.arange(3))
    assert np.array_equal(bootstrap.tallies(thirds, 3), expected)


def test_sums_keep_the_shape_of_what_is_summed(rows):
    groups, _, values = rows
    bootstrap = GroupBootstrap(groups, draws=7)
    assert bootstrap.sums(np.ones((len(values), 2, 3))).shape == (8, 2, 3)
    assert bootstrap.sums(np.ones((len(values), 2, 3)))[0].tolist() == [[len(values)] * 3] * 2


def test_a_stratum_keeps_its_number_of_groups_in_every_draw(rows):
    groups, strata, _ = rows
    first_rows = np.array([i for i, g in enumerate(groups) if g not in groups[:i]])
    one_per_group = GroupBootstrap(
        [groups[i] for i in first_rows], strata=[strata[i] for i in first_rows], draws=100
    )
    class_of = np.array([int(strata[i][1:]) for i in first_rows])
    tallies = one_per_group.tallies(class_of, 3)
    assert (tallies == tallies[0]).all()


def test_a_group_of_two_classes_is_drawn_once_and_not_in_two_strata():
    groups = ["a", "a", "a", "b", "b"]
    bootstrap = GroupBootstrap(groups, strata=["x", "x", "y", "x", "y"], draws=200)
    tallies = bootstrap.tallies(np.array([0, 0, 0, 1, 1]), 2)
    assert {tuple(row) for row in tallies} == {(6, 0), (3, 2), (0, 4)}


def test_many_samples_of_few_groups_do_not_make_an_interval_narrow():
    generator = np.random.default_rng(2)
    levels = generator.normal(size=10)
    values = np.repeat(levels, 500)
    by_group = over_groups(lambda r: values[r].mean(), [str(i // 500) for i in range(5000)])
    by_row = over_groups(lambda r: values[r].mean(), [str(i) for i in range(5000)], draws=200)
    assert by_group.width > 10 * by_row.width


def test_a_paired_difference_is_narrower_than_two_figures_apart(rows):
    groups, _, values = rows
    better = values + 0.05
    bootstrap = GroupBootstrap(groups, draws=500)
    one, other = (bootstrap.sums(v) / bootstrap.sums(np.ones(len(v))) for v in (better, values))
    difference = bootstrap.figure(one - other)
    assert difference.value == pytest.approx(0.05)
    assert difference.low > 0
    assert difference.width < bootstrap.figure(one).width / 10


def test_useless_draws_are_left_out_and_a_figure_without_meaning_has_no_interval():
    bootstrap = GroupBootstrap(["a", "b"], draws=400)

    def of_a_alone(counts):
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 / counts[:, 0]

    drawn = of_a_alone(bootstrap.tallies(np.array([0, 1]), 2))
    drawn[np.isinf(drawn)] = np.nan
    figure = bootstrap.figure(drawn)
    assert (figure.value, figure.low, figure.high) == (1.0, 0.5, 1.0)
    nothing = bootstrap.figure(np.full(401, np.nan))
    assert math.isnan(nothing.low)
    assert nothing.to_json() == {
        "value": None,
        "low": None,
        "high": None,
        "samples": 2,
        "groups": 2,
    }


def test_the_same_seed_gives_the_same_interval(rows):
    groups, strata, values = rows

    def interval(seed):
        bootstrap = GroupBootstrap(groups, strata=strata, draws=100, seed=seed)
        return bootstrap.figure(bootstrap.sums(values))

    assert interval(3) == interval(3)
    assert interval(3) != interval(4)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 3))
def test_every_draw_has_as_many_groups_as_the_data(groups, seed):
    names = [str(g) for g in groups]
    bootstrap = GroupBootstrap(names, draws=5, seed=seed)
    sizes = np.array([1 / names.count(name) for name in names])
    assert bootstrap.sums(sizes) == pytest.approx(np.full(6, len(set(names))))
