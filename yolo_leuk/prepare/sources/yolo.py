"""Fields with YOLO boxes: ``images/<split>``, ``labels/<split>`` and ``data.yaml``; so TXL-PBC.

``<split>/images`` and ``<split>/labels`` are taken too, and folders without splits. TXL-PBC's own
spreadsheet names the data set that each picture was taken from.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import yaml

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.field_names import field_name, scheme_of_boxes
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.split_names import split_named
from yolo_leuk.prepare.sources.text_files import parse_xml, read_text

TXL_PBC = SourceFacts(
    name="txl-pbc",
    title="TXL-PBC: peripheral blood cells with boxes",
    page="https://github.com/lugan113/TXL-PBC_Dataset",
    licence="MIT",
    size="50 MB",
    raw_folder="txl-pbc",
    citation="L. Gan, X. Li, X. Wang: A Curated and Re-annotated Peripheral Blood Cell Dataset "
    "Integrating Four Public Resources. arXiv:2407.13214",
)

_SPREADSHEET = "metadata_file.xlsx"
_LARGEST_SHEET_BYTES = 64 << 20
_SPLITS = ("train", "val", "test", None)
_SHEETS = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
_XLSX = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_TEXT, _ROW, _VALUE = f"{_XLSX}si", f"{_XLSX}row", f"{_XLSX}v"


def recognises(tree: SourceTree) -> bool:
    """Whether a tree has ``data.yaml``, and pictures and text files under images and labels."""
    return all((_description(tree), _pictures(tree), _label_files(tree)))


def scan(tree: SourceTree) -> Scan:
    """All pictures under ``images``, by split and name, with their boxes.

    Raises:
        DataError: ``data.yaml`` cannot be understood, or no picture can be used.
    """
    description = _description(tree)
    if description is None:
        raise DataError(f"{tree.root} has no data.yaml with the names of its classes")
    names = _class_names(description)
    origins = _origins(tree)
    source = TXL_PBC.name if origins else tree.name
    images: list[SourceImage] = []
    problems: list[Problem] = []
    for place, file in _pictures(tree).items():
        label_place = _label_place(place)
        if label_place not in tree.below_top:
            problems.append(problem_of(file, f"has no label file {label_place}"))
            continue
        try:
            boxes, labels, wrong = _boxes(tree.below_top[label_place], names)
        except DataError as error:
            problems.append(problem_of(file, str(error)))
            continue
        problems += wrong
        part = origins.get(file.place.name)
        images.append(
            SourceImage(
                file=file,
                key=_key(place),
                source=f"{source}/{part}" if part else source,
                boxes_cxcywhn=boxes,
                box_labels=labels,
                split=split_named(PurePosixPath(place).parts[:-1]),
            )
        )
    problems += _without_picture(tree)
    images.sort(key=lambda image: _SPLITS.index(image.split))
    return finished_scan(
        tree,
        images,
        problems,
        scheme_of_boxes(names),
        expected="pictures under images/train and their boxes under labels/train",
    )


# --- the layout --------------------------------------------------------------------------------


def _description(tree: SourceTree) -> SourceFile | None:
    """The ``data.yaml`` nearest to the top."""
    found = [file for file in tree.files if file.place.name.lower() in {"data.yaml", "data.yml"}]
    return min(found, key=lambda file: len(file.folders), default=None)


def _pictures(tree: SourceTree) -> dict[str, SourceFile]:
    return {
        place: file
        for place, file in tree.pictures.items()
        if "images" in PurePosixPath(place).parts[:-1]
    }


def _label_place(place: str) -> str:
    """Where Ultralytics looks for the boxes of a picture: the last ``images`` is ``labels``."""
    before, _, after = f"/{place}".rpartition("/images/")
    return f"{before}/labels/{PurePosixPath(after).with_suffix('.txt')}"[1:]


def _key(place: str) -> str:
    path = PurePosixPath(place)
    return "-".join([part for part in path.parts[:-1] if part != "images"] + [path.stem])


def _label_files(tree: SourceTree) -> dict[str, SourceFile]:
    return {
        place: file
        for place, file in tree.below_top.items()
        if place.endswith(".txt") and "labels" in PurePosixPath(place).parts[:-1]
    }


def _without_picture(tree: SourceTree) -> list[Problem]:
    """Label files that no picture has."""
    wanted = {_label_place(place) for place in _pictures(tree)}
    return [
        problem_of(file, "is a label file without a picture")
        for place, file in _label_files(tree).items()
        if place not in wanted
    ]


# --- the files ---------------------------------------------------------------------------------


def _class_names(file: SourceFile) -> list[str]:
    expected = f"{file}: expected a YAML file with a list 'names'"
    try:
        # Texts only: a tag such as !!int makes the other loaders raise whatever int() does.
        names = yaml.load(read_text(file), Loader=yaml.BaseLoader)["names"]
    except (yaml.YAMLError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{expected}: {error}") from error
    listed = list(names.values()) if isinstance(names, dict) else names
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise DataError(f"{expected} of texts")
    return [field_name(name) for name in listed]


def _boxes(
    file: SourceFile, names: list[str]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...], list[Problem]]:
    """Boxes of one label file, the class of each, and what is wrong with others."""
    rows, labels, problems = [], [], []
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if not line.strip():
            continue
        parsed = _parse_box(line.split(), len(names))
        if parsed is None:
            raise DataError(
                f"{file}, line {number}: expected 'class cx cy w h' with a class below "
                f"{len(names)} and fractions of the picture, found {line.strip()[:80]!r}"
            )
        class_id, box = parsed
        if min(box[2:]) == 0:
            problems.append(problem_of(file, f"line {number}: the box has no area"))
            continue
        rows.append(box)
        labels.append(names[class_id])
    return np.array(rows, np.float64).reshape(-1, 4), tuple(labels), problems


def _parse_box(words: list[str], classes: int) -> tuple[int, list[float]] | None:
    """Class id and box of a line; None where it is not one of each."""
    try:
        class_id, box = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        return None
    is_box = len(box) == 4 and all(0 <= value <= 1 for value in box)
    return (class_id, box) if is_box and 0 <= class_id < classes else None


# --- TXL-PBC's spreadsheet ---------------------------------------------------------------------


def _origins(tree: SourceTree) -> dict[str, str]:
    """Picture name to the data set it was taken from; empty where there is no spreadsheet."""
    spreadsheet = tree.below_top.get(_SPREADSHEET)
    if spreadsheet is None:
        return {}
    rows = _spreadsheet_rows(spreadsheet)
    if not rows or not {"Source_Dataset", "New_Image_Name"} <= set(rows[0]):
        raise DataError(f"{spreadsheet}: no columns Source_Dataset and New_Image_Name")
    name, origin = rows[0].index("New_Image_Name"), rows[0].index("Source_Dataset")
    return {row[name]: row[origin] for row in rows[1:] if len(row) > max(name, origin)}


def _spreadsheet_rows(spreadsheet: SourceFile) -> list[list[str]]:
    """Cells of the first sheet, all of them texts."""
    try:
        with zipfile.ZipFile(io.BytesIO(spreadsheet.read())) as archive:
            shared, sheet = (_member(archive, name) for name in _SHEETS)
        texts = ["".join(item.itertext()) for item in parse_xml(shared, spreadsheet).iter(_TEXT)]
        return [
            [texts[int(value.text or 0)] for value in row.iter(_VALUE)]
            for row in parse_xml(sheet, spreadsheet).iter(_ROW)
        ]
    except (
        IndexError,  # a text that is not there
        KeyError,  # a sheet that is not there
        NotImplementedError,
        RuntimeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(f"{spreadsheet} is no spreadsheet that can be read: {error}") from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    if entry.file_size > _LARGEST_SHEET_BYTES:
        raise ValueError(f"{name} has {entry.file_size:,} bytes")
    with archive.open(entry) as stream:
        return stream.read(entry.file_size)
