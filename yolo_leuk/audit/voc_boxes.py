"""Pascal VOC's label files: an XML file per picture, with corners in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from yolo_leuk.audit.boxes import Box, Problem, finite


def voc_boxes(
    file: str, text: str, picture: str, size_wh: tuple[int, int] | None
) -> Iterator[Box | Problem]:
    """The boxes of one label file, and what is wrong with the file.

    Args:
        file: Relative to the data set.
        text: Of the file.
        picture: That the file belongs to; empty where there is none.
        size_wh: Of the picture in pixels; None where it is not known.
    """
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
            x1, y1, x2, y2 = (finite(side or "") for side in sides)
        except ValueError:
            yield Problem("unreadable", file, f"object {number}: no box of four numbers")
            continue
        yield Box(picture, f"object {number}", label, (x1, y1, x2, y2))


def _declared_size(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        return int(root.findtext("size/width") or ""), int(root.findtext("size/height") or "")
    except ValueError:
        return None
