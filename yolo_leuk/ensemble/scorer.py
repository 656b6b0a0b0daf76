"""The fitness of many votes at once.

Three things make it fast, and none changes a result. Where all members call a sample the same, so
does any vote of theirs: such samples are counted once, beforehand. Of two classes the vote of the
difference says all. And confusion matrices of many votes are a product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from yolo_leuk.confusion import confusion_matrices
from yolo_leuk.ensemble.areas import areas
from yolo_leuk.ensemble.fitness import Fitness
from yolo_leuk.probabilities import vote

Floats = npt.NDArray[np.float64]

# What the votes of one part take: enough to outweigh the calls, and not so much that they leave
# the cache.
_PART_BYTES = 8 << 20


class Scorer:
    """Scores weights by the fitness of their vote.

    Args:
        probabilities: Of each member, calibrated, shape (m, n, classes).
        labels: Class ids, shape (n,).
        fitness: What is to be large.
    """

    def __init__(
        self, probabilities: Floats, labels: npt.NDArray[np.integer], fitness: Fitness
    ) -> None:
        self._fitness = fitness
        self._labels = labels
        classes = probabilities.shape[2]
        calls = probabilities.argmax(axis=2)
        agreed = (calls == calls[0]).all(axis=0)
        self._agreed = confusion_matrices(labels[agreed], calls[0, agreed], classes)
        # Class before sample: then a vote of one class is one run of memory.
        self._by_class = np.ascontiguousarray(probabilities.transpose(0, 2, 1))
        self._disputed = np.ascontiguousarray(self._by_class[:, :, ~agreed])
        if classes == 2:
            self._by_class = np.ascontiguousarray(self._by_class[:, 1:])
            self._disputed = self._disputed[:, 1:] - self._disputed[:, :1]
        # Counts in float32 are exact up to 2²⁴ samples.
        self._is_class = np.eye(classes, dtype=np.float32)[labels[~agreed]]

    @property
    def members(self) -> int:
        """How many weights a vote has."""
        return len(self._by_class)

    def __call__(self, weights: Floats) -> Floats:
        """Fitness of each vote.

        Args:
            weights: None below 0, summing to 1 over the last axis, shape (…, members).

        Returns:
            Shape (…).
        """
        rows = weights.reshape(-1, self.members)
        fitness = np.zeros(len(rows))
        if self._fitness.needs_calls:
            matrices = _by_parts(self._matrices, rows, self._disputed[0].nbytes)
            fitness += self._fitness.of_calls(matrices)
        if self._fitness.needs_ranks:
            areas = _by_parts(self._areas, rows, self._by_class[0].nbytes)
            fitness += self._fitness.of_ranks(areas)
        return fitness.reshape(weights.shape[:-1])

    def _matrices(self, weights: Floats) -> Floats:
        """Confusion matrices, shape (p, classes, classes), of weights (p, members)."""
        called = _called(vote(self._disputed, weights))
        counts = np.stack([one.astype(np.float32) @ self._is_class for one in called], axis=-1)
        first = self._is_class.sum(axis=0) - counts.sum(axis=-1)
        return np.concatenate([first[..., None], counts], axis=-1).astype(np.float64) + self._agreed

    def _areas(self, weights: Floats) -> Floats:
        """Mean area under the ROC curves of the classes, shape (p,), of weights (p, members)."""
        votes = vote(self._by_class, weights)
        first = len(self._agreed) - votes.shape[1]  # of two classes the second alone is there
        each = [
            areas(votes[:, number], self._labels == first + number)
            for number in range(votes.shape[1])
            if (self._labels == first + number).any()
        ]
        return np.asarray(np.mean(each, axis=0))


def _by_parts(function: Callable[[Floats], Floats], rows: Floats, bytes_of_vote: int) -> Floats:
    step = max(1, _PART_BYTES // max(1, bytes_of_vote))
    return np.concatenate([function(rows[i : i + step]) for i in range(0, len(rows), step)])


def _called(votes: Floats) -> list[npt.NDArray[np.bool_]]:
    """Which samples are called each class but the first: the most probable one, or first of such.

    Args:
        votes: Shape (p, classes, n); of two classes the second less the first, (p, 1, n).

    Returns:
        For each class but the first, shape (p, n).
    """
    if votes.shape[1] == 1:
        return [votes[:, 0] > 0]
    highest = votes[:, 0].copy()
    called = np.zeros(highest.shape, np.uint8)
    for number in range(1, votes.shape[1]):
        # Numbers rise, so the larger of two is the later one. (Assignment by mask is far slower.)
        is_higher = votes[:, number] > highest
        np.maximum(called, is_higher.view(np.uint8) * np.uint8(number), out=called)
        np.maximum(highest, votes[:, number], out=highest)
    return [called == number for number in range(1, votes.shape[1])]
