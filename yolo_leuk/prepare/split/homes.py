"""The group and the place of every picture of a run, and which pictures have none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.facts import PictureFacts
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split.groups import Groups, groups_as_spelt, groups_of
from yolo_leuk.prepare.split.placements import placements_of
from yolo_leuk.prepare.split.same_fields import Pair, same_fields, torn_fields
from yolo_leuk.prepare.split.splits import Placement, leaks_of_official, place_official
from yolo_leuk.records import Sample


@dataclass(frozen=True)
class Home:
    """Where a picture stays.

    Attributes:
        group: What it stays together with.
        place: Its split and fold.
    """

    group: str
    place: Placement


@dataclass(frozen=True)
class Homes:
    """Where all pictures stay.

    Attributes:
        of_row: By position of the picture.
        left_out: Why the other pictures are left out, by position.
        told: Sentences about patients.
    """

    of_row: dict[int, Home]
    left_out: dict[int, str]
    told: tuple[str, ...]


def homes_of(
    images: Sequence[SourceImage], facts: Sequence[PictureFacts], config: PrepareConfig
) -> Homes:
    """Group and place all pictures; one that another one stands for is left out.

    Raises:
        ConfigError: The split that is kept has more folds.
        DataError: A class has too few groups.
        LeakageError: A group is in two splits of its source, or groups of two splits that are kept
            are one group now.
    """
    kept = read_manifest(config.keep_split) if config.keep_split else []
    same = same_fields(images, facts, workers=config.workers or os.cpu_count() or 1)
    groups, told = _groups(images, facts, config, kept, same)
    left_out = _copies(images, facts)
    rows = [row for row in range(len(images)) if row not in left_out]
    placed = _places(
        [images[row] for row in rows],
        [groups.names[row] for row in rows],
        [facts[row].sha256 for row in rows],
        config,
        kept,
    )
    places = dict(zip(rows, placed, strict=True))
    for row, other in torn_fields(same, places).items():
        name, split = images[other].file.display_name, places[other].split
        left_out[row] = f"the same field as {name} of the {split} split"
    homes = {
        row: Home(groups.names[row], place) for row, place in places.items() if row not in left_out
    }
    return Homes(homes, left_out, told)


def _groups(
    images: Sequence[SourceImage],
    facts: Sequence[PictureFacts],
    config: PrepareConfig,
    kept: Sequence[Sample],
    same: Sequence[Pair],
) -> tuple[Groups, tuple[str, ...]]:
    """Groups, and what is to be said of patients."""
    kept_groups = {sample.sha256: sample.group for sample in kept}
    found = groups_of(images, facts, config.groups_per_class, kept_groups, same)
    if config.folds == "official":
        return groups_as_spelt(images), leaks_of_official(images, found.joined, facts)
    told = (f"subjects {', '.join(names)} share files: one patient" for names in found.joined)
    return found, tuple(told)


def _copies(images: Sequence[SourceImage], facts: Sequence[PictureFacts]) -> dict[int, str]:
    """Of byte-identical pictures all but the first."""
    first: dict[str, int] = {}
    originals = [first.setdefault(fact.sha256, row) for row, fact in enumerate(facts)]
    return {
        row: f"the same bytes as {images[original].file.display_name}"
        for row, original in enumerate(originals)
        if original != row
    }


def _places(
    images: Sequence[SourceImage],
    groups: Sequence[str],
    sha256s: Sequence[str],
    config: PrepareConfig,
    kept: Sequence[Sample],
) -> list[Placement]:
    if config.folds == "official":
        return place_official(images)
    return placements_of(images, groups, sha256s, folds=config.folds, seed=config.seed, kept=kept)
