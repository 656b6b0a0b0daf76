"""The ruler of each picture: how many pixels wide a red cell is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yolo_leuk import geometry
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources.source_image import SourceImage

_ENOUGH_RED_CELLS = 4
_EDGE = 0.005


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


def px_per_rbc_of_all(
    images: Sequence[SourceImage],
    sizes_wh: Sequence[tuple[int, int]],
    otherwise: float | None = None,
) -> list[float]:
    """The ruler of every picture: the source's own, else measured, else its part's median.

    Args:
        images: The pictures of all sources.
        sizes_wh: Their sizes in pixels.
        otherwise: The ruler where all of this fails.

    Raises:
        DataError: All of this fails, and ``otherwise`` is None.
    """
    found = [
        image.px_per_rbc or measured_px_per_rbc(image, size)
        for image, size in zip(images, sizes_wh, strict=True)
    ]
    measured: dict[str, list[float]] = {}
    for image, ruler in zip(images, found, strict=True):
        if ruler is not None:
            measured.setdefault(image.source, []).append(ruler)
    typical = {source: float(np.median(rulers)) for source, rulers in measured.items()}
    return [
        ruler or _known(typical.get(image.source, otherwise), image.source)
        for image, ruler in zip(images, found, strict=True)
    ]


def _known(ruler: float | None, source: str) -> float:
    if ruler is None:
        raise DataError(
            f"{source}: no picture has {_ENOUGH_RED_CELLS} whole red cells with boxes",
            hint="Give the width of a red cell in pixels with --set px_per_rbc=….",
        )
    return ruler
