"""The pictures that the page shows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from yolo_leuk.audit.pictures import Picture
from yolo_leuk.audit.regions import region_box
from yolo_leuk.cell_mask import without_cells
from yolo_leuk.images import read_image
from yolo_leuk.jpeg import at_most, jpeg_uri
from yolo_leuk.records import Image

_QUALITY = 80
_SIDE_PX = 160


def picture_uri(picture: Picture) -> str:
    """A picture, reduced, as the ``data:`` address of a JPEG."""
    return _uri(read_image(picture.file))


def painted_out_uri(picture: Picture) -> str:
    """A picture whose white cells have the median colour of what is left."""
    return _uri(without_cells(read_image(picture.file)))


def region_uri(picture: Picture, region: str) -> str:
    """One corner or strip of a picture, at the size of the others."""
    rgb = read_image(picture.file)
    x1, y1, x2, y2 = region_box(region, (rgb.shape[1], rgb.shape[0]))
    crop = rgb[y1:y2, x1:x2]
    factor = _SIDE_PX / max(crop.shape[:2])
    size_wh = max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor))
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    return _uri(np.asarray(cv2.resize(crop, size_wh, interpolation=kind), np.uint8))


def some_of_each_class(pictures: Sequence[Picture], count: int) -> dict[str, list[Picture]]:
    """Class to so many of its pictures, spread evenly over their order."""
    chosen = {}
    for label in sorted({picture.label for picture in pictures if picture.label}):
        own = [picture for picture in pictures if picture.label == label]
        places = np.linspace(0, len(own) - 1, min(count, len(own))).round().astype(int)
        chosen[label] = [own[place] for place in places]
    return chosen


def _uri(rgb: Image) -> str:
    return jpeg_uri(at_most(rgb, _SIDE_PX), _QUALITY)
