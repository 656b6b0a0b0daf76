"""Files with boxes: YOLO text and Pascal VOC, and what is wrong in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from yolo_leuk.audit.layout import DataSet

Kind = Literal[
    "no_area",
    "outside",
    "unknown_class",
    "twice",
    "unreadable",
    "wrong_size",
    "no_picture",
    "no_label_file",
    "not_in_manifest",
    "missing_picture",
]

MEANINGS: dict[Kind, str] = {
    "no_area": "box without area",
    "outside": "box that reaches out of its picture",
    "unknown_class": "class that data.yaml does not have",
    "twice": "the same box twice",
    "unreadable": "line or file that cannot be understood",
    "wrong_size": "file with another size than its picture",
    "no_picture": "label file without a picture",
    "no_label_file": "picture without a label file",
    "not_in_manifest": "picture that the manifest does not name",
    "missing_picture": "picture of the manifest that is not there",
}

# A box may reach out by this much: coordinates are rounded when they are written, and some tools
# count pixels from 0, others from 1.
_TOLERANCE_PX = 1.0


@dataclass(frozen=True)
class Problem:
    """Something wrong with a label.

    Attributes:
        kind: One of MEANINGS.
        file: Relative to the data set.
        detail: What was found, with its line where it has one.
    """

    kind: Kind
    file: str
    detail: str = ""


@dataclass(frozen=True)
class Labels:
    """What was found in the files with boxes.

    Attributes:
        files: How many there are.
        boxes: (split, class name) of each box that could be read.
        problems: In order of the files.
    """

    files: int
    boxes: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]

    @property
    def counts(self) -> dict[Kind, int]:
        """Number of problems of each kind that occurs."""
        found = [problem.kind for problem in self.problems]
        return {kind: found.count(kind) for kind in MEANINGS if kind in found}


@dataclass(frozen=True)
class _Box:
    """A box in pixels, and where it stands."""

    where: str
    label: str
    xyxy: tuple[float, float, float, float]


def check_labels(data_set: DataSet, sizes_wh: Mapping[str, tuple[int, int]]) -> Labels:
    """Read all label files and say what is wrong in them.

    Args:
        data_set: The data set.
        sizes_wh: Path of each picture that could be read to its width and height in pixels.
    """
    names, unnamed = _class_names(data_set.root)
    splits = {p.label_file: p.split for p in data_set.pictures if p.label_file}
    sizes = {p.label_file: sizes_wh.get(p.path) for p in data_set.pictures if p.label_file}
    boxes: list[tuple[str, str]] = []
    problems = [*unnamed, *_unpaired(data_set)]
    for file in data_set.label_files:
        size_wh = sizes.get(file)
        read = _read(data_set.root, file, names, size_wh)
        found = [item for item in read if isinstance(item, _Box)]
        problems += [item for item in read if isinstance(item, Problem)]
        problems += _misplaced(file, found, size_wh)
        boxes += [(splits.get(file, ""), box.label) for box in found]
    return Labels(len(data_set.label_files), tuple(boxes), tuple(problems))


def _unpaired(data_set: DataSet) -> Iterator[Problem]:
    taken = {picture.label_file for picture in data_set.pictures}
    for file in data_set.label_files:
        if file not in taken:
            yield Problem("no_picture", file)
    if data_set.label_files:
        for picture in data_set.pictures:
            if not picture.label_file:
                yield Problem("no_label_file", picture.path)
    for path in data_set.missing:
        yield Problem("missing_picture", path)
    for path in data_set.unlisted:
        yield Problem("not_in_manifest", path)


def _misplaced(
    file: str, boxes: Iterable[_Box], size_wh: tuple[int, int] | None
) -> Iterator[Problem]:
    """Boxes without area, outside of the picture, or there already."""
    seen: dict[tuple[str, tuple[float, float, float, float]], str] = {}
    for box in boxes:
        x1, y1, x2, y2 = box.xyxy
        shown = f"{box.where}: {box.label} from ({x1:.6g}, {y1:.6g}) to ({x2:.6g}, {y2:.6g}) px"
        first = seen.setdefault((box.label, box.xyxy), box.where)
        if x2 <= x1 or y2 <= y1:
            yield Problem("no_area", file, shown)
        elif size_wh is not None and _is_outside(box.xyxy, size_wh):
            yield Problem("outside", file, f"{shown} of a picture of {size_wh[0]}×{size_wh[1]}")
        elif first != box.where:
            yield Problem("twice", file, f"{shown}, as in {first}")


def _finite(text: str) -> float:
    """A number; ValueError for anything else, also for what Python calls one: nan and inf."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _is_outside(xyxy: tuple[float, float, float, float], size_wh: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = xyxy
    width, height = size_wh
    return min(x1, y1) < -_TOLERANCE_PX or x2 > width + _TOLERANCE_PX or y2 > height + _TOLERANCE_PX


