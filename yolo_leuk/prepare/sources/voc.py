"""Fields with Pascal VOC boxes: an XML file of the same name beside each picture; so BCCD.

The pictures lie in ``JPEGImages`` and the XML files in ``Annotations``, or both in one folder.
The lists in ``ImageSets/Main`` are the source's splits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from xml.etree import ElementTree

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.field_names import field_name, scheme_of_boxes
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.pixel_boxes import PixelBox, as_fractions, upright_size_wh
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.split_names import split_named
from yolo_leuk.prepare.sources.text_files import parse_xml, read_text

BCCD = SourceFacts(
    name="bccd",
    title="BCCD: blood cell count and detection",
    page="https://github.com/Shenggan/BCCD_Dataset",
    licence="MIT",
    size="8 MB",
    raw_folder="bccd",
)

_BCCD_PICTURE = "BloodImage_"
_PICTURE_FOLDERS = {"jpegimages", "images"}
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def recognises(tree: SourceTree) -> bool:
    """Whether a tree has XML files with the names of its pictures."""
    stems = {file.place.stem for file in tree.pictures.values()}
    return any(file.place.stem in stems for file in _annotations(tree))


def scan(tree: SourceTree) -> Scan:
    """All pictures that have an XML file, sorted, with their boxes.

    Raises:
        DataError: There is none that can be used.
    """
    images: list[SourceImage] = []
    problems: list[Problem] = []
    splits = _splits(tree, problems)
    pictures = _pictures_by_stem(tree)
    annotated: set[str] = set()
    for annotation in _annotations(tree):
        try:
            file = _picture_of(annotation, pictures, annotated)
        except DataError as error:
            problems.append(problem_of(annotation, str(error)))
            continue
        annotated.add(file.name)
        try:
            image, wrong = _image(tree, file, annotation, splits)
        except DataError as error:
            problems.append(problem_of(file, str(error)))
            continue
        images.append(image)
        problems += wrong
    problems += [
        problem_of(file, "has no XML file of its name")
        for file in tree.pictures.values()
        if file.folders[-1] in _PICTURE_FOLDERS and file.name not in annotated
    ]
    names = sorted({label for image in images for label in image.box_labels})
    return finished_scan(
        tree,
        images,
        problems,
        scheme_of_boxes(names),
        expected="pictures in JPEGImages and XML files of their names in Annotations",
    )


def _annotations(tree: SourceTree) -> list[SourceFile]:
    return [file for file in tree.files if file.place.suffix.lower() == ".xml"]


def _pictures_by_stem(tree: SourceTree) -> dict[str, list[SourceFile]]:
    found: dict[str, list[SourceFile]] = defaultdict(list)
    for file in tree.pictures.values():
        found[file.place.stem].append(file)
    return found


def _picture_of(
    annotation: SourceFile, pictures: Mapping[str, list[SourceFile]], annotated: set[str]
) -> SourceFile:
    """The picture beside an XML file, else the one in a folder of pictures."""
    candidates = pictures.get(annotation.place.stem, [])
    beside = [file for file in candidates if file.place.parent == annotation.place.parent]
    elsewhere = [file for file in candidates if file.folders[-1] in _PICTURE_FOLDERS]
    chosen = beside or elsewhere
    if len(chosen) != 1:
        raise DataError(f"expected one picture of the same name, found {len(chosen)}")
    if chosen[0].name in annotated:
        raise DataError(f"{chosen[0]} has another XML file of its name")
    return chosen[0]


def _image(
    tree: SourceTree, file: SourceFile, annotation: SourceFile, splits: Mapping[str, str]
) -> tuple[SourceImage, tuple[Problem, ...]]:
    root = parse_xml(annotation.read(), annotation)
    size_wh = upright_size_wh(file)
    _check_size(root, size_wh)
    boxes = as_fractions([_box(item) for item in root.iter("object")], size_wh, annotation)
    is_bccd = file.place.stem.startswith(_BCCD_PICTURE)
    stem = file.place.stem
    image = SourceImage(
        file=file,
        key=stem,
        source=BCCD.name if is_bccd else tree.name,
        boxes_cxcywhn=boxes.cxcywhn,
        box_labels=boxes.labels,
        split=splits.get(stem) or split_named(file.place.parts[:-1]),
    )
    return image, boxes.problems


def _check_size(root: ElementTree.Element, size_wh: tuple[int, int]) -> None:
    """Boxes that speak of another size are boxes of another picture."""
    said = (root.findtext("size/width"), root.findtext("size/height"))
    if all(said) and said != ("0", "0") and said != tuple(map(str, size_wh)):
        raise DataError(
            f"its boxes are of a picture of {said[0]}×{said[1]} pixels, "
            f"the picture has {size_wh[0]}×{size_wh[1]}"
        )


def _box(item: ElementTree.Element) -> PixelBox:
    name = (item.findtext("name") or "").strip()
    texts = [item.findtext(f"bndbox/{corner}") or "" for corner in _CORNERS]
    try:
        x1, y1, x2, y2 = map(float, texts)
    except ValueError as error:
        raise DataError(f"the corners of a box ({name}) are {', '.join(texts)}") from error
    if not name:
        raise DataError("a box has no class")
    return PixelBox(field_name(name), (x1, y1, x2, y2))


def _splits(tree: SourceTree, problems: list[Problem]) -> dict[str, str]:
    """The split of each picture by its stem, where lists say so."""
    splits: dict[str, str] = {}
    for file in tree.files:
        split = split_named([file.place.stem])
        if split is None or file.folders[-2:] != ("imagesets", "main"):
            continue
        try:
            stems = read_text(file).split("\n")
        except DataError as error:
            problems.append(problem_of(file, str(error)))
            continue
        problems += [
            problem_of(file, f"{stem} is in the list of {splits[stem]} too")
            for stem in filter(None, map(str.strip, stems))
            if splits.setdefault(stem, split) != split
        ]
    return splits
