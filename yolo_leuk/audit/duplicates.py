"""Pictures that are there twice, and whether that lets a test be known beforehand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yolo_leuk.audit.pictures import Picture
from yolo_leuk.audit.scan import PictureFacts
from yolo_leuk.near_duplicates import near_pairs
from yolo_leuk.overlaps import overlapping
from yolo_leuk.thumbnail import TURNS

# A smaller picture holds a single cell, and overlaps are among fields.
_LEAST_FIELD_PX = 160


@dataclass(frozen=True)
class Duplicate:
    """Pictures that show the same.

    Attributes:
        pictures: Two or more.
        same_bytes: Whether the files are the same to the last byte.
        correlation: Of fine detail; None where the pixels are the same.
        turn: What has to be done to the second to get the first.
        shared: Part of a picture that is in the other one, up to 1; None where it is nearly all.
    """

    pictures: tuple[Picture, ...]
    same_bytes: bool
    correlation: float | None = None
    turn: str = TURNS[0]
    shared: float | None = None

    @property
    def across_data_sets(self) -> bool:
        """Whether it lies in both data sets."""
        return len({picture.data_set for picture in self.pictures}) > 1

    @property
    def across_splits(self) -> bool:
        """Whether it lies in two splits of one data set."""
        splits = defaultdict(set)
        for picture in self.pictures:
            if picture.split:
                splits[picture.data_set].add(picture.split)
        return any(len(names) > 1 for names in splits.values())

    @property
    def across_classes(self) -> bool:
        """Whether two of its pictures have different classes."""
        return len({picture.label for picture in self.pictures if picture.label}) > 1

    @property
    def leaks(self) -> bool:
        """Whether what is learnt in one place is asked in another."""
        return self.across_data_sets or self.across_splits


@dataclass(frozen=True)
class Duplicates:
    """All duplicates, those that leak first.

    Attributes:
        exact: Pictures with the same pixels, all of one content together.
        near: Pairs that show the same; each content stands for itself once.
        overlapping: Pairs of fields of one class that share a part, and are not near.
        threshold: Least correlation of a near pair.
        compared: How many pairs were compared in detail.
    """

    exact: tuple[Duplicate, ...]
    near: tuple[Duplicate, ...]
    overlapping: tuple[Duplicate, ...]
    threshold: float
    compared: int


def find_duplicates(
    pictures: Sequence[Picture],
    facts: Sequence[PictureFacts],
    own: int,
    *,
    workers: int,
    show: Callable[[int, str], None] = lambda _done, _name: None,
) -> Duplicates:
    """Find what is there twice.

    Args:
        pictures: Of the data set, followed by those of the one that it is compared with.
        facts: Of each picture.
        own: How many are of the data set; duplicates among the others only are not looked for.
        workers: Threads.
        show: Told how many pictures were compared.
    """
    of_content: dict[str, list[int]] = defaultdict(list)
    for position, fact in enumerate(facts):
        of_content[fact.pixels_sha256].append(position)
    exact = [
        Duplicate(
            pictures=tuple(pictures[position] for position in positions),
            same_bytes=len({facts[position].sha256 for position in positions}) == 1,
        )
        for positions in of_content.values()
        if len(positions) > 1 and positions[0] < own
    ]
    first = [positions[0] for positions in of_content.values()]
    near = near_pairs(
        [facts[position].thumbnail for position in first],
        [facts[position].spectrum for position in first],
        sum(position < own for position in first),
        workers=workers,
        show=show,
    )
    pairs = [
        Duplicate(
            pictures=(pictures[first[pair.first]], pictures[first[pair.second]]),
            same_bytes=False,
            correlation=pair.correlation,
            turn=pair.turn,
        )
        for pair in near.pairs
    ]
    known = {frozenset(duplicate.pictures) for duplicate in pairs}
    overlaps = [
        duplicate
        for duplicate in _overlaps(pictures, facts, first, own)
        if frozenset(duplicate.pictures) not in known
    ]
    return Duplicates(
        exact=tuple(sorted(exact, key=_leaks_first)),
        near=tuple(sorted(pairs, key=_leaks_first)),
        overlapping=tuple(sorted(overlaps, key=_leaks_first)),
        threshold=near.threshold,
        compared=near.compared,
    )


def _overlaps(
    pictures: Sequence[Picture], facts: Sequence[PictureFacts], positions: Sequence[int], own: int
) -> list[Duplicate]:
    """Fields of one class that share a part."""
    of_class: dict[str | None, list[int]] = defaultdict(list)
    for position in positions:
        if min(facts[position].size_wh) >= _LEAST_FIELD_PX:
            of_class[pictures[position].label].append(position)
    return [
        Duplicate(
            pictures=(pictures[alike[overlap.first]], pictures[alike[overlap.second]]),
            same_bytes=False,
            correlation=round(overlap.correlation, 3),
            shared=round(overlap.shared, 2),
        )
        for alike in of_class.values()
        for overlap in overlapping([facts[position].thumbnail for position in alike])
        if alike[overlap.first] < own
    ]


def _leaks_first(duplicate: Duplicate) -> tuple[bool, bool]:
    return not duplicate.leaks, not duplicate.across_classes
