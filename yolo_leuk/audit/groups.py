"""Groups, and files that samples were made from, that stand in more than one split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from yolo_leuk.audit.pictures import Picture


@dataclass(frozen=True)
class SpreadGroup:
    """What should be in one split and is not.

    Attributes:
        what: ``group``, or ``source file`` by its hash.
        name: Of the group.
        splits: Split to number of pictures.
    """

    what: str
    name: str
    splits: dict[str, int]


@dataclass(frozen=True)
class Groups:
    """What is known of groups.

    Attributes:
        count: How many groups are named.
        across: Those in two splits or more.
        reason: Why nothing can be said; empty where it can.
    """

    count: int
    across: tuple[SpreadGroup, ...]
    reason: str = ""


def groups_across_splits(pictures: Sequence[Picture]) -> Groups:
    """Find groups, and files that pictures were cut from, that stand in two splits."""
    named = {picture.group for picture in pictures if picture.group}
    if not named:
        return Groups(0, (), "nothing in this data set names a patient or a group")
    if len({picture.split for picture in pictures if picture.split}) < 2:
        return Groups(len(named), (), "the data set has no splits")
    of_group = _spread("group", [(p.group, p.split) for p in pictures])
    of_source = _spread("source file", [(p.source_sha256, p.split) for p in pictures])
    return Groups(len(named), (*of_group, *of_source))


def _spread(what: str, pairs: Sequence[tuple[str, str]]) -> list[SpreadGroup]:
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    for name, split in pairs:
        if name and split:
            splits[name][split] += 1
    return [
        SpreadGroup(what, name, dict(sorted(counts.items())))
        for name, counts in sorted(splits.items())
        if len(counts) > 1
    ]
