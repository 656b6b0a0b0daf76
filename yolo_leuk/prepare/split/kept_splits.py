"""A split that stays: old groups keep their place, and only new ones are placed, beside them.

StratifiedGroupKFold deals all groups anew when one of them grows, so it is never run again over
groups that have a place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import ConfigError, LeakageError
from yolo_leuk.manifest import SPLITS
from yolo_leuk.prepare.split.splits import TEST_PARTS, Placement, split_of_fold
from yolo_leuk.records import Sample


def places_of_old_groups(
    manifest_samples: Sequence[Sample], names: Sequence[str], sha256s: Sequence[str], folds: int
) -> dict[str, Placement]:
    """Place of each group of which a manifest has a file, by its hash, or the name.

    Groups of one split that are one group now take the fold of most of their pictures.

    Raises:
        ConfigError: The manifest has more folds.
        LeakageError: Groups of two splits of the manifest are one group now.
    """
    old_group = {sample.sha256: sample.group for sample in manifest_samples}
    old_place = {s.group: Placement(s.split, s.fold) for s in manifest_samples}
    merged: dict[str, Counter[str]] = {}
    for name, sha256 in zip(names, sha256s, strict=True):
        if sha256 in old_group:
            merged.setdefault(name, Counter())[old_group[sha256]] += 1
    for name in set(names) & old_place.keys():
        merged.setdefault(name, Counter())[name] += 0
    places = {
        name: _common_place(name, {group: old_place[group] for group in pictures}, pictures)
        for name, pictures in merged.items()
    }
    last = max((place.fold for place in places.values()), default=-1)
    if last >= folds:
        raise ConfigError(
            f"folds is {folds}, but the split that is kept has {last + 1}",
            hint=f"Set folds={last + 1}, or make a new split.",
        )
    return places


def place_beside(
    old: Mapping[str, Placement],
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    folds: int = 5,
    seed: int = 0,
    allowed: Mapping[str, Collection[str]] | None = None,
) -> list[Placement]:
    """Place new groups beside old ones, the largest first.

    The test split should have one part of ``TEST_PARTS`` of each class, and all folds the same
    share of the rest. A group goes where the sum over classes of (share found − share meant)² ÷
    share meant grows least.

    Args:
        old: Place of each old group.
        labels: Class of each picture.
        groups: Group of each picture.
        folds: k, the number of folds of what is not test.
        seed: Of the order in which new groups of one size are placed.
        allowed: The splits that a new group may go to; all where it is not named.
    """
    names, pictures = _pictures_by_class(groups, labels)
    share_of_class = pictures / pictures.sum(axis=0)
    places = [Placement(split_of_fold(fold), fold) for fold in range(-1, folds)]
    meant = np.array([1 / TEST_PARTS] + [(1 - 1 / TEST_PARTS) / folds] * folds)[:, None]
    found = np.zeros((len(places), pictures.shape[1]))
    for name, share in zip(names, share_of_class, strict=True):
        if name in old:
            found[places.index(old[name])] += share
    placed = dict(old)
    for row in _largest_first(pictures.sum(axis=1), seed):
        name, share = names[row], share_of_class[row]
        if name in old:
            continue
        growth = (share * (share + 2 * (found - meant)) / meant).sum(axis=1)
        splits = (allowed or {}).get(name, SPLITS)
        growth[[place.split not in splits for place in places]] = np.inf
        best = int(growth.argmin())
        placed[name] = places[best]
        found[best] += share
    return [placed[name] for name in groups]


def _pictures_by_class(
    groups: Sequence[str], labels: Sequence[str]
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Names of the groups, sorted, and their numbers of pictures, shape (groups, classes)."""
    names, classes = sorted(set(groups)), sorted(set(labels))
    row = {name: number for number, name in enumerate(names)}
    column = {label: number for number, label in enumerate(classes)}
    pictures = np.zeros((len(names), len(classes)))
    for group, label in zip(groups, labels, strict=True):
        pictures[row[group], column[label]] += 1
    return names, pictures


def _common_place(name: str, places: Mapping[str, Placement], pictures: Counter[str]) -> Placement:
    """Place of a group that was one group or several; of several, that of most pictures."""
    first, *others = sorted(places)
    for other in others:
        if places[other].split != places[first].split:
            raise LeakageError(
                f"group {first} is in {places[first].split} and group {other} in "
                f"{places[other].split} of the split that is kept, but they are one group now: "
                f"{name}",
                hint="Leave out the new files that join them, or make a new split.",
            )
    in_fold: Counter[int] = Counter()
    for group, place in places.items():
        in_fold[place.fold] += pictures[group]
    fold = min(in_fold, key=lambda fold: (-in_fold[fold], fold))
    return Placement(places[first].split, fold)


def _largest_first(sizes: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.intp]:
    """Positions from the largest size to the smallest; those of one size in random order."""
    chance = np.random.default_rng(seed).permutation(len(sizes))
    return np.lexsort((chance, -sizes))
