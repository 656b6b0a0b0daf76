"""What a data set says of itself: manifest, ``dataset.json``, ``README.md``, a contact sheet."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from yolo_leuk import artifacts, geometry, images
from yolo_leuk.config import as_plain
from yolo_leuk.contact_sheet import COLUMNS, contact_sheet, sheet_jpeg
from yolo_leuk.labels import LabelScheme
from yolo_leuk.manifest import CONTACT_SHEET, FILE_NAME, SPLITS, write_manifest
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.extra.balance import class_weights
from yolo_leuk.prepare.problems import Problem, problems_csv
from yolo_leuk.prepare.samples import Task
from yolo_leuk.prepare.sources.source_image import SourceFacts, SourceImage
from yolo_leuk.records import Image, Sample

SCHEMA = "yolo-leuk/dataset/1"

NO_PATIENTS = "no patient identity in this data: the figure is optimistic"
WEAK_LABELS = "a cell's label is that of its picture; malignant pictures hold normal cells too"
OFFICIAL = "the source's own folds leak: a patient can stand in two of them"
COMPOSED = "composed fields: cells on a drawn background, no photographs of fields"

Counts = Mapping[str, Mapping[str, int]]
"""Number by split and class."""

# Colours of boxes on a contact sheet, by class number.
_BOX_RGB = ((20, 120, 40), (190, 40, 40), (40, 80, 200), (160, 60, 170), (180, 120, 0))


@dataclass(frozen=True)
class DataSet:
    """All that the tables of a data set are made of.

    Attributes:
        name: Its heading.
        task: ``classify`` or ``detect``.
        scheme: Its classes.
        samples: Its rows.
        counts: Samples (classify) or boxes (detect) by split and class.
        sources: The known data sets that it was made of.
        warnings: What a reader of any figure on it must know.
        broken: What could not be used.
        copies: Pictures that are left out, since others show the same.
        repeated_cells: Cells that are left out, since a later split, or fold, shows them.
        repeated_boxes: Boxes that are left out, since their picture had them already.
    """

    name: str
    task: Task
    scheme: LabelScheme
    samples: Sequence[Sample]
    counts: Counts
    sources: Sequence[SourceFacts]
    warnings: Sequence[str]
    broken: Sequence[Problem]
    copies: Sequence[Problem]
    repeated_cells: Sequence[Problem]
    repeated_boxes: Sequence[Problem]


def warnings_for(images: Sequence[SourceImage], config: PrepareConfig) -> tuple[str, ...]:
    """What a reader of any figure on these pictures must know."""
    weak = any(
        image.label and image.boxes_cxcywhn is None and not image.is_cell for image in images
    )
    found = {
        NO_PATIENTS: any(not image.subject for image in images),
        WEAK_LABELS: weak and not (config.task == "classify" and config.level == "image"),
        OFFICIAL: config.folds == "official",
        COMPOSED: config.compose == "fields",
    }
    return tuple(warning for warning, holds in found.items() if holds)


def counted(splits: Iterable[tuple[str, Mapping[str, int]]]) -> Counts:
    """Number of boxes or samples by split and class.

    Args:
        splits: Per sample its split, and how many of each class it has.
    """
    total: Counter[tuple[str, str]] = Counter()
    for split, labels in splits:
        for label, number in labels.items():
            total[split, label] += number
    counts: dict[str, dict[str, int]] = {}
    for (split, label), number in sorted(total.items()):
        counts.setdefault(split, {})[label] = number
    return counts


def write_tables(folder: Path, data_set: DataSet, config: PrepareConfig) -> None:
    """Write all that lies beside the pictures. No dates: same input, same bytes.

    Raises:
        ManifestError, LeakageError: The rows break the rules of a manifest.
        OutputError: The folder cannot be written.
    """
    plain = as_plain(dataclasses.replace(config, workers=0), whole_paths=False)
    artifacts.write_json(folder / "config.json", plain)
    write_manifest(folder / FILE_NAME, data_set.samples)
    left_out = (
        *data_set.broken, *data_set.copies, *data_set.repeated_cells, *data_set.repeated_boxes
    )  # fmt: skip
    artifacts.write_text(folder / "problems.csv", problems_csv(left_out))
    if data_set.task == "detect":
        artifacts.write_text(folder / "data.yaml", data_yaml(data_set.scheme))
    artifacts.write_bytes(folder / CONTACT_SHEET, sheet_jpeg(_sheet(folder, data_set)))
    content = {
        "schema": SCHEMA,
        "task": data_set.task,
        "level": config.level if data_set.task == "classify" else "field",
        "classes": list(data_set.scheme.names),
        "blasts": sorted(data_set.scheme.blasts),
        "counts": {split: dict(data_set.counts.get(split, {})) for split in SPLITS},
        "class_weights": _weights(data_set, config),
        "sources": [dataclasses.asdict(facts) for facts in data_set.sources],
        "left_out": {
            "broken": len(data_set.broken),
            "copies": len(data_set.copies),
            "repeated_cells": len(data_set.repeated_cells),
            "repeated_boxes": len(data_set.repeated_boxes),
        },
        "warnings": list(data_set.warnings),
        "config": plain,
        "manifest_sha256": artifacts.sha256_of_file(folder / FILE_NAME),
    }
    artifacts.write_json(folder / "dataset.json", content)
    artifacts.write_text(folder / "README.md", _readme(data_set))


def data_yaml(scheme: LabelScheme) -> str:
    """Ultralytics' description of a detection data set; ``path`` is the folder that it lies in."""
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(scheme.names))
    return f"train: images/train\nval: images/val\ntest: images/test\nnames:\n{names}"


