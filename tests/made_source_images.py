"""Source images without files: what is placed is decided by names, hashes and looks alone."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import numpy as np

from yolo_leuk.prepare.facts import PictureFacts
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile
from yolo_leuk.prepare.split.looks import Look
from yolo_leuk.thumbnail import SIDE_PX

_CELL = re.compile(r"UID_(H?\d+)_\d+_\d+_(all|hem)", re.IGNORECASE)
_FOLD = re.compile(r"/fold_(\d)/")


def image_of(key: str, source: str = "set", **fields) -> SourceImage:
    return SourceImage(SourceFile(Path("nowhere"), f"{key}.png"), key, source, **fields)


def facts_of(content: str, look: Look | None = None) -> PictureFacts:
    """Facts of a file that holds this text."""
    return PictureFacts(hashlib.sha256(content.encode()).hexdigest(), look)


def look(colour: float, seed: int) -> Look:
    """A look of this colour whose field is like no other."""
    thumbnail = np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX), np.uint8)
    return Look(np.full(9, colour), thumbnail)


def cnmc_images(folder: Path) -> tuple[list[SourceImage], list[PictureFacts]]:
    """All labelled pictures of C-NMC by their names and hashes, without pixels."""
    named = _validation_names(folder)
    images, facts = [], []
    with (folder / "manifest.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            path = row["path"]
            if not path.endswith(".bmp") or "/testing_data/" in path:
                continue
            file = Path(path)
            fold = _FOLD.search(path)
            cell = _CELL.fullmatch(file.stem if fold else named[file.name])
            images.append(
                image_of(
                    file.stem if fold else f"validation-{file.stem}",
                    "cnmc",
                    label=cell[2],
                    subject=cell[1].upper(),
                    fold=int(fold[1]) if fold else None,
                    split=None if fold else "test",
                    is_cell=True,
                )
            )
            facts.append(PictureFacts(row["sha256"], None))
    return images, facts


def _validation_names(folder: Path) -> dict[str, str]:
    """The own name, without suffix, of each validation picture."""
    table = folder / "validation_data" / "C-NMC_test_prelim_phase_data_labels.csv"
    with table.open(encoding="utf-8") as stream:
        return {r["new_names"]: Path(r["Patient_ID"]).stem for r in csv.DictReader(stream)}
