"""Everything that an audit found, and how ``audit.json`` says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from yolo_leuk.audit.balance import Balance
from yolo_leuk.audit.duplicates import Duplicate, Duplicates
from yolo_leuk.audit.formats import Formats
from yolo_leuk.audit.groups import Groups
from yolo_leuk.audit.labels import Labels
from yolo_leuk.audit.pictures import DataSet, Picture
from yolo_leuk.audit.probe import Score, Trials
from yolo_leuk.audit.shortcuts import RegionScore

SCHEMA = "yolo-leuk/audit/1"


@dataclass(frozen=True)
class Unreadable:
    """A file that is called a picture and cannot be used.

    Attributes:
        picture: Which.
        reason: Why.
    """

    picture: Picture
    reason: str


@dataclass(frozen=True)
class Shortcuts:
    """How well the class is predicted by what is no cell.

    Attributes:
        trials: How that was tried.
        colour_only: By eleven colour numbers.
        regions: By each corner and strip.
        without_cells: By eleven colour numbers of what is left without cells.
    """

    trials: Trials
    colour_only: tuple[Score, ...]
    regions: tuple[RegionScore, ...]
    without_cells: tuple[Score, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        data_set: What was looked at.
        against: What it was compared with; None where it was not.
        duplicates: Pictures that are there twice.
        groups: Groups in two splits.
        pictures: Number of pictures by split and class.
        boxes: Number of boxes by split and class; None where there are no label files.
        formats: Formats and sizes.
        shortcuts: What gives the class away.
        no_shortcuts: Why they were not measured; empty where they were.
        labels: What is wrong with label files and manifest.
        unreadable: Files that could not be used.
    """

    data_set: DataSet
    against: DataSet | None
    duplicates: Duplicates
    groups: Groups
    pictures: Balance
    boxes: Balance | None
    formats: Formats
    shortcuts: Shortcuts | None
    no_shortcuts: str
    labels: Labels
    unreadable: tuple[Unreadable, ...]

    @property
    def leaks(self) -> bool:
        """Whether what is tested can be known from what is learnt."""
        duplicates = self.duplicates
        found = (*duplicates.exact, *duplicates.near, *duplicates.overlapping)
        return bool(self.groups.across) or any(duplicate.leaks for duplicate in found)

    def to_json(self) -> dict[str, Any]:
        """A JSON object of schema ``yolo-leuk/audit/1``; its keys stay."""
        shortcuts = self.shortcuts
        return {
            "schema": SCHEMA,
            "data_set": _data_set(self.data_set),
            "against": None if self.against is None else _data_set(self.against),
            "leakage": self.leaks,
            "exact_duplicates": _exact(self.duplicates.exact),
            "near_duplicates": {
                **_pairs(self.duplicates.near, "turn"),
                "threshold": self.duplicates.threshold,
                "compared": self.duplicates.compared,
            },
            "overlaps": _pairs(self.duplicates.overlapping, "shared"),
            "groups_across_splits": {
                "groups": self.groups.count,
                "reason": self.groups.reason,
                "count": len(self.groups.across),
                "list": [asdict(group) for group in self.groups.across],
            },
            "balance": {
                "pictures": _balance(self.pictures),
                "boxes": None if self.boxes is None else _balance(self.boxes),
            },
            "formats": {
                "properties": [
                    {"name": p.name, "counts": p.counts, "scores": _scores(p.scores)}
                    for p in self.formats.properties
                ],
                "misnamed": [picture.path for picture in self.formats.misnamed],
            },
            "colour_only": self._shortcut(shortcuts.colour_only if shortcuts else ()),
            "regions": {
                **self._tried(),
                "list": [] if shortcuts is None else [_region(r) for r in shortcuts.regions],
            },
            "without_cells": self._shortcut(shortcuts.without_cells if shortcuts else ()),
            "labels": {
                "files": self.labels.files,
                "boxes": len(self.labels.boxes),
                "counts": self.labels.counts,
                "list": [asdict(problem) for problem in self.labels.problems],
            },
            "unreadable": [
                {"data_set": u.picture.data_set, "path": u.picture.path, "reason": u.reason}
                for u in self.unreadable
            ],
        }

    def _tried(self) -> dict[str, str]:
        trials = None if self.shortcuts is None else self.shortcuts.trials
        return {
            "how": trials.how if trials else "",
            "warning": trials.warning if trials else "",
            "reason": self.no_shortcuts,
        }

    def _shortcut(self, scores: Sequence[Score]) -> dict[str, Any]:
        return {**self._tried(), "scores": _scores(scores)}


def _data_set(data_set: DataSet) -> dict[str, Any]:
    return {
        "name": data_set.name,
        "layout": data_set.layout,
        "pictures": len(data_set.pictures),
        "splits": list(data_set.splits),
        "classes": list(data_set.classes),
    }


def _picture(picture: Picture) -> dict[str, str]:
    return {
        "data_set": picture.data_set,
        "path": picture.path,
        "split": picture.split,
        "label": picture.label,
        "group": picture.group,
    }


def _across(duplicates: Sequence[Duplicate]) -> dict[str, int]:
    return {
        "across_splits": sum(d.across_splits for d in duplicates),
        "across_data_sets": sum(d.across_data_sets for d in duplicates),
        "across_classes": sum(d.across_classes for d in duplicates),
    }


def _exact(duplicates: Sequence[Duplicate]) -> dict[str, Any]:
    return {
        "count": len(duplicates),
        "copies": sum(len(d.pictures) - 1 for d in duplicates),
        **_across(duplicates),
        "list": [
            {"same_bytes": d.same_bytes, "pictures": [_picture(p) for p in d.pictures]}
            for d in duplicates
        ],
    }


def _pairs(duplicates: Sequence[Duplicate], how: Literal["turn", "shared"]) -> dict[str, Any]:
    return {
        "count": len(duplicates),
        **_across(duplicates),
        "list": [
            {
                "correlation": d.correlation,
                how: getattr(d, how),
                "pictures": [_picture(p) for p in d.pictures],
            }
            for d in duplicates
        ],
    }


def _balance(balance: Balance) -> dict[str, Any]:
    return {
        "counts": balance.counts,
        "ratio": None if balance.ratio is None else round(balance.ratio, 2),
        "absent": [{"split": split, "label": label} for split, label in balance.absent],
    }


def _scores(scores: Sequence[Score]) -> list[dict[str, Any]]:
    return [
        {
            "tested_on": score.tested_on,
            "pictures": score.pictures,
            "accuracy": round(score.accuracy, 4),
            "majority": round(score.majority, 4),
            "balanced_accuracy": round(score.balanced_accuracy, 4),
            "chance": round(score.chance, 4),
            "above_chance": score.is_above_chance,
            "recall": {label: round(share, 4) for label, share in score.recall.items()},
        }
        for score in scores
    ]


def _region(region: RegionScore) -> dict[str, Any]:
    return {
        "region": region.region,
        "stands_out": region.stands_out,
        "others": round(region.others, 4),
        "scores": _scores(region.scores),
    }
