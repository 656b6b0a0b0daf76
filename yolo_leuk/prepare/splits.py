"""Splits by group: nothing of one group is ever in two of train, val and test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError


@dataclass(frozen=True)
class Placement:
    """Where one picture belongs.

    Attributes:
        split: ``train``, ``val`` or ``test``.
        fold: −1 for test, 0 for val, 1 … k−1 for train.
    """

    split: str
    fold: int


def place_by_group(
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    folds: int = 5,
    test_parts: int = 5,
    seed: int = 0,
) -> list[Placement]:
    """Split by group, stratified by label: one part of ``test_parts`` to test, the rest to folds.

    Parts are alike in pictures but not in groups: one large slide can be a class's whole share.
    Test, and then val, are the parts whose poorest class has the most groups, since an interval
    over groups needs several.

    Args:
        labels: Class of each picture.
        groups: Group of each picture.
        folds: k, the number of folds of what is not test; fold 0 is ``val``.
        test_parts: The test split is one of so many parts.
        seed: Of the shuffle.

    Raises:
        DataError: A class has too few groups for a test split and folds.
    """
    _check_enough_groups(labels, groups, max(folds + 1, test_parts))
    label, group = np.asarray(labels), np.asarray(groups)
    is_test = _parts(label, group, test_parts, seed, leave=folds) == 0
    rest = ~is_test
    _check_enough_groups(label[rest], group[rest], folds, beside=" beside the test split")
    fold = np.full(len(label), -1)
    fold[rest] = _parts(label[rest], group[rest], folds, seed + 1, leave=1)
    return [Placement(split_of_fold(int(f)), int(f)) for f in fold]


def place_by_source(
    splits: Sequence[str], groups: Sequence[str], *, folds: int = 5, seed: int = 0
) -> list[Placement]:
    """Keep the source's own splits; spread the groups of its training split over folds 1 … k−1."""
    generator = np.random.default_rng(seed)
    train_groups = sorted({g for g, s in zip(groups, splits, strict=True) if s == "train"})
    fold_of = {
        group: 1 + position % (folds - 1)
        for position, group in enumerate(generator.permutation(np.array(train_groups, object)))
    }
    own = {"test": -1, "val": 0}
    return [
        Placement(split, own[split] if split in own else fold_of[group])
        for split, group in zip(splits, groups, strict=True)
    ]


def split_of_fold(fold: int) -> str:
    """The split that a fold number stands for."""
    return {-1: "test", 0: "val"}.get(fold, "train")


def _parts(
    labels: npt.NDArray[np.str_],
    groups: npt.NDArray[np.str_],
    count: int,
    seed: int,
    *,
    leave: int,
) -> npt.NDArray[np.int64]:
    """Part of each picture; part 0 is the one whose poorest class has the most groups.

    A part that leaves the others fewer than ``leave`` groups of a class is taken only if all do.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    chosen = [rows for _, rows in splitter.split(labels, labels, groups)]
    # Number of groups by part and class, shape (count, classes).
    number = np.array(
        [
            [len(set(groups[rows][labels[rows] == label])) for label in sorted(set(labels))]
            for rows in chosen
        ]
    )
    left = number.sum(axis=0) - number
    merit = [(bool(left[p].min() >= leave), int(number[p].min())) for p in range(count)]
    best = merit.index(max(merit))
    part = np.zeros(len(labels), np.int64)
    for position, rows in enumerate([chosen[best], *chosen[:best], *chosen[best + 1 :]]):
        part[rows] = position
    return part


def _check_enough_groups(
    labels: Sequence[str], groups: Sequence[str], needed: int, beside: str = ""
) -> None:
    for label in sorted(set(labels)):
        found = len({g for g, own in zip(groups, labels, strict=True) if own == label})
        if found < needed:
            raise DataError(
                f"class {label} has {found} groups{beside}; at least {needed} are needed",
                hint="Raise groups_per_class, or add pictures of other slides.",
            )
