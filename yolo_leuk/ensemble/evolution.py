"""Differential evolution, as scipy has it, for the same weights.

Storn R, Price K. J Global Optim 1997;11:341-359.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.ensemble.genetic import normalised
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.ensemble.search import Found

_GENERATIONS = 100


def search(score: Scorer, generator: np.random.Generator) -> Found:
    """The fittest weights that were found from numbers between 0 and 1, which are normalised."""
    from scipy.optimize import differential_evolution

    def unfitness(genes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return -score(normalised(genes.T))  # scipy has a column for each individual

    found = differential_evolution(
        unfitness,
        [(0.0, 1.0)] * score.members,
        maxiter=_GENERATIONS,
        vectorized=True,
        updating="deferred",
        tol=0,  # fitness differs little between weights, and that is no reason to stop
        polish=False,  # gradients of counts are zero
        seed=generator,
    )
    return Found(normalised(found.x), -float(found.fun))
