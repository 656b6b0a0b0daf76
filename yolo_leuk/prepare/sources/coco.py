"""Fields with the boxes of a COCO JSON file, which names its pictures by path.

Boxes of crowds and outlines of segments are passed over.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.field_names import field_name, scheme_of_boxes
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.pixel_boxes import PixelBox, as_fractions, upright_size_wh
from yolo_leuk.prepare.sources.source_image import Scan, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.split_names import split_named
from yolo_leuk.prepare.sources.text_files import read_text

_NAMES = re.compile(r"coco|instances|annotations?$", re.IGNORECASE)
_FARTHEST_PX = 1e9


def recognises(tree: SourceTree) -> bool:
    """Whether a tree has pictures and a JSON file that is named as those of COCO are."""
    return bool(tree.pictures) and any(_is_named_as_coco(file) for file in _json_files(tree))


def scan(tree: SourceTree) -> Scan:
    """All pictures that the JSON files name, in their order, with their boxes.

    Raises:
        DataError: There is none that can be used.
    """
    images: list[SourceImage] = []
    problems: list[Problem] = []
    names: list[str] = []
    pictures = _Pictures(tree)
    files = _json_files(tree)
    for file in [one for one in files if _is_named_as_coco(one)] or files:
        try:
            annotations = _annotations(file)
        except DataError as error:
            problems.append(problem_of(file, str(error)))
            continue
        names += annotations.name_of.values()
        listed = {image.file for image in images}
        found, wrong = _images(tree, annotations, pictures, listed)
        images += found
        problems += wrong
    return finished_scan(
        tree, images, problems, scheme_of_boxes(names), expected="a COCO JSON file and its pictures"
    )


def _images(
    tree: SourceTree, annotations: _Annotations, pictures: _Pictures, listed: set[SourceFile]
) -> tuple[list[SourceImage], list[Problem]]:
    """The pictures of one JSON file that are not listed in another."""
    seen = set(listed)
    images: list[SourceImage] = []
    problems: list[Problem] = []
    for entry in annotations.images:
        try:
            picture = pictures.find(entry, annotations.file)
        except DataError as error:
            problems.append(problem_of(annotations.file, str(error)))
            continue
        if picture in seen:
            problems.append(problem_of(annotations.file, f"{picture} is listed twice"))
            continue
        seen.add(picture)
        try:
            image, wrong = _image(tree, picture, entry, annotations)
        except DataError as error:
            problems.append(problem_of(picture, str(error)))
            continue
        images.append(image)
        problems += wrong
    return images, problems


# --- which files -------------------------------------------------------------------------------


def _json_files(tree: SourceTree) -> list[SourceFile]:
    return [file for file in tree.files if file.place.suffix.lower() == ".json"]


def _is_named_as_coco(file: SourceFile) -> bool:
    return bool(_NAMES.search(file.place.stem)) or file.folders[-1] == "annotations"


class _Pictures:
    """The pictures of a tree by the paths that a JSON file may give them."""

    def __init__(self, tree: SourceTree) -> None:
        self._by_name: dict[str, list[SourceFile]] = defaultdict(list)
        for file in tree.pictures.values():
            self._by_name[file.place.name].append(file)

    def find(self, entry: dict[str, Any], beside: SourceFile) -> SourceFile:
        """The picture of an entry: beside the JSON file, else the only one whose path ends so."""
        given = entry.get("file_name")
        place = PurePosixPath(given) if isinstance(given, str) else PurePosixPath()
        if not place.name or place.is_absolute() or ".." in place.parts or "\\" in str(place):
            raise DataError(f"file_name is {str(given)[:200]!r}; expected a path inside the source")
        candidates = [
            file
            for file in self._by_name.get(place.name, [])
            if file.place.parts[-len(place.parts) :] == place.parts
        ]
        if beside.place.parent / place in [file.place for file in candidates]:
            return SourceFile(beside.root, str(beside.place.parent / place))
        if len(candidates) > 1:
            split = split_named(_words(beside))
            candidates = [file for file in candidates if split_named(file.place.parts) == split]
        if len(candidates) != 1:
            raise DataError(f"expected one picture {place}, found {len(candidates)}")
        return candidates[0]


def _words(file: SourceFile) -> list[str]:
    """Words of a JSON file's name and folder: ``instances_train2017`` has one that is a split."""
    return re.split(r"[\W\d_]+", " ".join([file.place.stem, *file.place.parts[:-1]]))


# --- what they say -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Annotations:
    """A JSON file: its pictures, their boxes by the picture's id, class names by theirs."""

    file: SourceFile
    images: list[dict[str, Any]]
    boxes_of: dict[int | str, list[dict[str, Any]]]
    name_of: dict[int | str, str]


def _annotations(file: SourceFile) -> _Annotations:
    try:
        content = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is no JSON that can be read: {error}") from error
    boxes_of: dict[int | str, list[dict[str, Any]]] = defaultdict(list)
    for box in _entries(content, "annotations", file):
        if not box.get("iscrowd"):
            boxes_of[_id(box, "image_id", file)].append(box)
    name_of = {
        _id(category, "id", file): field_name(str(category.get("name")))
        for category in _entries(content, "categories", file)
    }
    return _Annotations(file, _entries(content, "images", file), boxes_of, name_of)


def _entries(content: object, key: str, file: SourceFile) -> list[dict[str, Any]]:
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f"{file}: expected a list {key!r} of objects")
    return entries


def _id(entry: dict[str, Any], key: str, file: SourceFile) -> int | str:
    value = entry.get(key)
    if not isinstance(value, int | str):
        raise DataError(f"{file}: expected a number as {key!r}, found {str(value)[:80]}")
    return value


def _image(
    tree: SourceTree, picture: SourceFile, entry: dict[str, Any], annotations: _Annotations
) -> tuple[SourceImage, tuple[Problem, ...]]:
    size_wh = upright_size_wh(picture)
    said = (entry.get("width"), entry.get("height"))
    if None not in said and said != size_wh:
        raise DataError(
            f"its boxes are of a picture of {said[0]}×{said[1]} pixels, "
            f"the picture has {size_wh[0]}×{size_wh[1]}"
        )
    found = annotations.boxes_of.get(_id(entry, "id", annotations.file), [])
    boxes = as_fractions([_box(box, annotations.name_of) for box in found], size_wh, picture)
    place = PurePosixPath(picture.name[len(tree.top) :])
    image = SourceImage(
        file=picture,
        key="-".join([part for part in place.parts[:-1] if part != "images"] + [place.stem]),
        source=tree.name,
        boxes_cxcywhn=boxes.cxcywhn,
        box_labels=boxes.labels,
        split=split_named(place.parts[:-1]) or split_named(_words(annotations.file)),
    )
    return image, boxes.problems


def _box(box: dict[str, Any], name_of: dict[int | str, str]) -> PixelBox:
    """COCO's ``bbox`` is the left upper corner, width and height in pixels."""
    values, category = box.get("bbox"), box.get("category_id")
    if not isinstance(values, list) or len(values) != 4 or not all(map(_is_pixels, values)):
        raise DataError(f"one of its boxes is {str(values)[:80]}; expected x, y, width, height")
    if not isinstance(category, int | str) or category not in name_of:
        raise DataError(f"one of its boxes has the unknown category {str(category)[:80]}")
    x, y, width, height = map(float, values)
    return PixelBox(name_of[category], (x, y, x + width, y + height))


def _is_pixels(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < _FARTHEST_PX
