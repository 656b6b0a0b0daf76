"""How large a red cell is in an image, measured on the image itself.

A red cell is about 7.5 µm wide on every slide, which makes it the ruler that a picture without any
other scale carries with it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.records import Detections, Image, Scale

# Hypotheses two apart: the detector is trained on three times the smallest scale, so that whatever
# the truth is, one of its neighbours shows red cells at a size that it knows.
_HYPOTHESES_PX = (9.0, 18.0, 36.0, 72.0, 144.0)

# Side of the middle part of the image that is looked at, in red cells of the hypothesis.
_REGION_RBC = 14.0

_ENOUGH_RED_CELLS = 5
_PLENTY_OF_RED_CELLS = 25
_EDGE_PX = 2.0


def measure(rgb: Image, detector: FieldDetector) -> Scale:
    """Width of a red cell in pixels of the image.

    The detector looks at the middle of the image under five hypotheses of its scale. The one whose
    red cells are most certain and most alike in width wins, and is refined twice by the median
    width that is found under it.

    Returns:
        With ``px_per_rbc`` None where fewer than five whole red cells are found.
    """
    looks = [_look(rgb, px, detector) for px in _HYPOTHESES_PX]
    best = max(looks, key=lambda look: look.score)
    for _ in range(2):
        if best.px_per_rbc is None:
            break
        refined = _look(rgb, best.px_per_rbc, detector)
        best = refined if refined.px_per_rbc is not None else best
    if best.px_per_rbc is None:
        return Scale(None, "none", 0.0)
    enough = min(1.0, best.count / _PLENTY_OF_RED_CELLS)
    return Scale(best.px_per_rbc, "auto", float(enough * max(0.0, 1 - best.spread)))


class _Look:
    """What the detector sees of red cells under one hypothesis."""

    def __init__(self, widths_px: npt.NDArray[np.float64], certainty: float) -> None:
        self.count = len(widths_px)
        self.px_per_rbc: float | None = None
        self.spread = 1.0
        self.score = 0.0
        if self.count >= _ENOUGH_RED_CELLS:
            low, middle, high = np.quantile(widths_px, [0.25, 0.5, 0.75])
            self.px_per_rbc = float(middle)
            self.spread = float((high - low) / middle)
            self.score = certainty * max(0.0, 1 - self.spread)


def _look(rgb: Image, px_per_rbc: float, detector: FieldDetector) -> _Look:
    side = round(_REGION_RBC * px_per_rbc)
    height, width = rgb.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    region = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    found = detector.detect(region, px_per_rbc)
    whole = _whole_red_cells(found, region, detector)
    widths = np.sqrt(geometry.area(whole.xyxy))
    return _Look(widths, float(whole.confidence.sum()))


def _whole_red_cells(found: Detections, region: Image, detector: FieldDetector) -> Detections:
    limits = np.array([region.shape[1], region.shape[0]], np.float32) - _EDGE_PX
    inside = (found.xyxy[:, :2] > _EDGE_PX).all(axis=1) & (found.xyxy[:, 2:] < limits).all(axis=1)
    return found[inside & (found.class_id == detector.card.scheme.id_of("red"))]


def of_single_cell(rgb: Image, cell_diameter_rbc: float) -> float:
    """``px_per_rbc`` of a picture of one cell on black, from the cell's own size.

    Args:
        rgb: One cell on black.
        cell_diameter_rbc: How wide such a cell is taken to be, in red-cell widths.
    """
    x1, y1, x2, y2 = box_on_black(rgb)
    area = float((rgb[y1:y2, x1:x2].max(axis=2) > BLACK).sum())
    return max(1.0, 2 * float(np.sqrt(area / np.pi)) / cell_diameter_rbc)


BLACK = 16
"""A pixel whose channels are all at most this is black; JPEG leaves a little noise on it."""

# Median colour of the background in the pictures that the classifier was trained on, about.
_GLASS = np.array([240, 246, 248], np.uint8)


def is_cell_on_black(rgb: Image) -> bool:
    """Whether a picture shows one thing on black: at least 95 % of its outermost rim is black."""
    dark = rgb.max(axis=2) <= BLACK
    rim = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    return bool(rim.mean() >= 0.95 and not dark.all())


def box_on_black(rgb: Image) -> tuple[int, int, int, int]:
    """Bounds of what is not black; the whole picture where everything is."""
    bright = rgb.max(axis=2) > BLACK
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    if rows.size == 0:
        return 0, 0, rgb.shape[1], rgb.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def on_glass(rgb: Image) -> Image:
    """A picture of a cell on black with the black replaced by the colour of bare glass."""
    return np.where(rgb.max(axis=2, keepdims=True) > BLACK, rgb, _GLASS).astype(np.uint8)
