"""What every search hands back: the weights that it found, and how good their vote is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Weights, shape (members,), none below 0 and summing to 1, and their fitness."""

    weights: Floats
    fitness: float


def best_of(weights: Floats, fitness: Floats, before: Found | None = None) -> Found:
    """The fittest, among ``before`` too; of equally fit ones the nearest to equal weights.

    Fitness counts calls, so whole regions of weights share one value. Nearest to equal is a choice
    that does not depend on the search, and leans least on the data.

    Args:
        weights: Shape (p, members).
        fitness: Shape (p,).
        before: What an earlier part of the search found.
    """
    fittest = np.flatnonzero(fitness == fitness.max())
    nearest = int(fittest[_unevenness(weights[fittest]).argmin()])
    found = Found(weights[nearest].copy(), float(fitness[nearest]))
    if before is None or found.fitness > before.fitness:
        return found
    if found.fitness < before.fitness:
        return before
    return found if _unevenness(found.weights) < _unevenness(before.weights) else before


def _unevenness(weights: Floats) -> Floats:
    """Of weights that sum to 1 those nearest to equal have the least sum of squares."""
    return np.asarray((weights**2).sum(axis=-1))
