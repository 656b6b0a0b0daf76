"""Every way to weigh the members that is compared: one alone, all equal, and the searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yolo_leuk.ensemble import evolution, genetic, grid
from yolo_leuk.ensemble.genetic import GeneticSearch, History
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.ensemble.search import Floats

EQUAL = "equal"
GENETIC = "genetic"
GRID = "grid"
EVOLUTION = "evolution"


@dataclass(frozen=True)
class Weighings:
    """What every method found on the same samples.

    Attributes:
        weights: Of the members, shape (members,), by the name of the method.
        history: Of the genetic search.
    """

    weights: dict[str, Floats]
    history: History


def weighings(
    score: Scorer, members: Sequence[str], settings: GeneticSearch, seed: int
) -> Weighings:
    """Weigh the members by every method.

    Args:
        score: Fitness of weights on the samples to search on.
        members: Their names.
        settings: Of the genetic search.
        seed: Each search has a generator of its own, so that none depends on another.
    """
    alone = np.eye(len(members))
    by_genes, history = genetic.search(score, settings, np.random.default_rng(seed))
    return Weighings(
        {
            **{f"{name} alone": alone[number] for number, name in enumerate(members)},
            EQUAL: np.full(len(members), 1 / len(members)),
            GENETIC: by_genes.weights,
            GRID: grid.search(score).weights,
            EVOLUTION: evolution.search(score, np.random.default_rng(seed)).weights,
        },
        history,
    )
