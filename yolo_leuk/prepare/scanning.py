"""The sources that were named, or that lie under ``datasets/raw``, to pictures."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.errors import ConfigError, DataError, UsageError
from yolo_leuk.manifest import SPLITS
from yolo_leuk.prepare.problems import Problem
from yolo_leuk.prepare.sources.kinds import KINDS, Kind, recognised
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import open_tree

RAW_FOLDER = Path("datasets/raw")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Scanned:
    """All sources of a run.

    Attributes:
        scans: One per source.
        facts: Of those sources that are known data sets.
    """

    scans: tuple[Scan, ...]
    facts: tuple[SourceFacts, ...]

    @property
    def images(self) -> list[SourceImage]:
        """The pictures of all sources."""
        return [image for scan in self.scans for image in scan.images]

    @property
    def problems(self) -> list[Problem]:
        """What the sources could not use."""
        return [problem for scan in self.scans for problem in scan.problems]

    @property
    def repeated_boxes(self) -> list[Problem]:
        """Boxes that stood twice in a source."""
        return [box for scan in self.scans for box in scan.repeated_boxes]


def scan_sources(
    sources: Sequence[Path], kind: str, labels: Mapping[str, str], tell: Tell
) -> Scanned:
    """List the pictures of all sources.

    Args:
        sources: Folders and zips; where empty, what lies under ``datasets/raw``.
        kind: ``auto``, or the name of a kind, for all sources.
        labels: Classes to be renamed.
        tell: Is told what each source was taken for.

    Raises:
        UsageError: No source is named and none lies under ``datasets/raw``.
        ConfigError: There is no such kind.
        DataError: A source is of no known kind or has nothing usable, or two pictures would become
            one sample.
    """
    if kind != "auto" and kind not in KINDS:
        raise ConfigError(f"unknown kind {kind!r}; known are auto, {', '.join(KINDS)}")
    scans, facts = [], []
    for root in sources or _found_sources():
        tree = open_tree(root)
        taken = recognised(tree) if kind == "auto" else KINDS[kind]
        scan = taken.scan(tree)
        problems = [*tree.problems, *scan.problems]
        scans.append(dataclasses.replace(_with_labels(scan, labels), problems=problems))
        tell(_told(root, taken, scan))
        if taken.facts is not None and any(i.data_set == taken.facts.name for i in scan.images):
            facts.append(taken.facts)
    scanned = Scanned(tuple(scans), tuple(dict.fromkeys(facts)))
    _check_ids(scanned.images)
    return scanned


def _with_labels(scan: Scan, labels: Mapping[str, str]) -> Scan:
    if not labels:
        return scan
    images = [
        dataclasses.replace(
            image,
            label=None if image.label is None else labels.get(image.label, image.label),
            box_labels=tuple(labels.get(label, label) for label in image.box_labels),
        )
        for image in scan.images
    ]
    return dataclasses.replace(scan, images=images)


def _told(root: Path, kind: Kind, scan: Scan) -> str:
    own = Counter(image.split for image in scan.images if image.split)
    brought = [f"{own[split]} {split}" for split in SPLITS if split in own]
    return ", ".join(
        [
            f"{root}: taken for {kind.name}",
            f"{len(scan.images)} pictures",
            *([f"its own split kept ({', '.join(brought)})"] if brought else []),
            *([f"{scan.unlabelled} without a label left out"] if scan.unlabelled else []),
        ]
    )


def _check_ids(images: Sequence[SourceImage]) -> None:
    first: dict[str, SourceImage] = {}
    for image in images:
        other = first.setdefault(image.sample_id, image)
        if other is not image:
            raise DataError(
                f"{other.file} and {image.file} would both become the sample {image.sample_id}",
                hint="Rename one of them, or the folder of one of the two data sets.",
            )


def _found_sources() -> tuple[Path, ...]:
    found = tuple(
        path
        for path in (sorted(RAW_FOLDER.iterdir()) if RAW_FOLDER.is_dir() else [])
        if path.is_dir() or path.suffix.lower() == ".zip"
    )
    known = tuple(path for path in found if _is_known(path))
    if known:
        return known
    lines = [
        f"  {facts.title}\n    page     {facts.page}\n    size     {facts.size}\n"
        f"    licence  {facts.licence}\n    folder   {RAW_FOLDER / facts.raw_folder}"
        for facts in dict.fromkeys(kind.facts for kind in KINDS.values())
        if facts is not None
    ]
    raise UsageError(
        f"no data set that is known lies under {RAW_FOLDER}",
        hint="Download one of these and put it there, or name its folder:\n" + "\n".join(lines),
    )


def _is_known(path: Path) -> bool:
    tree = open_tree(path)
    return any(kind.recognises(tree) for kind in KINDS.values())
