"""ALL-4-class: 3,256 fields of 224×224 px, Benign and three maturity stages (Aria et al. 2021).

No patient is named. A scale bar is burnt into the lower right corner, in a style that goes with the
class. The laboratory's pictures are offered in two layouts: ``Original/Early`` with masks of the
same names in ``Segmented/Early``, and ``[Malignant] early Pre-B`` without masks.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.pixel_boxes import upright_size_wh
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree

FACTS = SourceFacts(
    name="all4",
    title="ALL-4-class (Acute Lymphoblastic Leukemia image dataset)",
    page="https://www.kaggle.com/datasets/mehradaria/leukemia (DOI 10.34740/KAGGLE/DSV/2175623)",
    licence="not stated; do not redistribute the images",
    size="116 MB",
    raw_folder="all4",
    citation="M. Aria, M. Ghaderzadeh, D. Bashash, H. Abolghasemi, F. Asadi, A. Hosseini: Acute "
    "Lymphoblastic Leukemia (ALL) image dataset. Kaggle, 2021. DOI 10.34740/KAGGLE/DSV/2175623",
)

CLASSES = ("Benign", "Early", "Pre", "Pro")
SCHEME = LabelScheme(CLASSES, blasts=frozenset({"Early", "Pre", "Pro"}))
PX_PER_RBC = 20.0
"""Width of a red cell in a field of 224×224 px."""

_FIELD_PX = 224
_MASKS = "segmented"
_CLASS_OF_FOLDER = {
    "benign": "Benign",
    "early": "Early",
    "pre": "Pre",
    "pro": "Pro",
    "[malignant] early pre-b": "Early",
    "[malignant] pre-b": "Pre",
    "[malignant] pro-b": "Pro",
}


def recognises(tree: SourceTree) -> bool:
    """Whether pictures lie in a folder for each of the four classes."""
    return {field.label for field in _fields(tree) if not field.is_mask} == set(CLASSES)


def scan(tree: SourceTree) -> Scan:
    """All fields of the data set, sorted by class and name, with their masks.

    Raises:
        DataError: A class has no pictures.
    """
    fields = _fields(tree)
    masks = {field.key: field.file for field in fields if field.is_mask}
    fields = [field for field in fields if not field.is_mask]
    missing = [label for label in CLASSES if label not in {field.label for field in fields}]
    if missing:
        raise DataError(
            f"{tree.root} has no pictures of {', '.join(missing)}; expected the folders "
            f"{', '.join(CLASSES)}, there or under Original/",
            hint=f"Download it from {FACTS.page}.",
        )
    px_per_rbc = _px_per_rbc(fields[0].file)
    images = [
        SourceImage(
            file=field.file,
            key=field.key,
            source=FACTS.name,
            label=field.label,
            number=field.number,
            has_scale_bar=True,
            px_per_rbc=px_per_rbc,
            mask=masks.get(field.key),
            mask_kind="cell-on-black" if field.key in masks else "",
        )
        for field in sorted(fields, key=lambda field: CLASSES.index(field.label))
    ]
    return finished_scan(tree, images, [], SCHEME, expected="four folders of pictures")


@dataclass(frozen=True)
class _Field:
    """A picture in a folder of its class, or the mask of one."""

    file: SourceFile
    label: str
    is_mask: bool

    @property
    def key(self) -> str:
        """The same for a picture and its mask."""
        return f"{self.label}-{self.file.place.stem}"

    @property
    def number(self) -> int | None:
        digits = re.findall(r"\d+", self.file.place.stem)
        return int(digits[-1]) if digits else None


def _fields(tree: SourceTree) -> list[_Field]:
    fields = []
    for file in tree.pictures.values():
        label = _CLASS_OF_FOLDER.get(file.folders[-1])
        if label is not None:
            fields.append(_Field(file, label, _MASKS in file.folders))
    return fields


def _px_per_rbc(file: SourceFile) -> float:
    """The ruler of the whole data set, by one picture: copies at another size are about."""
    try:
        width, height = upright_size_wh(file)
    except DataError:  # told when the picture itself is read
        return PX_PER_RBC
    return PX_PER_RBC * math.sqrt(width * height) / _FIELD_PX
