"""Which samples a run learns from, and which it is measured on: fold K against all others.

``test`` is in no fold, so it is never touched. ``val`` is fold 0: a run of fold 0 learns from
``train`` and is measured on ``val``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yolo_leuk.dataset import is_turned_copy
from yolo_leuk.errors import LeakageError, UsageError
from yolo_leuk.records import Sample


@dataclass(frozen=True)
class Division:
    """The samples of a run.

    Attributes:
        training: What it learns from.
        validation: What its epochs are chosen by, and its thresholds and probabilities are of.
    """

    training: tuple[Sample, ...]
    validation: tuple[Sample, ...]


def folds_of(samples: Sequence[Sample]) -> tuple[int, ...]:
    """The folds of a manifest, in order."""
    return tuple(sorted({sample.fold for sample in samples if sample.split != "test"}))


def divided(samples: Sequence[Sample], fold: int) -> Division:
    """Fold ``fold`` to validate on, all other folds to learn from.

    Turned copies, which ``prepare`` makes for balance, are learnt from and never validated on.

    Raises:
        UsageError: There is no such fold.
        LeakageError: A group or a source file stands in the fold and in another one.
    """
    folds = folds_of(samples)
    if fold not in folds:
        raise UsageError(
            f"there is no fold {fold}; the data set has {', '.join(map(str, folds)) or 'none'}",
            hint="Name one of these by --fold, or prepare the data set with more --folds.",
        )
    inside = [sample for sample in samples if sample.fold == fold]
    outside = [sample for sample in samples if sample.split != "test" and sample.fold != fold]
    for what, key in (("group", "group"), ("file", "sha256")):
        _check_apart(inside, outside, what, key)
    return Division(
        training=tuple(outside),
        validation=tuple(sample for sample in inside if not is_turned_copy(sample)),
    )


def _check_apart(inside: Sequence[Sample], outside: Sequence[Sample], what: str, key: str) -> None:
    home = {getattr(sample, key): sample for sample in outside}
    for sample in inside:
        other = home.get(getattr(sample, key))
        if other is not None:
            raise LeakageError(
                f"one {what} in two folds: {sample.sample_id} is in fold {sample.fold}, "
                f"{other.sample_id} in fold {other.fold} ({key} {getattr(sample, key)})",
                hint="Prepare the data set again.",
            )
