"""Where the labels of boxes go: beside the box, clear of cells and of each other, if at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.geometry import intersection

Boxes = npt.NDArray[np.float64]
SizeWH = tuple[float, float]

# Half a number is no number, while a cell is still seen beside a label on its corner.
_LABEL_WEIGHT = 4.0

# A cell that fills the picture has no outside; its label goes into a corner of it.
_LARGE_CELL = 50.0


@dataclass(frozen=True)
class Placement:
    """The place of one label.

    Attributes:
        choice: Which of the offered sizes was taken.
        xyxy: Corners of the label in pixels.
    """

    choice: int
    xyxy: tuple[float, float, float, float]


def place_labels(
    boxes_xyxy: Boxes, offers_wh: Sequence[Sequence[SizeWH]], size_wh: SizeWH, gap_px: float
) -> list[Placement]:
    """Place one label per box, greedily in the order given.

    The first offered size that fits somewhere around its box, clear of all boxes and of the labels
    placed so far, is taken; where none fits, the last one at the place that covers least.

    Args:
        boxes_xyxy: Boxes, shape (n, 4).
        offers_wh: For each box the widths and heights that its label could have, best first.
        size_wh: Of the picture; labels stay inside it.
        gap_px: Free pixels between a box and its label.
    """
    count = len(boxes_xyxy)
    obstacles = np.vstack([boxes_xyxy, np.zeros((count, 4))])  # the labels come in one by one
    weights = np.repeat([1.0, _LABEL_WEIGHT], count)
    placements: list[Placement] = []
    for row, (box, offers) in enumerate(zip(boxes_xyxy, offers_wh, strict=True)):
        places = [_places_around(box, label_wh, size_wh, gap_px) for label_wh in offers]
        weights[row] = 0.0 if _dwarfs(box, offers[0]) else 1.0
        placement = _least_covering(places, obstacles, weights)
        weights[row] = 1.0
        obstacles[count + row] = placement.xyxy
        placements.append(placement)
    return placements


def _dwarfs(box: Boxes, label_wh: SizeWH) -> bool:
    """Whether a label may lie on its own cell, of which it hides next to nothing."""
    x1, y1, x2, y2 = box
    return bool((x2 - x1) * (y2 - y1) > _LARGE_CELL * label_wh[0] * label_wh[1])


def _least_covering(places: list[Boxes], obstacles: Boxes, weights: Boxes) -> Placement:
    """The first choice with a place that covers nothing, or the last one's least bad place."""
    for choice, boxes in enumerate(places):
        covered = intersection(boxes, obstacles) @ weights
        best = int(np.argmin(covered))
        if covered[best] == 0 or choice == len(places) - 1:
            x1, y1, x2, y2 = (float(v) for v in boxes[best])
            return Placement(choice, (x1, y1, x2, y2))
    raise ValueError("expected at least one size for each label, got none")


def _places_around(box: Boxes, label_wh: SizeWH, size_wh: SizeWH, gap_px: float) -> Boxes:
    """Places for a label, liked best first, shape (10, 4), moved into the picture."""
    x1, y1, x2, y2 = box
    width, height = label_wh
    above, below = y1 - gap_px - height, y2 + gap_px
    left, right = x1 - gap_px - width, x2 + gap_px
    corners = np.array(
        [
            *((x1, above), (x2 - width, above), (x1, below), (x2 - width, below)),
            *((right, y1), (right, y2 - height), (left, y1), (left, y2 - height)),
            *((x1 + gap_px, y1 + gap_px), (x1 + gap_px, y2 - gap_px - height)),
        ]
    )
    room = np.maximum(np.array(size_wh) - label_wh, 0)
    corners = np.clip(corners, 0, room)
    return np.hstack([corners, corners + label_wh])
