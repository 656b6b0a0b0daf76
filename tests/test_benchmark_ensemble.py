"""The benchmark of the search has peers that do the same work, and says what came out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.fresh_process import ROOT
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.probabilities import softmax


@pytest.fixture(scope="module")
def ensemble():
    """The module, imported as scripts/benchmark imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from benchmarks import ensemble
    return ensemble


@pytest.mark.parametrize("classes", [2, 4])
def test_the_peers_and_we_give_every_individual_the_same_fitness(ensemble, classes):
    data = ensemble.made_opinions(members=3, samples=60, classes=classes)
    probabilities, labels = softmax(data.logits), data.class_ids
    weights = np.random.default_rng(0).dirichlet(np.ones(3), 10)
    ours = Scorer(probabilities, labels, fitness_of("weighted_f1", data.classes))(weights)
    for score in (
        ensemble.peer.score_by_loops(probabilities.tolist(), labels.tolist()),
        ensemble.peer.score_by_numpy(probabilities, labels),
    ):
        np.testing.assert_allclose([score(own.tolist()) for own in weights], ours)


def test_the_plain_search_keeps_its_individuals_on_the_simplex_and_its_fittest(ensemble):
    seen = []

    def score(weights):
        seen.append(weights)
        return -((weights[0] - 0.7) ** 2)

    found = ensemble.peer.search(score, members=3, individuals=20, generations=10, seed=0)
    assert len(seen) == 200
    np.testing.assert_allclose(np.sum(seen, axis=1), 1)
    assert np.min(seen) >= 0
    assert found.fitness == max(score(weights) for weights in list(seen))
    assert found.weights[0] == pytest.approx(0.7, abs=0.05)


@pytest.mark.slow
def test_the_table_has_both_peers_and_no_peer_finds_fitter_weights(ensemble, capsys):
    ensemble._print_search(rounds=1, generations=1)
    lines = capsys.readouterr().out.splitlines()
    for line, name in zip(lines[2:4], ("loops over samples", "a numpy vote"), strict=True):
        assert line.startswith(name)
        *_, fitness = map(float, re.split(r"\s+", line[34:].strip()))
        assert float(lines[4].split()[-1]) >= fitness
