"""How well something predicts the class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from yolo_leuk.audit.probe import (
    OPTIMISTIC,
    commonest,
    linear,
    nearest_neighbour,
    scores_of,
    trials_of,
)


def names(trials):
    return [trial.name for trial in trials.trials]


def test_train_teaches_and_each_other_split_is_called():
    trials = trials_of(["train", "train", "test", "val"], list("abab"), [""] * 4, seed=0)
    assert names(trials) == ["val", "test"]
    assert [trial.learn.tolist() for trial in trials.trials] == [[0, 1], [0, 1]]
    assert [trial.call.tolist() for trial in trials.trials] == [[3], [2]]
    assert trials.warning == ""


def test_folds_are_each_called_by_the_others():
    trials = trials_of(["fold_0", "fold_1", "fold_0"], list("aab"), [""] * 3, seed=0)
    assert names(trials) == ["all splits", "all splits"]
    assert [trial.call.tolist() for trial in trials.trials] == [[0, 2], [1]]


def test_pictures_without_a_class_take_no_part():
    trials = trials_of(["train", "train", "train", "test"], ["a", "", "b", "a"], [""] * 4, seed=0)
    assert trials.trials[0].learn.tolist() == [0, 2]


def test_without_splits_the_parts_are_random_and_said_to_be_optimistic():
    trials = trials_of([""] * 20, list("ab" * 10), [""] * 20, seed=0)
    assert names(trials) == ["random parts"] * 5
    assert trials.warning == OPTIMISTIC
    called = np.concatenate([trial.call for trial in trials.trials])
    assert sorted(called.tolist()) == list(range(20))


def test_without_splits_named_groups_stay_together():
    groups = [f"g{row // 4}" for row in range(40)]
    trials = trials_of([""] * 40, [f"{row // 4 % 2}" for row in range(40)], groups, seed=0)
    assert names(trials) == ["parts by group"] * 5
    for trial in trials.trials:
        assert not {groups[row] for row in trial.learn} & {groups[row] for row in trial.call}


@pytest.mark.parametrize("labels", [["a"] * 20, [""] * 20, ["a"] * 18 + ["b"] * 2])
def test_too_few_classes_or_pictures_cannot_be_tried(labels):
    assert trials_of([""] * 20, labels, [""] * 20, seed=0) is None


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = [str(label) for label in rng.integers(0, 3, 200)]
    features = rng.normal(size=(200, 2)) + np.array([[int(label)] for label in labels])
    trials = trials_of(["train"] * 100 + ["test"] * 100, labels, [""] * 200, seed=0)
    (score,) = scores_of(features, labels, trials, nearest_neighbour)
    called = nearest_neighbour(features[:100], np.array(labels[:100]), features[100:])
    assert score.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels[100:], called))
    assert score.accuracy == pytest.approx(np.mean(np.array(labels[100:]) == called))
    assert score.chance == pytest.approx(1 / 3)


@pytest.mark.parametrize("classifier", [nearest_neighbour, linear])
def test_noise_is_not_above_chance_and_a_giveaway_is(classifier):
    rng = np.random.default_rng(0)
    labels = ["a", "b"] * 100
    trials = trials_of(["train"] * 100 + ["test"] * 100, labels, [""] * 200, seed=0)
    noise = rng.normal(size=(200, 20))
    (score,) = scores_of(noise, labels, trials, classifier)
    assert not score.is_above_chance
    noise[1::2, 3] += 20
    (score,) = scores_of(noise, labels, trials, classifier)
    assert score.balanced_accuracy == 1
    assert score.is_above_chance


@pytest.mark.parametrize("classifier", [nearest_neighbour, linear])
def test_features_that_never_vary_do_no_better_than_a_guess(classifier):
    labels = ["a", "b"] * 20
    trials = trials_of(["train"] * 20 + ["test"] * 20, labels, [""] * 40, seed=0)
    (score,) = scores_of(np.zeros((40, 5)), labels, trials, classifier)
    assert score.balanced_accuracy == 0.5


def test_ten_points_above_chance_on_few_pictures_is_luck():
    labels = ["a", "b"] * 10
    trials = trials_of(["train"] * 10 + ["test"] * 10, labels, [""] * 20, seed=0)
    (score,) = scores_of(np.zeros((20, 1)), labels, trials, lambda *_: np.array(list("abababaaaa")))
    assert score.balanced_accuracy == 0.8
    assert not score.is_above_chance


def test_a_value_is_called_the_class_that_has_the_largest_share_there():
    values = np.array(["png"] * 3 + ["jpg"] * 7)
    labels = np.array(["rare", "rare", "usual"] + ["usual"] * 7)
    called = commonest(values, labels, np.array(["png", "jpg", "bmp"]))
    assert called.tolist() == ["rare", "usual", "usual"]
