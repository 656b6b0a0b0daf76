"""Where the pictures of a run belong: each data set on its own, so that adding one moves no other.

Data sets are placed together only where a patient is in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yolo_leuk.errors import LeakageError
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split.kept_splits import place_beside, places_of_old_groups
from yolo_leuk.prepare.split.splits import (
    TEST_PARTS,
    Placement,
    place_by_group,
    place_by_source,
)
from yolo_leuk.prepare.split.subjects import joined
from yolo_leuk.records import Sample


def placements_of(
    images: Sequence[SourceImage],
    groups: Sequence[str],
    sha256s: Sequence[str],
    *,
    folds: int,
    seed: int,
    kept: Sequence[Sample] = (),
) -> list[Placement]:
    """Place the pictures of all data sets.

    A split that the source brings is kept. ``val`` or ``test`` that it does not bring is made of
    the groups that it leaves open, or else of those of its training split.

    Args:
        images: No two of them byte-identical.
        groups: Group of each picture.
        sha256s: Of each file.
        folds: k, the number of folds of what is not test.
        seed: Of all that is left to chance.
        kept: Rows of a manifest whose split is kept: only groups that it does not have are placed.

    Raises:
        ConfigError: ``kept`` has more folds.
        DataError: A class has too few groups.
        LeakageError: A group is in two splits of its source, or groups of two splits of ``kept``
            are one group now.
    """
    places: dict[int, Placement] = {}
    for rows in _placed_together(images, groups):
        names = [groups[row] for row in rows]
        labels = [images[row].label or "" for row in rows]
        allowed = _allowed_splits([images[row].split for row in rows], names)
        old = places_of_old_groups(kept, names, [sha256s[row] for row in rows], folds)
        if old:
            placed = place_beside(old, labels, names, folds=folds, seed=seed, allowed=allowed)
        else:
            placed = _place_first(labels, names, allowed, folds, seed)
        places.update(zip(rows, placed, strict=True))
    return [places[row] for row in range(len(images))]


def _placed_together(images: Sequence[SourceImage], groups: Sequence[str]) -> list[list[int]]:
    """Positions of the pictures of each data set, or of several that have a group in common."""
    data_sets_of: dict[str, list[str]] = {}
    for image, group in zip(images, groups, strict=True):
        data_sets_of.setdefault(group, []).append(image.data_set)
    head = joined(data_sets_of.values())
    rows: dict[str, list[int]] = {}
    for row, image in enumerate(images):
        rows.setdefault(head[image.data_set], []).append(row)
    return list(rows.values())


def _allowed_splits(
    own_splits: Sequence[str | None], groups: Sequence[str]
) -> dict[str, frozenset[str]]:
    """The splits that each group may go to."""
    own: dict[str, str | None] = {}
    for split, group in zip(own_splits, groups, strict=True):
        other = own.setdefault(group, split)
        if split and other and split != other:
            raise LeakageError(
                f"the source's own splits leak: group {group} is in its {other} and its {split}",
                hint="Give its pictures without their splits; they are then split by group.",
            )
        own[group] = other or split
    missing = {"val", "test"} - set(own.values())
    left_open = None if None in own.values() else "train"
    open_groups = [group for group, split in own.items() if split == left_open]
    allowed = {group: frozenset({split}) for group, split in own.items() if split}
    return allowed | dict.fromkeys(open_groups, frozenset({"train", *missing}))


def _place_first(
    labels: Sequence[str],
    groups: Sequence[str],
    allowed: Mapping[str, frozenset[str]],
    folds: int,
    seed: int,
) -> list[Placement]:
    """Place a data set of which nothing has a place."""
    places: dict[int, Placement] = {}
    fixed = [row for row, group in enumerate(groups) if len(allowed[group]) == 1]
    splits = [next(iter(allowed[groups[row]])) for row in fixed]
    names = [groups[row] for row in fixed]
    places.update(zip(fixed, place_by_source(splits, names, folds=folds, seed=seed), strict=True))
    rest = [row for row, group in enumerate(groups) if len(allowed[group]) > 1]
    if rest:
        splits_of_rest = allowed[groups[rest[0]]]
        placed = place_by_group(
            [labels[row] for row in rest],
            [groups[row] for row in rest],
            folds=folds,
            test_parts=TEST_PARTS if "test" in splits_of_rest else 0,
            first_fold=0 if "val" in splits_of_rest else 1,
            seed=seed,
        )
        places.update(zip(rest, placed, strict=True))
    return [places[row] for row in range(len(groups))]
