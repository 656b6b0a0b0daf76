"""What is wrong with the boxes of a data set, and which files do not belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from yolo_leuk.audit.boxes import MEANINGS, Box, Corners, Kind, Problem
from yolo_leuk.audit.coco_boxes import coco_boxes
from yolo_leuk.audit.pictures import DataSet
from yolo_leuk.audit.voc_boxes import voc_boxes
from yolo_leuk.audit.yolo_boxes import class_names, yolo_boxes

# A box may reach out by this much: coordinates are rounded when they are written, and some tools
# count pixels from 0, others from 1.
_TOLERANCE_PX = 1.0


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


def check_labels(data_set: DataSet, sizes_wh: Mapping[str, tuple[int, int]]) -> Labels:
    """Read all label files and say what is wrong in them.

    Args:
        data_set: The data set.
        sizes_wh: Path of each picture that could be read to its width and height in pixels.
    """
    names, unnamed = class_names(data_set.root)
    split_of = {picture.path: picture.split for picture in data_set.pictures}
    picture_of = {p.label_file: p.path for p in data_set.pictures if p.label_file}
    boxes: list[tuple[str, str]] = []
    problems = [*unnamed, *_unpaired(data_set)]
    for file in data_set.label_files:
        read = list(_read(data_set, file, names, picture_of.get(file, ""), sizes_wh))
        found = [item for item in read if isinstance(item, Box)]
        problems += [item for item in read if isinstance(item, Problem)]
        problems += _misplaced(file, found, sizes_wh)
        boxes += [(split_of.get(box.picture, ""), box.label) for box in found]
    return Labels(len(data_set.label_files), tuple(boxes), tuple(problems))


def _read(
    data_set: DataSet,
    file: str,
    names: Mapping[int, str] | None,
    picture: str,
    sizes_wh: Mapping[str, tuple[int, int]],
) -> Iterable[Box | Problem]:
    kind = PurePosixPath(file).suffix.lower()
    if kind == ".json":
        pictures = [PurePosixPath(other.path) for other in data_set.pictures]
        return coco_boxes(data_set.root, file, pictures, sizes_wh)
    try:
        text = (data_set.root / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [Problem("unreadable", file, str(error))]
    size_wh = sizes_wh.get(picture)
    if kind == ".xml":
        return voc_boxes(file, text, picture, size_wh)
    return yolo_boxes(file, text, names, picture, size_wh)


def _unpaired(data_set: DataSet) -> Iterator[Problem]:
    taken = {picture.label_file for picture in data_set.pictures}
    for file in data_set.label_files:
        # Of a JSON file, each of its pictures is asked for by itself.
        if file not in taken and not file.lower().endswith(".json"):
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
    file: str, boxes: Iterable[Box], sizes_wh: Mapping[str, tuple[int, int]]
) -> Iterator[Problem]:
    """Boxes without area, outside of the picture, or there already."""
    seen: dict[tuple[str, str, Corners], str] = {}
    for box in boxes:
        x1, y1, x2, y2 = box.xyxy
        size_wh = sizes_wh.get(box.picture)
        shown = f"{box.where}: {box.label} from ({x1:.6g}, {y1:.6g}) to ({x2:.6g}, {y2:.6g}) px"
        first = seen.setdefault((box.picture, box.label, box.xyxy), box.where)
        if x2 <= x1 or y2 <= y1:
            yield Problem("no_area", file, shown)
        elif size_wh is not None and _is_outside(box.xyxy, size_wh):
            yield Problem("outside", file, f"{shown} of a picture of {size_wh[0]}×{size_wh[1]}")
        elif first != box.where:
            yield Problem("twice", file, f"{shown}, as in {first}")


def _is_outside(xyxy: Corners, size_wh: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = xyxy
    width, height = size_wh
    return min(x1, y1) < -_TOLERANCE_PX or x2 > width + _TOLERANCE_PX or y2 > height + _TOLERANCE_PX
