"""What a search may make large, and the intervals of it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_members import opinions
from yolo_leuk.bootstrap import GroupBootstrap, over_groups
from yolo_leuk.confusion import STAGES
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.errors import ConfigError
from yolo_leuk.probabilities import softmax, vote


@pytest.mark.parametrize("wanted", [{}, {"auroc": 0.0}, {"auroc": -1.0, "macro_f1": 2.0}])
def test_shares_that_make_no_blend_are_refused(wanted):
    with pytest.raises(ConfigError, match="shares of the fitness"):
        fitness_of(wanted, STAGES)


def test_the_cost_is_refused_where_the_classes_are_no_stages():
    with pytest.raises(ConfigError, match="the classes are hem, all") as caught:
        fitness_of("cost", ("hem", "all"))
    assert "--fitness" in caught.value.hint


@pytest.mark.parametrize("wanted", ["weighted_f1", "cost", "auroc", {"macro_f1": 1, "auroc": 2}])
def test_what_is_drawn_begins_with_the_score_itself(wanted):
    data = opinions(3)
    members = softmax(data.logits)
    fitness = fitness_of(wanted, data.classes)
    weights = np.array([0.2, 0.5, 0.3])
    bootstrap = GroupBootstrap(data.groups, draws=5)
    drawn = fitness.drawn(vote(members, weights), data.class_ids, bootstrap)
    assert drawn.shape == (6,)
    assert drawn[0] == pytest.approx(float(Scorer(members, data.class_ids, fitness)(weights)))


@pytest.mark.parametrize("wanted", ["weighted_f1", "auroc"])
def test_the_interval_is_that_of_drawing_the_samples_of_groups_one_by_one(wanted):
    data = opinions(1, ("hem", "all"), per_class=10, groups_per_class=5, skill=0.5)
    votes = softmax(data.logits)[0]
    labels, fitness = data.class_ids, fitness_of(wanted, data.classes)

    def of_rows(rows):
        score = Scorer(votes[None, rows], labels[rows], fitness)
        return float(score(np.ones((1, 1)))[0])

    strata = [sample.label for sample in data.samples]
    expected = over_groups(of_rows, data.groups, strata=strata, draws=200, seed=3)
    bootstrap = GroupBootstrap(data.groups, strata=strata, draws=200, seed=3)
    found = bootstrap.figure(fitness.drawn(votes, labels, bootstrap))
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
