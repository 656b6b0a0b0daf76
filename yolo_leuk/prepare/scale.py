"""The ruler of each picture: how many pixels wide a red cell is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from yolo_leuk import geometry
from yolo_leuk.errors import DataError
from yolo_leuk.image_headers import read_header
from yolo_leuk.images import decode_image
from yolo_leuk.prepare.sources.source_image import SourceImage

_ENOUGH_RED_CELLS = 4
_EDGE = 0.005

# Pictures of a source on which the detector measures the ruler: one source has one magnification.
_MEASURED_PICTURES = 12


def measured_px_per_rbc(image: SourceImage, size_wh: tuple[int, int]) -> float | None:
    """Median width of the whole red cells that have a box; None with fewer than four.

    The width of a box is taken as the root of its area, so that an oval cell counts once.
    """
    if image.boxes_cxcywhn is None:
        return None
    is_red = np.array([label == "red" for label in image.box_labels], bool)
    boxes = image.boxes_cxcywhn[is_red]
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    whole = boxes[(low > _EDGE).all(axis=1) & (high < 1 - _EDGE).all(axis=1)]
    if len(whole) < _ENOUGH_RED_CELLS:
        return None
    return float(np.median(np.sqrt(geometry.area(geometry.xyxy_from_cxcywhn(whole, size_wh)))))


def px_per_rbc_of_all(images: Sequence[SourceImage], otherwise: float | None = None) -> list[float]:
    """The ruler of every picture.

    That is the source's own, else measured on the boxes of its red cells, else its part's median,
    else ``otherwise``, else the median of what the shipped pipeline measures on some pictures: on
    red cells that it finds, or on the width of a single cell on black.

    Args:
        images: The pictures of all sources.
        otherwise: Width of a red cell in pixels, or None.

    Raises:
        DataError: All of this fails.
    """
    found = [image.px_per_rbc or _measured_on_boxes(image) for image in images]
    measured: dict[str, list[float]] = {}
    for image, ruler in zip(images, found, strict=True):
        if ruler is not None:
            measured.setdefault(image.source, []).append(ruler)
    typical = {source: float(np.median(rulers)) for source, rulers in measured.items()}
    for source in {image.source for image in images} - typical.keys():
        own = [image for image in images if image.source == source]
        typical[source] = otherwise or _measured_by_pipeline(own)
    return [ruler or typical[image.source] for image, ruler in zip(images, found, strict=True)]


def _measured_on_boxes(image: SourceImage) -> float | None:
    """None too where the picture is broken, which is told when it is opened."""
    if "red" not in image.box_labels:
        return None
    try:
        header = read_header(image.file.read(), Path(image.file.name))
    except DataError:
        return None
    width, height = header.size_wh
    size_wh = (height, width) if header.orientation >= 5 else (width, height)
    return measured_px_per_rbc(image, size_wh)


def _measured_by_pipeline(images: Sequence[SourceImage]) -> float:
    """Median ruler of some pictures, as ``detect`` measures it. Raises DataError."""
    from yolo_leuk import ruler
    from yolo_leuk.field_detector import FieldDetector
    from yolo_leuk.pipeline import read_pipeline_file
    from yolo_leuk.shipped import weights_folder

    shipped = read_pipeline_file(weights_folder() / "default.json")
    detector = FieldDetector.load(shipped.detector)
    number = min(len(images), _MEASURED_PICTURES)
    found = []
    for position in np.linspace(0, len(images) - 1, number).round().astype(int):
        image = images[position]
        try:
            rgb = decode_image(image.file.read(), Path(image.file.name))
        except DataError:  # told when it is opened
            continue
        if image.is_cell and ruler.is_cell_on_black(rgb):
            found.append(ruler.of_single_cell(rgb, shipped.cell_diameter_rbc))
        elif (measured := ruler.measure(rgb, detector).px_per_rbc) is not None:
            found.append(measured)
    if not found:
        raise DataError(
            f"{images[0].source}: how wide a red cell is, neither its boxes nor "
            f"{number} of its pictures tell",
            hint="Give the width of a red cell in pixels with --set px_per_rbc=….",
        )
    return float(np.median(found))