def _weights(data_set: DataSet, config: PrepareConfig) -> dict[str, float] | None:
    if data_set.task != "classify" or config.balance != "weights":
        return None
    return class_weights(data_set.samples)


def _sheet(folder: Path, data_set: DataSet) -> Image:
    """Some samples of each class, or some fields of each split with their boxes."""
    rows = []
    if data_set.task == "classify":
        for label in data_set.scheme.names:
            chosen = _spread([s for s in data_set.samples if s.label == label])
            number = sum(1 for s in data_set.samples if s.label == label)
            rows.append(
                (f"{label}: {number}", [images.read_image(folder / s.path) for s in chosen])
            )
    else:
        for split in SPLITS:
            own = [s for s in data_set.samples if s.split == split]
            pictures = [_with_boxes(folder, sample) for sample in _spread(own)]
            rows.append((f"{split}: {len(own)} fields", pictures))
    return contact_sheet(rows)


def _spread(samples: Sequence[Sample]) -> list[Sample]:
    ordered = sorted(samples, key=lambda s: s.sample_id)
    if len(ordered) <= COLUMNS:
        return ordered
    return [ordered[int(i)] for i in np.linspace(0, len(ordered) - 1, COLUMNS).round()]


def _with_boxes(folder: Path, sample: Sample) -> Image:
    rgb = images.read_image(folder / sample.path).copy()
    labels = folder / "labels" / sample.split / f"{sample.sample_id}.txt"
    rows = [[float(v) for v in line.split()] for line in labels.read_text().splitlines()]
    values = np.array(rows, np.float64).reshape(-1, 5)
    size_wh = (sample.width, sample.height)
    thickness = max(1, max(size_wh) // 150)
    for class_id, box in zip(
        values[:, 0].astype(int), geometry.xyxy_from_cxcywhn(values[:, 1:], size_wh), strict=True
    ):
        x1, y1, x2, y2 = (int(v) for v in box)
        cv2.rectangle(rgb, (x1, y1), (x2, y2), _BOX_RGB[class_id % len(_BOX_RGB)], thickness)
    return rgb


def _readme(data_set: DataSet) -> str:
    unit = "boxes" if data_set.task == "detect" else "samples"
    table = [f"| {unit} | " + " | ".join(SPLITS) + " |", "|---|" + "---:|" * len(SPLITS)]
    for label in data_set.scheme.names:
        row = [str(data_set.counts.get(split, {}).get(label, 0)) for split in SPLITS]
        table.append(f"| {label} | " + " | ".join(row) + " |")
    origins = [_origin(facts) for facts in data_set.sources]
    notes = [f"- {warning}" for warning in data_set.warnings]
    notes += [
        f"- {len(found)} {what}; `problems.csv` lists them"
        for found, what in (
            (data_set.broken, "files could not be used"),
            (data_set.copies, "pictures show again what others show and are left out"),
            (data_set.repeated_cells, "cells stand in a later split, or fold, and are left out"),
            (data_set.repeated_boxes, "boxes stood twice in the source and are taken once"),
        )
        if found
    ]
    return "\n".join(
        [
            f"# {data_set.name}",
            "",
            f"For `{data_set.task}`.",
            "",
            f"![some of its pictures]({CONTACT_SHEET})",
            "",
            *table,
            "",
            *(["## Sources", "", *origins, ""] if origins else []),
            *(["## To know", "", *notes, ""] if notes else []),
        ]
    )


def _origin(facts: SourceFacts) -> str:
    cited = f" Cite: {facts.citation}." if facts.citation else ""
    return f"- {facts.title}: {facts.page}. Licence: {facts.licence}.{cited}"