def _read(
    root: Path, file: str, names: Mapping[int, str] | None, size_wh: tuple[int, int] | None
) -> list[_Box | Problem]:
    try:
        text = (root / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [Problem("unreadable", file, str(error))]
    if file.lower().endswith(".xml"):
        return list(_voc(file, text, size_wh))
    return list(_yolo(file, text, names, size_wh or (1, 1)))


# --- YOLO: "class cx cy w h", or "class x1 y1 x2 y2 …" of an outline, as fractions ---------------


def _yolo(
    file: str, text: str, names: Mapping[int, str] | None, size_wh: tuple[int, int]
) -> Iterator[_Box | Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        where = f"line {number}"
        try:
            class_id, values = int(words[0]), [_finite(word) for word in words[1:]]
        except ValueError:
            yield Problem("unreadable", file, f"{where}: expected numbers, found {line.strip()!r}")
            continue
        corners = _corners(values)
        if corners is None:
            found = f"{where}: expected 'class cx cy w h' or an outline, found {len(words)} numbers"
            yield Problem("unreadable", file, found)
            continue
        if names is not None and class_id not in names:
            yield Problem("unknown_class", file, f"{where}: {class_id}; known are {_listed(names)}")
        width, height = size_wh
        x1, y1, x2, y2 = corners
        label = (names or {}).get(class_id, str(class_id))
        yield _Box(where, label, (x1 * width, y1 * height, x2 * width, y2 * height))


def _corners(values: list[float]) -> tuple[float, float, float, float] | None:
    if len(values) == 4:
        cx, cy, width, height = values
        return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2
    if len(values) >= 6 and len(values) % 2 == 0:
        return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
    return None


def _class_names(root: Path) -> tuple[dict[int, str] | None, list[Problem]]:
    """Class id to name by ``data.yaml``, None without one; and files of YAML that are none."""
    import yaml

    problems = []
    for file in sorted((*root.glob("*.yaml"), *root.glob("*.yml"))):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            problems.append(Problem("unreadable", file.name, f"no YAML that can be read: {error}"))
            continue
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, list):
            return {number: str(name) for number, name in enumerate(names)}, problems
        if isinstance(names, dict) and all(isinstance(key, int) for key in names):
            return {number: str(name) for number, name in names.items()}, problems
    return None, problems


def _listed(names: Mapping[int, str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in sorted(names.items()))


# --- Pascal VOC ----------------------------------------------------------------------------------


def _voc(file: str, text: str, size_wh: tuple[int, int] | None) -> Iterator[_Box | Problem]:
    if "<!ENTITY" in text:  # a few lines of them grow to gigabytes
        yield Problem("unreadable", file, "it declares entities, which such a file does not need")
        return
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        yield Problem("unreadable", file, f"no XML that can be read: {error}")
        return
    declared = _declared_size(root)
    if size_wh is not None and declared is not None and declared != size_wh:
        found = f"{declared[0]}×{declared[1]} instead of {size_wh[0]}×{size_wh[1]}"
        yield Problem("wrong_size", file, found)
    for number, element in enumerate(root.iter("object"), 1):
        label = (element.findtext("name") or "").strip()
        sides = [element.findtext(f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax")]
        try:
            x1, y1, x2, y2 = (_finite(side or "") for side in sides)
        except ValueError:
            yield Problem("unreadable", file, f"object {number}: no box of four numbers")
            continue
        yield _Box(f"object {number}", label, (x1, y1, x2, y2))


def _declared_size(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        return int(root.findtext("size/width") or ""), int(root.findtext("size/height") or "")
    except ValueError:
        return None
