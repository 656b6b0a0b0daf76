"""Splits by group: nothing of one group is ever in two of train, val and test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split.subjects import in_natural_order, patients_of

if TYPE_CHECKING:
    from yolo_leuk.prepare.facts import PictureFacts

TEST_PARTS = 5
"""The test split is one of so many parts."""


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
    test_parts: int = TEST_PARTS,
    seed: int = 0,
    first_fold: int = 0,
) -> list[Placement]:
    """Split by group, stratified by label: one part of ``test_parts`` to test, the rest to folds.

    Parts are alike in pictures but not in groups: one large slide can be a class's whole share.
    Test, and then val, are the parts whose poorest class has the most groups, since an interval
    over groups needs several.

    Args:
        labels: Class of each picture.
        groups: Group of each picture.
        folds: k, the number of folds of what is not test; fold 0 is ``val``.
        test_parts: The test split is one of so many parts; 0 where the source has its own.
        seed: Of the shuffle.
        first_fold: 1 where the source has its own ``val``, and folds 1 … k−1 are to be filled.

    Raises:
        DataError: A class has too few groups for a test split and folds.
    """
    parts = folds - first_fold
    _check_enough_groups(labels, groups, max(parts + 1, test_parts) if test_parts else parts)
    label, group = np.asarray(labels), np.asarray(groups)
    rest = np.ones(len(label), bool)
    if test_parts:
        rest = _parts(label, group, test_parts, seed, leave=parts) > 0
        _check_enough_groups(
            label[rest].tolist(), group[rest].tolist(), parts, beside=" beside the test split"
        )
    fold = np.full(len(label), -1)
    fold[rest] = first_fold + _parts(label[rest], group[rest], parts, seed + 1, leave=1)
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


def place_official(images: Sequence[SourceImage]) -> list[Placement]:
    """Take the folds of a source that has folds of its own: 0 is ``val``, all others are ``train``.

    Pictures without a fold are ``test``: in C-NMC the labelled validation images. Groups are then
    subjects as the source spells them, since patients with two numbers stand in two of its folds;
    :func:`leaks_of_official` says which.

    Raises:
        DataError: A data set has no folds.
    """
    with_folds = {image.data_set for image in images if image.fold is not None}
    without = sorted({image.data_set for image in images} - with_folds)
    if without:
        raise DataError(
            f"{', '.join(without)} has no folds of its own",
            hint="Only sources such as C-NMC have official folds; prepare others on their own.",
        )
    folds = (-1 if image.fold is None else image.fold for image in images)
    return [Placement(split_of_fold(fold), fold) for fold in folds]


def leaks_of_official(
    images: Sequence[SourceImage],
    joined: Sequence[Sequence[str]],
    facts: Sequence[PictureFacts],
) -> tuple[str, ...]:
    """A sentence for each patient whose subjects stand in several of the source's own folds.

    Args:
        images: All pictures, byte-identical ones too.
        joined: Subjects that are one patient, as :class:`Groups` has them.
        facts: Of each picture.
    """
    patients = patients_of(images, [fact.sha256 for fact in facts])
    rows: dict[tuple[str, ...], list[int]] = {tuple(subjects): [] for subjects in joined}
    for row, patient in enumerate(patients):
        if patient and images[row].subject and patient.subjects in rows:
            rows[patient.subjects].append(row)
    sentences = (
        _leak_of([images[row] for row in own], [facts[row].sha256 for row in own])
        for own in rows.values()
    )
    return tuple(sentence for sentence in sentences if sentence)


def _leak_of(images: Sequence[SourceImage], sha256s: Sequence[str]) -> str:
    """What is wrong with the folds of one patient's pictures; empty where nothing is."""
    subjects_in: dict[str, set[str]] = {}
    subjects_of: dict[str, set[str]] = {}
    for image, sha256 in zip(images, sha256s, strict=True):
        place = "the test split" if image.fold is None else f"fold {image.fold}"
        subjects_in.setdefault(place, set()).add(image.subject)
        subjects_of.setdefault(sha256, set()).add(image.subject)
    if len(subjects_in) < 2:
        return ""
    shared = sum(len(subjects) > 1 for subjects in subjects_of.values())
    everyone = set().union(*subjects_in.values())
    places = "; ".join(f"{_listed(subjects_in[p])} in {p}" for p in sorted(subjects_in))
    return (
        f"subjects {_listed(everyone)} are one patient, for they share {shared} "
        f"{'file' if shared == 1 else 'files'} byte for byte, but the official folds put {places}"
    )


def _listed(subjects: Iterable[str]) -> str:
    *others, last = sorted(subjects, key=in_natural_order)
    return f"{', '.join(others)} and {last}" if others else last


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

    if count == 1:
        return np.zeros(len(labels), np.int64)
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
            whose = f"class {label} has" if label else "there are"
            raise DataError(
                f"{whose} {found} {'group' if found == 1 else 'groups'}{beside}; "
                f"at least {needed} are needed",
                hint="Use fewer folds, raise groups_per_class, or add pictures of other patients "
                "or slides.",
            )
