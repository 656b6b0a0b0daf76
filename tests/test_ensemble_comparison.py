"""Methods are compared on samples that they have not seen, and only then believed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_members import opinions
from yolo_leuk.bootstrap import Figure
from yolo_leuk.ensemble.comparison import Comparison, Settings, compared, fitted_temperatures
from yolo_leuk.ensemble.decision import decided
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.genetic import GeneticSearch
from yolo_leuk.ensemble.joined import Joined
from yolo_leuk.ensemble.methods import EQUAL, EVOLUTION, GENETIC, GRID
from yolo_leuk.ensemble.parts import divided
from yolo_leuk.probabilities import fit_temperature

CLASSES = ("hem", "all")
QUICK = GeneticSearch(individuals=20, generations=10, restarts=2)


def comparison_of(data: Joined, *, wanted="weighted_f1", folds=4, draws=100, seed=0) -> Comparison:
    fitness = fitness_of(wanted, data.classes)
    return compared(data, Settings(fitness, QUICK, folds, draws, seed))


@pytest.fixture(scope="module")
def comparison():
    return comparison_of(opinions(3, skill=0.8))


# --- parts ---------------------------------------------------------------------------------------


def test_no_group_stands_on_both_sides_and_each_sample_is_held_out_once():
    data = opinions(2, per_class=20, groups_per_class=8)
    groups = np.array(data.groups)
    folds = divided(data, 5, seed=0).folds
    assert len(folds) == 5
    for learnt, held_out in folds:
        assert not set(groups[learnt]) & set(groups[held_out])
        assert set(data.class_ids[learnt]) == set(data.class_ids)
    together = np.concatenate([held_out for _, held_out in folds])
    np.testing.assert_array_equal(np.sort(together), np.arange(len(data.samples)))


def test_there_are_no_more_parts_than_the_rarest_class_has_groups():
    assert len(divided(opinions(2, groups_per_class=3), 5, seed=0).folds) == 3


def test_a_class_of_one_group_cannot_be_parted_and_the_reason_names_it():
    found = divided(opinions(2, CLASSES, groups_per_class=1), 5, seed=0)
    assert found.folds == ()
    assert found.reason == "all samples of hem are of one group"


def test_parts_that_were_not_asked_for_are_not_made():
    assert divided(opinions(2), 0, seed=0).reason == "it was not asked for"


# --- comparison ----------------------------------------------------------------------------------


def test_every_method_has_a_row(comparison):
    assert [row.method for row in comparison.rows] == [
        "net0 alone", "net1 alone", "net2 alone", EQUAL, GENETIC, GRID, EVOLUTION,
    ]  # fmt: skip
    assert comparison.folds == 4


def test_weights_of_every_method_lie_on_the_simplex(comparison):
    for row in comparison.rows:
        assert (row.weights >= 0).all()
        assert row.weights.sum() == pytest.approx(1)


def test_on_the_samples_that_it_searched_no_search_is_worse_than_equal_weights(comparison):
    equal = comparison.row(EQUAL).searched.value
    for method in (GENETIC, GRID):
        assert comparison.row(method).searched.value >= equal


def test_equal_weights_are_no_better_than_themselves(comparison):
    over_equal = comparison.row(EQUAL).over_equal
    assert (over_equal.value, over_equal.low, over_equal.high) == (0, 0, 0)


def test_the_difference_is_that_of_the_figures(comparison):
    for row in comparison.rows:
        expected = row.unseen.value - comparison.row(EQUAL).unseen.value
        assert row.over_equal.value == pytest.approx(expected)


def test_what_noise_seems_to_teach_is_gone_on_unseen_samples():
    # Members that know nothing: whatever a search gains on such data is chance.
    data = opinions(4, CLASSES, per_class=40, groups_per_class=40, skill=0.0)
    found = comparison_of(data)
    grid = found.row(GRID)
    assert grid.searched.value > found.row(EQUAL).searched.value + 0.02
    assert grid.unseen.value < grid.searched.value - 0.05


def test_a_part_is_never_voted_on_by_what_it_taught(monkeypatch):
    data = opinions(3, CLASSES, per_class=16, groups_per_class=8)
    seen = []

    def noted(learnt: Joined):
        seen.append({sample.sample_id for sample in learnt.samples})
        return fitted_temperatures(learnt)

    monkeypatch.setattr("yolo_leuk.ensemble.comparison.fitted_temperatures", noted)
    comparison_of(data)
    folds = divided(data, 4, seed=0).folds
    held_out = [{data.samples[row].sample_id for row in rows} for _, rows in folds]
    whole, *learnt = seen
    assert whole == {sample.sample_id for sample in data.samples}
    for own, others in zip(learnt, held_out, strict=True):
        assert own == whole - others


def test_temperatures_are_those_of_each_member():
    data = opinions(2, skill=2.0)
    cold = dataclasses.replace(data, logits=data.logits * np.array([1.0, 4.0])[:, None, None])
    found = fitted_temperatures(cold)
    assert found == pytest.approx([fit_temperature(own, data.class_ids) for own in cold.logits])
    assert found[1] / fitted_temperatures(data)[1] == pytest.approx(4, rel=0.01)


def test_without_parts_there_is_nothing_unseen_and_the_reason_is_told():
    found = comparison_of(opinions(2, CLASSES, groups_per_class=1))
    assert found.folds == 0
    assert "one group" in found.no_unseen
    assert all(row.unseen is None and row.over_equal is None for row in found.rows)
    assert found.to_json()["rows"][0]["unseen"] is None


def test_the_same_seed_compares_alike():
    data = opinions(3, CLASSES, skill=0.8)
    assert comparison_of(data, seed=3).to_json() == comparison_of(data, seed=3).to_json()


@pytest.mark.parametrize("wanted", ["auroc", {"macro_f1": 1.0, "auroc": 1.0}])
def test_any_fitness_can_be_compared(wanted):
    found = comparison_of(opinions(2, CLASSES, skill=0.8), wanted=wanted, folds=2, draws=20)
    for row in found.rows:
        assert row.searched.low <= row.searched.value <= row.searched.high


# --- decision ------------------------------------------------------------------------------------


def with_difference(comparison: Comparison, figure: Figure | None) -> Comparison:
    rows = [
        dataclasses.replace(row, over_equal=figure) if row.method == GENETIC else row
        for row in comparison.rows
    ]
    return dataclasses.replace(comparison, rows=tuple(rows), no_unseen="of a reason")


BETTER = Figure(0.02, 0.01, 0.03, 60, 20)
NO_BETTER = Figure(0.02, -0.01, 0.05, 60, 20)


@pytest.mark.parametrize(
    ("figure", "pick", "method", "told"),
    [
        (BETTER, "safe", GENETIC, "are better than equal ones on unseen data: +0.0200"),
        (BETTER, "genetic", GENETIC, "; they are kept"),
        (NO_BETTER, "safe", EQUAL, "are not better than equal ones on unseen data: +0.0200"),
        (NO_BETTER, "safe", EQUAL, "equal weights are kept (--pick genetic keeps the searched"),
        (NO_BETTER, "genetic", GENETIC, "kept because --pick genetic asks for it"),
        (None, "safe", EQUAL, "not compared on unseen data, because of a reason"),
        (None, "genetic", GENETIC, "kept because --pick genetic asks for it"),
    ],
)
def test_searched_weights_are_kept_where_they_are_better_or_asked_for(
    comparison, figure, pick, method, told
):
    found = decided(with_difference(comparison, figure), pick)
    assert found.method == method
    assert told in found.reason
    assert found.is_better == (figure is BETTER)
