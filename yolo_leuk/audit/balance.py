"""How many pictures of each class each split has, and what is missing where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NO_SPLIT = "no split"
NO_CLASS = "no class"


@dataclass(frozen=True)
class Balance:
    """Counts.

    Attributes:
        counts: Split, then class, to number of pictures or boxes.
        ratio: Of the commonest class to the rarest, over all splits; None with fewer than two.
        absent: (split, class) pairs: the class is in the data set, but not in this split.
    """

    counts: dict[str, dict[str, int]]
    ratio: float | None
    absent: tuple[tuple[str, str], ...]


def balance_of(pairs: Iterable[tuple[str, str]], splits: Sequence[str]) -> Balance:
    """Count (split, class) pairs.

    Args:
        pairs: One per picture or box; either may be empty.
        splits: In the order in which they are to be listed.
    """
    found = Counter((split or NO_SPLIT, label or NO_CLASS) for split, label in pairs)
    present = {split for split, _ in found}
    names = [split for split in (*splits, NO_SPLIT) if split in present]
    labels = sorted({label for _, label in found} - {NO_CLASS})
    listed = [*labels, NO_CLASS] if any(label == NO_CLASS for _, label in found) else labels
    counts = {split: {label: found[split, label] for label in listed} for split in names}
    totals = [sum(found[split, label] for split in names) for label in labels]
    # A split without any class, such as a hidden test, lacks none of them.
    with_classes = [split for split in names if any(found[split, label] for label in labels)]
    return Balance(
        counts=counts,
        ratio=max(totals) / min(totals) if len(totals) > 1 else None,
        absent=tuple((s, c) for s in with_classes for c in labels if not found[s, c]),
    )
