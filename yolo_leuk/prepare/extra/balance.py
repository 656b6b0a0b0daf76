"""Classes of the training split made to count alike: by weights, or by turned copies.

Only the training split is touched; what is measured on val and test stays as it was found.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yolo_leuk.errors import DataError
from yolo_leuk.records import Sample

# The eight flips and right-angle turns but the one that changes nothing, as
# yolo_leuk.pixels.turned takes them: quarter turns, mirrored.
TURNS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))[1:]


@dataclass(frozen=True)
class ExtraTurn:
    """A turned copy of a sample of the training split.

    Attributes:
        sample_id: Of the sample.
        quarter_turns: As in :func:`yolo_leuk.pixels.turned`.
        mirrored: Likewise.
    """

    sample_id: str
    quarter_turns: int
    mirrored: bool

    @property
    def name(self) -> str:
        """The copy's own sample_id."""
        return f"{self.sample_id}-{'m' if self.mirrored else 't'}{self.quarter_turns}"

    @property
    def step(self) -> str:
        """What stands in ``steps``."""
        return f"turned: {90 * self.quarter_turns}°{', mirrored' if self.mirrored else ''}"


def class_weights(samples: Sequence[Sample]) -> dict[str, float]:
    """Weight of each class of the training split, by name: the inverse of its share.

    The mean over the samples is 1, so that a weighted loss keeps its scale (scikit-learn's
    ``balanced``): n ÷ (classes · n of the class).

    Raises:
        DataError: The training split has no sample with a class.
    """
    counts = _training_counts(samples)
    total = sum(counts.values())
    return {label: total / (len(counts) * counts[label]) for label in sorted(counts)}


def extra_turns(samples: Sequence[Sample], seed: int, count: int = 0) -> list[ExtraTurn]:
    """Turned copies with which every class of the training split has the same count.

    No sample is turned once more than another of its class before all have been; none is turned
    the same way twice. What is chosen does not depend on the order of ``samples``.

    Args:
        samples: Of all splits.
        seed: Of the choice.
        count: Samples of each class that come out; 0 is what the largest class has.

    Returns:
        Sorted by name.

    Raises:
        DataError: The training split has no sample with a class; a class has more than ``count``;
            or one has too few: its samples and their seven turns do not reach the count. (Copies
            of copies would only repeat pictures.)
    """
    counts = _training_counts(samples)
    wanted = count or max(counts.values())
    _check_reach(counts, wanted)
    extra: list[ExtraTurn] = []
    for label in counts:
        members = sorted(s.sample_id for s in samples if s.split == "train" and s.label == label)
        extra += _turns_of_class(members, wanted - len(members), seed)
    return sorted(extra, key=lambda turn: turn.name)


def _turns_of_class(members: Sequence[str], missing: int, seed: int) -> list[ExtraTurn]:
    """``missing`` turned copies, spread as evenly over the members as they can be."""
    order = sorted(members, key=lambda sample_id: _digest(seed, sample_id))
    turns_of = {
        sample_id: np.random.default_rng([*_digest(seed, sample_id)]).permutation(len(TURNS))
        for sample_id in order[: min(missing, len(order))]
    }
    extra = []
    for number in range(missing):
        sample_id = order[number % len(order)]
        turns, mirrored = TURNS[turns_of[sample_id][number // len(order)]]
        extra.append(ExtraTurn(sample_id, turns, mirrored))
    return extra


def _training_counts(samples: Sequence[Sample]) -> Counter[str]:
    counts = Counter(s.label for s in samples if s.split == "train" and s.label)
    if not counts:
        raise DataError(
            "balance: expected samples with a class in the training split, got none",
            hint="Balance is for classification; leave it out for detection.",
        )
    return counts


def _check_reach(counts: Counter[str], wanted: int) -> None:
    for label, number in sorted(counts.items()):
        if number > wanted:
            raise DataError(
                f"balance: expected at most {wanted} training samples of each class, "
                f"{label} has {number}",
                hint="Ask for a count that no class exceeds, or for 0: that of the largest.",
            )
        if number * (1 + len(TURNS)) < wanted:
            raise DataError(
                f"balance: expected {wanted} training samples of each class; {label} has {number}, "
                f"with all its turns {number * (1 + len(TURNS))}",
                hint="Balance by weights instead.",
            )


def _digest(seed: int, sample_id: str) -> bytes:
    return hashlib.sha256(f"{seed}/{sample_id}".encode()).digest()
