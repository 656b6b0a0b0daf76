"""The fast score of many votes is the plain one of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from yolo_leuk.confusion import STAGES, confusion_matrices, misclassification_cost
from yolo_leuk.ensemble import scorer
from yolo_leuk.ensemble.fitness import Fitness, fitness_of
from yolo_leuk.ensemble.scorer import Scorer


@st.composite
def elections(draw):
    """Probabilities (m, n, k) of members that agree on some samples, labels, weights (p, m)."""
    k, m = draw(st.integers(2, 5)), draw(st.integers(1, 5))
    n, p = draw(st.integers(k, 40)), draw(st.integers(1, 8))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    labels = np.append(np.arange(k), generator.integers(0, k, n - k))
    logits = generator.normal(0, 1, (m, n, k)) + 4 * np.eye(k)[labels] * (
        generator.random((n, 1)) < 0.5
    )
    odds = np.exp(logits)
    return odds / odds.sum(axis=-1, keepdims=True), labels, generator.dirichlet(np.ones(m), p)


def plain_votes(probabilities, weights):
    return [sum(w * p for w, p in zip(own, probabilities, strict=True)) for own in weights]


_BY_SCIKIT_LEARN = {
    "weighted_f1": lambda y, votes: metrics.f1_score(y, votes.argmax(1), average="weighted"),
    "macro_f1": lambda y, votes: metrics.f1_score(y, votes.argmax(1), average="macro"),
    "balanced_accuracy": lambda y, votes: metrics.balanced_accuracy_score(y, votes.argmax(1)),
    "auroc": lambda y, votes: np.mean(
        [metrics.roc_auc_score(y == c, votes[:, c]) for c in range(votes.shape[1])]
    ),
}


@pytest.mark.parametrize("figure", sorted(_BY_SCIKIT_LEARN))
@settings(max_examples=40)
@given(elections())
def test_the_score_of_each_vote_is_that_of_scikit_learn(figure, case):
    probabilities, labels, weights = case
    classes = [str(c) for c in range(probabilities.shape[2])]
    found = Scorer(probabilities, labels, fitness_of(figure, classes))(weights)
    expected = [_BY_SCIKIT_LEARN[figure](labels, v) for v in plain_votes(probabilities, weights)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def four_stages(members: int = 3, n: int = 60):
    generator = np.random.default_rng(4)
    labels = generator.integers(0, 4, n)
    return generator.dirichlet(np.ones(4), (members, n)), labels


def test_the_cost_is_that_of_each_vote():
    probabilities, labels = four_stages()
    weights = np.random.default_rng(5).dirichlet(np.ones(3), 6)
    found = Scorer(probabilities, labels, fitness_of("cost", STAGES))(weights)
    for score, votes in zip(found, plain_votes(probabilities, weights), strict=True):
        matrix = confusion_matrices(labels, votes.argmax(1), 4)
        assert score == pytest.approx(float(misclassification_cost(matrix, STAGES).score))


def test_a_blend_is_the_weighted_mean_of_its_figures():
    probabilities, labels = four_stages()
    weights = np.random.default_rng(6).dirichlet(np.ones(3), 6)

    def score(wanted):
        return Scorer(probabilities, labels, fitness_of(wanted, STAGES))(weights)

    blend = score({"weighted_f1": 3.0, "auroc": 1.0, "cost": 4.0})
    expected = 0.375 * score("weighted_f1") + 0.125 * score("auroc") + 0.5 * score("cost")
    np.testing.assert_allclose(blend, expected)


def test_populations_of_any_shape_are_scored_and_in_parts_as_at_once(monkeypatch):
    probabilities, labels = four_stages()
    weights = np.random.default_rng(7).dirichlet(np.ones(3), (5, 4))
    fitness = fitness_of({"weighted_f1": 1.0, "auroc": 1.0}, STAGES)
    whole = Scorer(probabilities, labels, fitness)(weights)
    assert whole.shape == (5, 4)
    monkeypatch.setattr(scorer, "_PART_BYTES", 1)
    np.testing.assert_allclose(Scorer(probabilities, labels, fitness)(weights), whole, atol=1e-15)


def test_where_members_agree_on_every_sample_all_weights_score_alike():
    one = np.random.default_rng(8).dirichlet(np.ones(4), 30)
    labels = np.arange(30) % 4
    weights = np.random.default_rng(9).dirichlet(np.ones(3), 5)
    found = Scorer(np.stack([one] * 3), labels, fitness_of("weighted_f1", STAGES))(weights)
    expected = metrics.f1_score(labels, one.argmax(1), average="weighted")
    np.testing.assert_allclose(found, expected)


def test_a_tie_goes_to_the_first_class_as_argmax_has_it():
    halves = np.full((2, 3, 2), 0.5)
    halves[0, 0], halves[1, 0] = (0.25, 0.75), (0.75, 0.25)  # disputed, and even by equal votes
    labels = np.array([0, 0, 1])
    found = Scorer(halves, labels, fitness_of("weighted_f1", "ab"))(np.array([[0.5, 0.5]]))
    assert found[0] == pytest.approx(
        metrics.f1_score(labels, [0, 0, 0], average="weighted", zero_division=0)
    )


def test_the_title_of_a_fitness_tells_its_shares():
    assert fitness_of("macro_f1", "ab").title == "macro F1"
    blend = fitness_of({"weighted_f1": 3.0, "auroc": 1.0}, "ab")
    assert blend.title == "0.75 weighted F1 + 0.25 AUROC"
    assert isinstance(blend, Fitness)
