"""One field of a source to pictures of its single cells.

A crop is stored at the scale of the reduced field with a rim around its window, so that training
can turn and zoom it; the middle of it is, pixel by pixel, the window that ``detect`` cuts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry, pixels
from yolo_leuk.records import Image


@dataclass(frozen=True)
class Crop:
    """A cell cut out of its field.

    Attributes:
        picture: Window and rim, square.
        px_per_rbc: Width of a red cell in ``picture``.
    """

    picture: Image
    px_per_rbc: float


def cut_crops(image: Image, xyxy: npt.NDArray[np.float32], px_per_rbc: float) -> list[Crop]:
    """Cut cells out of a field.

    Args:
        image: The field.
        xyxy: Boxes of the cells in pixels of ``image``, shape (n, 4).
        px_per_rbc: Width of a red cell in pixels of ``image``.
    """
    field, factor = pixels.reduced_field(image, px_per_rbc)
    scale = px_per_rbc / factor
    side = pixels.window_side(scale) + 2 * pixels.rim_px(scale)
    fill = pixels.background_colour(field)
    return [
        Crop(pixels.cut_window(field, pixels.centre_of(box), side, fill), scale)
        for box in xyxy / factor
    ]


def worth_cutting(
    xyxy: npt.NDArray[np.float32],
    size_wh: tuple[int, int],
    px_per_rbc: float,
    painted_xyxy: tuple[int, int, int, int] | None,
) -> npt.NDArray[np.bool_]:
    """Which cells show enough of themselves to be learnt from, shape (n,).

    Left out are those that the edge leaves narrower than a red cell, and those of which the
    painted-out scale bar covers more than a fifth.
    """
    keep = ~geometry.cut_off(xyxy, size_wh, px_per_rbc)
    if painted_xyxy is not None:
        covered = geometry.intersection(xyxy, np.array([painted_xyxy], np.float32))[:, 0]
        keep &= covered <= 0.2 * geometry.area(xyxy)
    return np.asarray(keep, np.bool_)
