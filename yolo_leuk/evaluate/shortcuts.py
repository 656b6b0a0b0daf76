"""Whether a classifier knows more than colour, and whether it looks at the cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from yolo_leuk.colour_numbers import colour_numbers
from yolo_leuk.evaluate.answers import Answer
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.showing import Showing
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS, SWAPPED
from yolo_leuk.records import Sample

# What each split is called by: never by itself, and never by what is tested.
_LEARNT_FROM = {"test": ("train", "val"), "val": ("train",), "train": ("val",)}

# Samples that the colour-only classifier learns from, spread evenly.
_MOST_LEARNT = 6000

_AT_ONCE = 256


@dataclass(frozen=True)
class ColourOnly:
    """What a classifier that sees eleven numbers of colour, and no form, says of the samples.

    Attributes:
        learnt_from: How many samples of other splits it learnt from.
        by_condition: Its answers on clean samples, and on those with swapped colours.
    """

    learnt_from: int
    by_condition: Mapping[str, Answer]


def colour_only(held_out: HeldOut) -> ColourOnly | None:
    """Fit a nearest neighbour on the colours of other splits, and ask it about this one.

    Returns:
        None where there is no other split to learn from.

    Raises:
        DataError: A picture cannot be read, or is not what the manifest says.
    """
    others = _others(held_out)
    if not others:
        return None
    from sklearn.neighbors import KNeighborsClassifier

    learnt = replace(held_out, samples=others)
    classifier = KNeighborsClassifier(n_neighbors=1).fit(_numbers(learnt, CLEAN), learnt.class_ids)
    return ColourOnly(
        len(others),
        {
            condition: _certain(classifier.predict(_numbers(held_out, condition)), held_out)
            for condition in (CLEAN, SWAPPED)
        },
    )


def _others(held_out: HeldOut) -> tuple[Sample, ...]:
    splits = _LEARNT_FROM.get(held_out.split, ())
    known = set(held_out.scheme.names)
    found = [s for s in held_out.data.samples if s.split in splits and s.label in known]
    return tuple(found[:: max(1, -(-len(found) // _MOST_LEARNT))])


def _numbers(held_out: HeldOut, condition: str) -> npt.NDArray[np.float32]:
    """Eleven numbers of what is shown of each sample, shape (n, 11)."""
    showing = Showing(held_out)
    count = len(held_out.samples)
    rows = []
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        shown = showing.under(CONDITIONS[condition], numbers)
        rows += [colour_numbers(rgb.reshape(-1, 3)) for rgb in shown]
    return np.stack(rows)


def _certain(calls: npt.NDArray[np.int64], held_out: HeldOut) -> Answer:
    """Calls as probabilities of 1, so that they are measured as those of a net are."""
    return Answer(np.eye(len(held_out.scheme))[calls])
