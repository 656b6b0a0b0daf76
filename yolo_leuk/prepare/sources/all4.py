"""ALL-4-class: 3,256 fields of 224×224 px, Benign and three maturity stages (Aria et al. 2021).

No patient is named. A scale bar is burnt into the lower right corner, in a style that goes with the
class, and a red cell is about 20 px wide.
"""

from __future__ import annotations

import re
from pathlib import Path

from yolo_leuk.errors import DataError
from yolo_leuk.images import SUFFIXES
from yolo_leuk.prepare.sources.source_image import SourceFacts, SourceImage

FACTS = SourceFacts(
    name="all4",
    title="ALL-4-class (Acute Lymphoblastic Leukemia image dataset)",
    page="https://www.kaggle.com/datasets/mehradaria/leukemia (DOI 10.34740/KAGGLE/DSV/2175623)",
    licence="not stated; do not redistribute the images",
    size="116 MB",
    raw_folder="all4",
)

CLASSES = ("Benign", "Early", "Pre", "Pro")
PX_PER_RBC = 20.0


def recognises(folder: Path) -> bool:
    """Whether a folder, or its ``Original``, has the four class folders."""
    return _root(folder) is not None


def scan(folder: Path) -> list[SourceImage]:
    """All fields of the data set, sorted by class and number.

    Raises:
        DataError: The folder lacks the four class folders, or one of them is empty.
    """
    root = _root(folder)
    if root is None:
        raise DataError(
            f"{folder}: expected the folders {', '.join(CLASSES)}, there or under Original/",
            hint=f"Download it from {FACTS.page}.",
        )
    images: list[SourceImage] = []
    for label in CLASSES:
        files = sorted(p for p in (root / label).iterdir() if p.suffix.lower() in SUFFIXES)
        if not files:
            raise DataError(f"{root / label} has no pictures")
        images += [_source_image(path, label) for path in files]
    return images


def _root(folder: Path) -> Path | None:
    for candidate in (folder / "Original", folder):
        if all((candidate / name).is_dir() for name in CLASSES):
            return candidate
    return None


def _source_image(path: Path, label: str) -> SourceImage:
    digits = re.findall(r"\d+", path.stem)
    return SourceImage(
        path=path,
        key=f"{label}-{path.stem}",
        source=FACTS.name,
        label=label,
        number=int(digits[-1]) if digits else None,
        has_scale_bar=True,
        px_per_rbc=PX_PER_RBC,
    )
