"""Sources as they were downloaded to one data set without leakage."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from yolo_leuk import artifacts, images, pixels
from yolo_leuk.config import as_plain
from yolo_leuk.errors import ConfigError, DataError, UsageError
from yolo_leuk.labels import FIELD, MATURITY, LabelScheme
from yolo_leuk.manifest import FILE_NAME, write_manifest
from yolo_leuk.prepare import card, groups, scale, splits
from yolo_leuk.prepare.samples import SampleJob, make_samples
from yolo_leuk.prepare.sources import all4, yolo
from yolo_leuk.prepare.sources.source_image import SourceFacts, SourceImage
from yolo_leuk.records import Sample

Task = Literal["classify", "detect"]
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_KINDS: dict[str, tuple[Callable[[Path], bool], Callable[[Path], list[SourceImage]]]] = {
    "all4": (all4.recognises, all4.scan),
    "yolo": (yolo.recognises, yolo.scan),
}
KNOWN_SOURCES: tuple[SourceFacts, ...] = (all4.FACTS, yolo.TXL_PBC)
RAW_FOLDER = Path("datasets/raw")


@dataclass(frozen=True)
class PrepareConfig:
    """What ``prepare`` makes, and of what.

    Attributes:
        sources: Folders as they were downloaded; empty means what lies under ``datasets/raw``.
        kind: ``auto``, ``all4`` or ``yolo``; the same for all sources.
        task: ``classify`` cuts out cells, ``detect`` writes fields with boxes.
        out: The data set's folder; ``datasets/<source>-<task>`` where None.
        groups_per_class: Of a source without patients, at most.
        folds: k of the folds of what is not test.
        cells_per_image: At most so many cells of one picture, the most confident spread; 0 is all.
        px_per_rbc: Width of a red cell in pixels where a source neither says nor shows it.
        detect_px_per_rbc: Fields are reduced by whole factors as long as this much is left.
        boxes_from: ONNX file of a detector that fills in the boxes of the classes that a source
            does not label; None leaves them out.
        seed: Of the splits.
        workers: Processes; 0 means one per core.
    """

    sources: tuple[Path, ...] = ()
    kind: Literal["auto", "all4", "yolo"] = "auto"
    task: Task = "classify"
    out: Path | None = None
    groups_per_class: int = 20
    folds: int = 5
    cells_per_image: int = 0
    px_per_rbc: float | None = None
    detect_px_per_rbc: float = 60.0
    boxes_from: Path | None = None
    seed: int = 0
    workers: int = 0


@dataclass(frozen=True)
class PrepareResult:
    """What came out.

    Attributes:
        folder: The data set.
        counts: Number of samples (classify) or boxes (detect) by split and class.
        warnings: What a reader of any figure on this data must know.
    """

    folder: Path
    counts: dict[str, dict[str, int]]
    warnings: tuple[str, ...] = field(default=())


def run(config: PrepareConfig) -> PrepareResult:
    """Make a data set.

    Raises:
        ConfigError: A number of the configuration is out of range.
        UsageError: No source is given and none lies under ``datasets/raw``.
        DataError: A source is of no known kind, or a picture or label cannot be read.
        OutputError: The folder already holds something, or cannot be written.
    """
    _check_config(config)
    sources = config.sources or _found_sources()
    scanned = [image for folder in sources for image in _scan(folder, config.kind)]
    _check_ids(scanned)
    out = config.out or Path("datasets") / f"{'-'.join(_names(scanned))}-{config.task}"
    with artifacts.new_folder(out) as folder:
        artifacts.write_json(folder / "config.json", as_plain(config, whole_paths=False))
        made = _make(config, scanned, folder)
        warnings = _write_tables(folder, out.name, config, made)
    return PrepareResult(out, made.counts, warnings)


@dataclass(frozen=True)
class _Made:
    """What was written: samples, counts, and which pictures they came from."""

    samples: list[Sample]
    counts: dict[str, dict[str, int]]
    kept: list[SourceImage]
    twins: list[tuple[str, str]]


def _make(config: PrepareConfig, scanned: Sequence[SourceImage], folder: Path) -> _Made:
    """Read every picture twice: once to place it, once to cut it."""
    workers = config.workers or os.cpu_count() or 1
    facts = _in_parallel(_facts_of, scanned, workers)
    chosen, twins = _without_twins(scanned, facts)
    kept, kept_facts = [scanned[i] for i in chosen], [facts[i] for i in chosen]
    rulers = scale.px_per_rbc_of_all(kept, [f.size_wh for f in kept_facts], config.px_per_rbc)
    group_names = _groups(kept, kept_facts, config.groups_per_class)
    places = _places(kept, group_names, config)
    jobs = [
        SampleJob(
            image=image,
            sha256=fact.sha256,
            px_per_rbc=ruler,
            group=group,
            split=place.split,
            fold=place.fold,
            task=config.task,
            scheme=_scheme(config.task),
            out=folder,
            cells_per_image=config.cells_per_image,
            detect_px_per_rbc=config.detect_px_per_rbc,
            boxes_from=config.boxes_from,
        )
        for image, fact, ruler, group, place in zip(
            kept, kept_facts, rulers, group_names, places, strict=True
        )
    ]
    parts = _in_parallel(make_samples, jobs, workers)
    samples = [sample for part in parts for sample in part.samples]
    return _Made(samples, _counts(part.labels_by_split for part in parts), kept, twins)


def _check_config(config: PrepareConfig) -> None:
    least = {"groups_per_class": 1, "folds": 2, "cells_per_image": 0, "seed": 0, "workers": 0}
    for name, value in least.items():
        if getattr(config, name) < value:
            raise ConfigError(f"{name} is {getattr(config, name)}; expected {value} or more")
    for name in ("px_per_rbc", "detect_px_per_rbc"):
        ruler = getattr(config, name)
        if ruler is not None and not ruler > 0:
            raise ConfigError(f"{name} is {ruler}; expected above 0")


def _check_ids(scanned: Sequence[SourceImage]) -> None:
    first: dict[str, SourceImage] = {}
    for image in scanned:
        other = first.setdefault(image.sample_id, image)
        if other is not image:
            raise DataError(
                f"{other.path} and {image.path} would both become the sample {image.sample_id}",
                hint="Rename one of them, or the folder of one of the two data sets.",
            )


@dataclass(frozen=True)
class _Facts:
    sha256: str
    size_wh: tuple[int, int]
    look: groups.Look | None


def _facts_of(image: SourceImage) -> _Facts:
    """Read a picture once for its hash, its size and, where groups go by look, its look."""
    loaded = images.load_image(image.path)
    size_wh = (loaded.rgb.shape[1], loaded.rgb.shape[0])
    if image.split is not None or image.px_per_rbc is None:
        return _Facts(loaded.sha256, size_wh, None)
    rgb = pixels.without_scale_bar(loaded.rgb) if image.has_scale_bar else loaded.rgb
    return _Facts(loaded.sha256, size_wh, groups.look_of(rgb, image.px_per_rbc))


def _found_sources() -> tuple[Path, ...]:
    found = tuple(
        folder
        for folder in (sorted(RAW_FOLDER.iterdir()) if RAW_FOLDER.is_dir() else [])
        if any(recognises(folder) for recognises, _ in _KINDS.values())
    )
    if found:
        return found
    lines = [
        f"  {facts.title}\n    page     {facts.page}\n    size     {facts.size}\n"
        f"    licence  {facts.licence}\n    folder   {RAW_FOLDER / facts.raw_folder}"
        for facts in KNOWN_SOURCES
    ]
    raise UsageError(
        f"no data set that is known lies under {RAW_FOLDER}",
        hint="Download one of these and unpack it there, or name its folder:\n" + "\n".join(lines),
    )


def _scan(folder: Path, kind: str) -> list[SourceImage]:
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", hint="Name the folder of a data set.")
    if kind != "auto":
        return _KINDS[kind][1](folder)
    for recognises, scan in _KINDS.values():
        if recognises(folder):
            return scan(folder)
    raise DataError(
        f"{folder} has the layout of no known source ({', '.join(_KINDS)})",
        hint="Name the folder that holds the class folders, or data.yaml with images/ and labels/.",
    )


def _names(scanned: Sequence[SourceImage]) -> list[str]:
    return sorted({image.data_set for image in scanned})


def _without_twins(
    scanned: Sequence[SourceImage], facts: Sequence[_Facts]
) -> tuple[list[int], list[tuple[str, str]]]:
    """Positions of the first picture of each content, and the pairs (left out, kept)."""
    first: dict[str, int] = {}
    twins = []
    for position, fact in enumerate(facts):
        original = first.setdefault(fact.sha256, position)
        if original != position:
            twins.append((scanned[position].key, scanned[original].key))
    return sorted(first.values()), twins


def _groups(
    kept: Sequence[SourceImage], facts: Sequence[_Facts], groups_per_class: int
) -> list[str]:
    """Group of each picture; pictures that come with a split are a group each."""
    names = [image.sample_id for image in kept]
    classes = sorted({i.label for i, f in zip(kept, facts, strict=True) if f.look and i.label})
    for label in classes:
        rows = [r for r, image in enumerate(kept) if image.label == label and facts[r].look]
        looks = [look for r in rows if (look := facts[r].look) is not None]
        numbers = groups.group_by_look(looks, [kept[r].number for r in rows], groups_per_class)
        for row, number in zip(rows, numbers, strict=True):
            names[row] = f"{kept[row].source}-{label}-look{number:02d}"
    return names


def _places(
    kept: Sequence[SourceImage], group_names: Sequence[str], config: PrepareConfig
) -> list[splits.Placement]:
    """Splits of each source on its own, so that adding one moves no picture of another."""
    places: list[splits.Placement | None] = [None] * len(kept)
    for source in _names(kept):
        rows = [r for r, image in enumerate(kept) if image.data_set == source]
        own = [kept[r].split for r in rows]
        names = [group_names[r] for r in rows]
        if all(split is not None for split in own):
            placed = splits.place_by_source(
                [split or "" for split in own], names, folds=config.folds, seed=config.seed
            )
        else:
            placed = splits.place_by_group(
                [kept[r].label or "" for r in rows], names, folds=config.folds, seed=config.seed
            )
        for row, place in zip(rows, placed, strict=True):
            places[row] = place
    return [place for place in places if place is not None]


def _scheme(task: Task) -> LabelScheme:
    return FIELD if task == "detect" else MATURITY


def _counts(parts: Iterable[Counter[tuple[str, str]]]) -> dict[str, dict[str, int]]:
    total: Counter[tuple[str, str]] = Counter()
    for part in parts:
        total.update(part)
    counts: dict[str, dict[str, int]] = {}
    for (split, label), number in sorted(total.items()):
        counts.setdefault(split, {})[label] = number
    return counts


def _write_tables(folder: Path, name: str, config: PrepareConfig, made: _Made) -> tuple[str, ...]:
    """Manifest, description and card; returns the warnings that they carry."""
    warnings = card.warnings_for(made.kept)
    write_manifest(folder / FILE_NAME, made.samples)
    if config.task == "detect":
        artifacts.write_text(folder / "data.yaml", card.data_yaml(_scheme("detect")))
    named = [facts for facts in KNOWN_SOURCES if facts.name in _names(made.kept)]
    scheme = _scheme(config.task)
    card.write_card(folder, name, config, scheme, made.counts, named, made.twins, warnings)
    return warnings


def _in_parallel(
    function: Callable[[_Item], _Result], items: Sequence[_Item], workers: int
) -> list[_Result]:
    """Results in the order of the items, whatever the number of workers."""
    if workers == 1 or len(items) < 2 * workers:
        return [function(item) for item in items]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(function, items, chunksize=16))
