"""The best of all weights on a grid: what any other search should come near to."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.ensemble.search import Found, best_of

# So that two and three members take steps of 0.01, four of 0.02, five of 0.05, six of 0.1.
_STEPS = (100, 50, 20, 10, 5, 2, 1)
_MOST_POINTS = 25_000


def search(score: Scorer) -> Found:
    """Weights of the highest fitness on the grid."""
    points = simplex_grid(score.members, steps_of(score.members))
    return best_of(points, score(points))


def steps_of(members: int) -> int:
    """How many steps there are from 0 to 1: the most for which the grid stays small."""
    fine = (steps for steps in _STEPS if _points(members, steps) <= _MOST_POINTS)
    return next(fine, _STEPS[-1])


def simplex_grid(members: int, steps: int) -> npt.NDArray[np.float64]:
    """All weights that are whole multiples of 1 / steps and sum to 1.

    Each is a way to part ``steps`` stones by ``members − 1`` bars.

    Returns:
        Shape (points, members).
    """
    places = range(steps + members - 1)
    bars = np.array(list(itertools.combinations(places, members - 1)), np.int64)
    ends = np.full((len(bars), 1), steps + members - 1)
    edges = np.concatenate([np.full_like(ends, -1), bars, ends], axis=1)
    return np.asarray((np.diff(edges, axis=1) - 1) / steps)


def _points(members: int, steps: int) -> int:
    return math.comb(steps + members - 1, members - 1)
