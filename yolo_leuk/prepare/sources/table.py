"""Pictures listed in a CSV file, for whoever has another layout.

Columns: ``path``, relative to the CSV file, and any of ``label``, ``subject``, ``split``, ``mask``
and a box ``x1``, ``y1``, ``x2``, ``y2`` in pixels of the upright picture. A picture with several
boxes has a row for each. In a row with a box, ``label`` is the class of the box, ``white`` where it
is empty; in others it is the class of the picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.field_names import field_name, scheme_of_boxes
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.pixel_boxes import PixelBox, as_fractions, upright_size_wh
from yolo_leuk.prepare.sources.source_image import Scan, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.split_names import split_named
from yolo_leuk.prepare.sources.text_files import read_table

_CORNERS = ("x1", "y1", "x2", "y2")

_Row = dict[str, str]


def recognises(tree: SourceTree) -> bool:
    """Whether a CSV file at the top has a column ``path``."""
    try:
        return any(_lists_pictures(read_table(file)) for file in _csv_files(tree))
    except DataError:
        return False


def scan(tree: SourceTree) -> Scan:
    """All pictures of the first such table, in its order.

    Raises:
        DataError: There is no such table, or no picture in it that can be used.
    """
    for file in _csv_files(tree):
        rows = read_table(file)
        if _lists_pictures(rows):
            return _scan_table(tree, file, rows)
    raise DataError(f"{tree.root} has no CSV file with a column 'path' at its top")


def _csv_files(tree: SourceTree) -> list[SourceFile]:
    return [
        file
        for place, file in tree.below_top.items()
        if "/" not in place and place.lower().endswith(".csv")
    ]


def _lists_pictures(rows: Sequence[_Row]) -> bool:
    return bool(rows) and "path" in rows[0]


def _scan_table(tree: SourceTree, table: SourceFile, rows: Sequence[_Row]) -> Scan:
    rows_of: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        rows_of[row["path"]].append(row)
    images: list[SourceImage] = []
    problems: list[Problem] = []
    for path, own in rows_of.items():
        try:
            image, wrong = _image(tree, table, own)
        except DataError as error:
            problems.append(problem_of(table, f"{path[:200]}: {error}"))
            continue
        images.append(image)
        problems += wrong
    labels = sorted({image.label for image in images if image.label})
    box_labels = sorted({label for image in images for label in image.box_labels})
    return finished_scan(
        tree,
        images,
        problems,
        LabelScheme(tuple(labels)) if labels else scheme_of_boxes(box_labels),
        expected="pictures at the paths of the table",
    )


def _image(
    tree: SourceTree, table: SourceFile, rows: Sequence[_Row]
) -> tuple[SourceImage, tuple[Problem, ...]]:
    file = _file_at(tree, table, rows[0]["path"])
    mask = _agreed(rows, "mask")
    split = _agreed(rows, "split")
    if split and split_named([split]) is None:
        raise DataError(f"split is {split!r}; expected train, val or test")
    boxed = [row for row in rows if _has_box(row)]
    unboxed = [row for row in rows if not _has_box(row)]
    has_boxes = set(_CORNERS) <= rows[0].keys()
    size_wh = upright_size_wh(file) if boxed else (1, 1)
    boxes = as_fractions([_box(row) for row in boxed], size_wh, file)
    image = SourceImage(
        file=file,
        key=rows[0]["path"].rpartition(".")[0].replace("/", "-"),
        source=tree.name,
        label=_agreed(unboxed, "label") or None,
        boxes_cxcywhn=boxes.cxcywhn if has_boxes else None,
        box_labels=boxes.labels,
        split=split_named([split]),
        subject=_agreed(rows, "subject"),
        mask=_file_at(tree, table, mask) if mask else None,
        mask_kind="values" if mask else "",
    )
    return image, boxes.problems


def _file_at(tree: SourceTree, table: SourceFile, path: str) -> SourceFile:
    place = PurePosixPath(path)
    if place.is_absolute() or ".." in place.parts or "\\" in path:
        raise DataError(f"expected a path inside the source with forward slashes, found {path!r}")
    below_top = str(PurePosixPath(table.name[len(tree.top) :]).parent / place)
    if below_top not in tree.below_top:
        raise DataError(f"there is no file {path!r} beside the table")
    return tree.below_top[below_top]


def _agreed(rows: Sequence[_Row], column: str) -> str:
    """The one value that the rows of a picture have; empty where they have none."""
    values = sorted({row.get(column, "") for row in rows})
    if len(values) > 1:
        raise DataError(f"its rows have different values of {column}: {', '.join(values)}")
    return values[0] if values else ""


def _has_box(row: _Row) -> bool:
    return any(row.get(corner) for corner in _CORNERS)


def _box(row: _Row) -> PixelBox:
    texts = [row.get(corner, "") for corner in _CORNERS]
    try:
        x1, y1, x2, y2 = map(float, texts)
    except ValueError as error:
        raise DataError(f"expected x1, y1, x2 and y2 as numbers, found {texts}") from error
    return PixelBox(field_name(row.get("label") or "white"), (x1, y1, x2, y2))
