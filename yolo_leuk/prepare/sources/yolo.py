"""Fields with YOLO boxes: ``images/<split>``, ``labels/<split>`` and ``data.yaml``; so TXL-PBC.

Red cells are the ruler: their median width in a picture is its ``px_per_rbc``. TXL-PBC's own
spreadsheet names the data set that each picture was taken from.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import yaml

from yolo_leuk.errors import DataError
from yolo_leuk.images import SUFFIXES
from yolo_leuk.prepare.sources.source_image import SourceFacts, SourceImage

TXL_PBC = SourceFacts(
    name="txl-pbc",
    title="TXL-PBC: peripheral blood cells with boxes",
    page="https://github.com/lugan113/TXL-PBC_Dataset",
    licence="MIT",
    size="50 MB",
    raw_folder="txl-pbc",
)

_SPREADSHEET = "metadata_file.xlsx"
_SPLITS = ("train", "val", "test")
_XLSX = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

_FIELD_NAMES = {
    "wbc": "white",
    "white blood cell": "white",
    "white": "white",
    "rbc": "red",
    "red blood cell": "red",
    "red": "red",
    "platelet": "platelet",
    "platelets": "platelet",
}


def recognises(folder: Path) -> bool:
    """Whether a folder has ``data.yaml``, ``images`` and ``labels``."""
    return (folder / "data.yaml").is_file() and all(
        (folder / name).is_dir() for name in ("images", "labels")
    )


def scan(folder: Path) -> list[SourceImage]:
    """All pictures of the three splits, sorted, with their boxes.

    Raises:
        DataError: ``data.yaml`` or a label file cannot be understood; the message names it.
    """
    names = _class_names(folder / "data.yaml")
    origins = _origins(folder / _SPREADSHEET)
    source = TXL_PBC.name if origins else folder.resolve().name
    images: list[SourceImage] = []
    for split in _SPLITS:
        pictures = folder / "images" / split
        if not pictures.is_dir():
            continue
        for path in sorted(p for p in pictures.iterdir() if p.suffix.lower() in SUFFIXES):
            labels = folder / "labels" / split / f"{path.stem}.txt"
            boxes, box_labels = _boxes(labels, names)
            part = origins.get(path.name)
            images.append(
                SourceImage(
                    path=path,
                    key=f"{split}-{path.stem}",
                    source=f"{source}/{part}" if part else source,
                    boxes_cxcywhn=boxes,
                    box_labels=box_labels,
                    split=split,
                )
            )
    if not images:
        raise DataError(f"{folder} has no pictures under images/train, images/val or images/test")
    return images


def _class_names(file: Path) -> list[str]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        names = content["names"]
        listed = list(names.values()) if isinstance(names, dict) else list(names)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(f"{file}: expected a YAML file with a list 'names': {error}") from error
    return [_FIELD_NAMES.get(str(name).strip().lower(), str(name)) for name in listed]


def _boxes(file: Path, names: list[str]) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Boxes of one label file: fractions, shape (n, 4), and the class name of each."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise DataError(f"cannot read the boxes {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text: {error}") from error
    rows, labels = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parsed = _parse_box(line.split(), len(names))
        if parsed is None:
            raise DataError(
                f"{file}, line {number}: expected 'class cx cy w h' with a class below "
                f"{len(names)} and fractions of the picture, found {line.strip()!r}"
            )
        class_id, box = parsed
        rows.append(box)
        labels.append(names[class_id])
    return np.array(rows, np.float64).reshape(-1, 4), tuple(labels)


def _parse_box(words: list[str], classes: int) -> tuple[int, list[float]] | None:
    """Class id and box of a line; None where it is not one of each."""
    try:
        class_id, box = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        return None
    is_box = len(box) == 4 and all(0 <= value <= 1 for value in box)
    return (class_id, box) if is_box and 0 <= class_id < classes else None


def _origins(spreadsheet: Path) -> dict[str, str]:
    """Picture name to the data set it was taken from; empty where there is no spreadsheet."""
    if not spreadsheet.is_file():
        return {}
    try:
        with zipfile.ZipFile(spreadsheet) as archive:
            shared = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
            sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    except (KeyError, OSError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise DataError(f"{spreadsheet} is no spreadsheet that can be read: {error}") from error
    texts = ["".join(item.itertext()) for item in shared.iter(f"{_XLSX}si")]
    rows = [
        [texts[int(value.text or 0)] for value in row.iter(f"{_XLSX}v")]
        for row in sheet.iter(f"{_XLSX}row")
    ]
    if not rows or not {"Source_Dataset", "New_Image_Name"} <= set(rows[0]):
        raise DataError(f"{spreadsheet}: no columns Source_Dataset and New_Image_Name")
    name, origin = rows[0].index("New_Image_Name"), rows[0].index("Source_Dataset")
    return {row[name]: row[origin] for row in rows[1:] if len(row) > max(name, origin)}
