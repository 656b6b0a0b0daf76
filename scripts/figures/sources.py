"""Ground truth of what only testing uses: BCCD, CellaVision, C-NMC, the hand boxes."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.images import read_image
from yolo_leuk.near_duplicates import near_pairs
from yolo_leuk.overlaps import overlapping
from yolo_leuk.prepare.sources import yolo
from yolo_leuk.prepare.sources.source_tree import open_tree
from yolo_leuk.thumbnail import Thumbnail, spectrum_of, thumbnail_of

_FIELD_NAMES = {"WBC": "white", "RBC": "red", "Platelets": "platelet"}


@dataclass(frozen=True)
class BoxedImage:
    """A picture with true boxes.

    Attributes:
        path: Of the picture.
        xyxy: Boxes by class name, in pixels.
        doubtful_xyxy: Regions in which nobody can tell.
        label: Class of the picture, or empty.
    """

    path: Path
    xyxy: dict[str, npt.NDArray[np.float32]]
    doubtful_xyxy: npt.NDArray[np.float32]
    label: str = ""


def bccd_not_in(data: Path, other: Path) -> list[BoxedImage]:
    """BCCD's pictures that are not byte for byte in another data set's folder."""
    known = {sha256_of_file(path) for path in other.rglob("*") if path.is_file()}
    images = []
    for path in sorted((data / "bccd" / "JPEGImages").glob("*.jpg")):
        if sha256_of_file(path) not in known:
            annotation = data / "bccd" / "Annotations" / f"{path.stem}.xml"
            images.append(BoxedImage(path, _voc_boxes(annotation), _no_boxes()))
    return images


def sharing_no_field(pictures: Sequence[BoxedImage], other: Path) -> list[BoxedImage]:
    """The pictures that show no place which a picture in another folder shows, in whole or part."""
    theirs = sorted(path for path in other.rglob("*.png"))
    thumbnails = [_thumbnail(path) for path in [*theirs, *(picture.path for picture in pictures)]]
    spectra = [spectrum_of(thumbnail) for thumbnail in thumbnails]
    near = near_pairs(thumbnails, spectra, len(theirs), workers=2).pairs
    pairs = [(pair.first, pair.second) for pair in near]
    pairs += [(overlap.first, overlap.second) for overlap in overlapping(thumbnails)]
    found = {second for first, second in pairs if first < len(theirs)}
    return [p for number, p in enumerate(pictures, start=len(theirs)) if number not in found]


def _thumbnail(path: Path) -> Thumbnail:
    grey = cv2.cvtColor(read_image(path), cv2.COLOR_RGB2GRAY)
    return thumbnail_of(np.asarray(grey, np.uint8))


def _voc_boxes(file: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Boxes of a Pascal VOC file by class; two of BCCD's have no area and are left out."""
    boxes: dict[str, list[list[float]]] = {name: [] for name in _FIELD_NAMES.values()}
    for item in ElementTree.parse(file).getroot().iter("object"):
        corners = [
            float(item.findtext(f"bndbox/{key}", "nan")) for key in ("xmin", "ymin", "xmax", "ymax")
        ]
        if corners[2] > corners[0] and corners[3] > corners[1]:
            boxes[_FIELD_NAMES[item.findtext("name", "")]].append(corners)
    return {name: np.array(rows, np.float32).reshape(-1, 4) for name, rows in boxes.items()}


def yolo_boxed(folder: Path, split: str, source: str = "") -> list[BoxedImage]:
    """Pictures of one split of a data set with YOLO boxes; of one source of it where named."""
    images = []
    for image in yolo.scan(open_tree(folder)).images:
        if image.split != split or image.boxes_cxcywhn is None:
            continue
        if source and image.source != source:
            continue
        path = image.file.root / image.file.name
        height, width = read_image(path).shape[:2]
        xyxy = geometry.xyxy_from_cxcywhn(image.boxes_cxcywhn, (width, height))
        names = np.array(image.box_labels)
        boxes = {name: xyxy[names == name] for name in _FIELD_NAMES.values()}
        images.append(BoxedImage(path, boxes, _no_boxes()))
    return images


def hand_boxed(data: Path, boxes_file: Path) -> list[BoxedImage]:
    """The ALL-4 pictures that were boxed by eye, found by their SHA-256."""
    paths = {sha256_of_file(p): p for p in sorted((data / "all4" / "Original").glob("*/*.jpg"))}
    content = json.loads(boxes_file.read_text())
    return [
        BoxedImage(
            paths[item["sha256"]],
            {"white": np.array(item["boxes"], np.float32).reshape(-1, 4)},
            np.array(item["doubtful"], np.float32).reshape(-1, 4),
            item["label"],
        )
        for item in content["images"]
    ]


@dataclass(frozen=True)
class CellImage:
    """A picture of one cell.

    Attributes:
        path: Of the picture.
        is_blast: Whether the cell is a blast.
        subject: The patient, or the file itself where none is named.
    """

    path: Path
    is_blast: bool
    subject: str


def cellavision(data: Path) -> list[CellImage]:
    """White cells of healthy blood with masks; none is a blast."""
    return [
        CellImage(path, False, path.stem)
        for path in sorted((data / "cellavision-masks").glob("*.bmp"))
    ]


def cnmc(data: Path) -> list[CellImage]:
    """C-NMC's labelled cells in the folder; subjects that share a file are one."""
    images = []
    for path in sorted((data / "cnmc" / "training_data").glob("fold_*/*/*")):
        subject = path.stem.split("_")[1].upper()
        images.append(CellImage(path, path.parent.name == "all", _JOINED.get(subject, subject)))
    labels = data / "cnmc" / "validation_data" / "C-NMC_test_prelim_phase_data_labels.csv"
    folder = data / "cnmc" / "validation_data" / "C-NMC_test_prelim_phase_data"
    with labels.open(newline="") as stream:
        for row in csv.DictReader(stream):
            found = next(folder.glob(f"{Path(row['new_names']).stem}.*"), None)
            if found is not None:
                name = Path(row["Patient_ID"]).stem
                subject = f"validation-{name.split('_')[1].upper()}"
                images.append(CellImage(found, row["labels"] == "1", subject))
    return images


# Subject numbers of C-NMC that share byte-identical files are one person.
_JOINED = {"21": "20", "75": "51", "78": "51", "H4": "H2", "H5": "H2", "H6": "H2", "H3": "H10"}


def _no_boxes() -> npt.NDArray[np.float32]:
    return np.zeros((0, 4), np.float32)
