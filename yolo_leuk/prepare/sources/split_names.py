"""Train, val and test, whatever a source calls them."""

from __future__ import annotations

from collections.abc import Iterable

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def split_named(words: Iterable[str]) -> str | None:
    """The split that the first word which means one stands for; None where none does."""
    found = (_SPLITS.get(word.lower()) for word in words)
    return next((split for split in found if split is not None), None)
