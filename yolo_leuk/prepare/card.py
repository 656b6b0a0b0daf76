"""What a data set says of itself: ``dataset.json``, ``README.md``, ``data.yaml``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts
from yolo_leuk.config import as_plain
from yolo_leuk.labels import LabelScheme
from yolo_leuk.manifest import FILE_NAME, SPLITS
from yolo_leuk.prepare.sources.source_image import SourceFacts, SourceImage

SCHEMA = "yolo-leuk/dataset/1"

NO_PATIENTS = "no patient identity in this data: the figure is optimistic"
WEAK_LABELS = "a cell's label is that of its picture; malignant pictures hold normal cells too"


def warnings_for(images: Sequence[SourceImage]) -> tuple[str, ...]:
    """What a reader of any figure on these pictures must know."""
    warnings = [NO_PATIENTS]
    if any(image.label and image.boxes_cxcywhn is None for image in images):
        warnings.append(WEAK_LABELS)
    return tuple(warnings)


def data_yaml(scheme: LabelScheme) -> str:
    """Ultralytics' description of a detection data set; ``path`` is the folder that it lies in."""
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(scheme.names))
    return f"train: images/train\nval: images/val\ntest: images/test\nnames:\n{names}"


def write_card(
    out: Path,
    name: str,
    config: Any,
    scheme: LabelScheme,
    counts: Mapping[str, Mapping[str, int]],
    sources: Sequence[SourceFacts],
    twins: Sequence[tuple[str, str]],
    warnings: Sequence[str],
) -> None:
    """Write ``dataset.json`` and ``README.md``. Neither holds a date: same input, same bytes."""
    manifest_sha256 = artifacts.sha256_of_file(out / FILE_NAME)
    content = {
        "schema": SCHEMA,
        "task": config.task,
        "classes": list(scheme.names),
        "blasts": sorted(scheme.blasts),
        "counts": {split: dict(counts.get(split, {})) for split in SPLITS},
        "sources": [dataclasses.asdict(facts) for facts in sources],
        "left_out_twins": [{"left_out": out_, "kept": kept} for out_, kept in twins],
        "warnings": list(warnings),
        "config": as_plain(config, whole_paths=False),
        "manifest_sha256": manifest_sha256,
    }
    artifacts.write_json(out / "dataset.json", content)
    artifacts.write_text(
        out / "README.md", _readme(name, config.task, scheme, counts, sources, twins, warnings)
    )


def _readme(
    name: str,
    task: str,
    scheme: LabelScheme,
    counts: Mapping[str, Mapping[str, int]],
    sources: Sequence[SourceFacts],
    twins: Sequence[tuple[str, str]],
    warnings: Sequence[str],
) -> str:
    unit = "boxes" if task == "detect" else "cells"
    table = [f"| {unit} | " + " | ".join(SPLITS) + " |", "|---|" + "---:|" * len(SPLITS)]
    for label in scheme.names:
        row = [str(counts.get(split, {}).get(label, 0)) for split in SPLITS]
        table.append(f"| {label} | " + " | ".join(row) + " |")
    origins = [f"- {s.title}: {s.page}. Licence: {s.licence}." for s in sources]
    notes = [f"- {warning}" for warning in warnings]
    if twins:
        notes.append(f"- {len(twins)} pictures are byte for byte copies of others and left out")
    return "\n".join(
        [
            f"# {name}",
            "",
            f"For `{task}`.",
            "",
            *table,
            "",
            "## Sources",
            "",
            *origins,
            "",
            "## To know",
            "",
            *notes,
            "",
        ]
    )
