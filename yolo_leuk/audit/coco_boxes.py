"""COCO's label files: one JSON file that names many pictures, with boxes in pixels.

Boxes of crowds and outlines of segments are passed over.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from yolo_leuk.audit.boxes import Box, Corners, Problem, finite
from yolo_leuk.errors import DataError

_NAMES = re.compile(r"coco|instances|annotations?$", re.IGNORECASE)


@dataclass(frozen=True)
class CocoFile:
    """What a JSON file says.

    Attributes:
        images: Its pictures.
        annotations: Their boxes.
        categories: Names of the classes by their id.
    """

    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    categories: dict[Any, str]


def is_named_as_coco(file: PurePosixPath) -> bool:
    """Whether a file has a name that COCO's have."""
    named = _NAMES.search(file.stem) or file.parent.name.lower() == "annotations"
    return bool(named) and file.suffix.lower() == ".json"


def read_coco(file: Path) -> CocoFile:
    """Read a JSON file. Raises DataError where it is none of COCO."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"no JSON that can be read: {error}") from error
    images, annotations, categories = (
        _entries(content, key) for key in ("images", "annotations", "categories")
    )
    return CocoFile(
        images, annotations, {_key(c.get("id")): str(c.get("name")) for c in categories}
    )


def pictures_of(
    coco: CocoFile, file: PurePosixPath, pictures: Iterable[PurePosixPath]
) -> dict[Any, PurePosixPath]:
    """Id of each image to its picture; without those that no picture, or more than one, can be.

    Args:
        coco: What the file says.
        file: Its place in the data set.
        pictures: Of the data set.
    """
    by_name: dict[str, list[PurePosixPath]] = defaultdict(list)
    for picture in pictures:
        by_name[picture.name].append(picture)
    found = {}
    for image in coco.images:
        given = PurePosixPath(str(image.get("file_name")))
        candidates = [
            picture
            for picture in by_name.get(given.name, [])
            if picture.parts[-len(given.parts) :] == given.parts
        ]
        if file.parent / given in candidates:
            candidates = [file.parent / given]
        if len(candidates) == 1:
            found[_key(image.get("id"))] = candidates[0]
    return found


def coco_boxes(
    root: Path,
    file: str,
    pictures: Iterable[PurePosixPath],
    sizes_wh: Mapping[str, tuple[int, int]],
) -> Iterator[Box | Problem]:
    """The boxes of one JSON file, and what is wrong with it.

    Args:
        root: The data set.
        file: Relative to it.
        pictures: Of the data set.
        sizes_wh: Path of each picture that could be read to its width and height in pixels.
    """
    try:
        coco = read_coco(root / file)
    except DataError as error:
        yield Problem("unreadable", file, str(error))
        return
    picture_of = {
        key: str(path) for key, path in pictures_of(coco, PurePosixPath(file), pictures).items()
    }
    for image in coco.images:
        yield from _wrong_with(image, file, picture_of, sizes_wh)
    listed = {_key(image.get("id")) for image in coco.images}
    for number, annotation in enumerate(coco.annotations, 1):
        if annotation.get("iscrowd"):
            continue
        key = _key(annotation.get("image_id"))
        picture = picture_of.get(key, "")
        where = f"{picture or key}, annotation {annotation.get('id', number)}"
        bbox, category = annotation.get("bbox"), _key(annotation.get("category_id"))
        corners = _corners(bbox)
        if key not in listed:
            yield Problem("unreadable", file, f"{where}: there is no such image")
            continue
        if corners is None:
            shown = str(bbox)[:80]
            yield Problem("unreadable", file, f"{where}: expected [x, y, w, h], found {shown}")
            continue
        if category not in coco.categories:
            yield Problem("unknown_class", file, f"{where}: {category}")
        yield Box(picture, where, coco.categories.get(category, str(category)), corners)


def _wrong_with(
    image: dict[str, Any],
    file: str,
    picture_of: Mapping[Any, str],
    sizes_wh: Mapping[str, tuple[int, int]],
) -> Iterator[Problem]:
    picture = picture_of.get(_key(image.get("id")))
    if picture is None:
        yield Problem("no_picture", file, f"no picture, or several, for {image.get('file_name')}")
        return
    said, size_wh = (image.get("width"), image.get("height")), sizes_wh.get(picture)
    if None not in said and size_wh is not None and said != size_wh:
        found = f"{picture}: {said[0]}×{said[1]} instead of {size_wh[0]}×{size_wh[1]}"
        yield Problem("wrong_size", file, found)


def _entries(content: object, key: str) -> list[dict[str, Any]]:
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f"expected a list {key!r} of objects")
    return entries


def _key(value: object) -> object:
    """An id; as text where it is nothing that could be looked up."""
    return value if isinstance(value, int | str) else str(value)


def _corners(bbox: object) -> Corners | None:
    """COCO's ``bbox`` is the left upper corner, width and height."""
    if not isinstance(bbox, list) or len(bbox) != 4:
        return None
    try:
        x, y, width, height = (finite(value) for value in bbox)
    except (TypeError, ValueError, OverflowError):
        return None
    return x, y, x + width, y + height
