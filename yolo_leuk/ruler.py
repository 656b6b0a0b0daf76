"""How large a red cell is in an image, measured on the image itself.

A red cell is about 7.5 µm wide on every slide, which makes it the ruler that a picture without any
other scale carries with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
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

# A measure on so many red cells, all alike, is certain.
_PLENTY_OF_RED_CELLS = 25

# White cells stand in where no red cell is found. On TXL-PBC they are 1.6 to 2.1 red cells wide.
_WHITE_CELL_RBC = 1.9
_LIKELY_WHITE_RBC = (1.2, 3.0)

_EDGE_PX = 2.0


def measure(rgb: Image, detector: FieldDetector) -> Scale:
    """Width of a red cell in pixels of the image.

    The detector looks at the middle of the image under five hypotheses of its scale. The one whose
    whole cells are most certain and cover most of what is looked at wins, red ones the more the
    less their widths differ. It is refined twice by the median width of the red cells that are
    found under it. Where there is none, as in a dense marrow, the surest white cell of a likely
    width stands in, with a confidence of 0.

    Returns:
        With ``px_per_rbc`` None where there is no white cell either.
    """
    best = max((_look(rgb, px, detector) for px in _HYPOTHESES_PX), key=lambda look: look.score)
    if best.score == 0:
        return Scale(None, "none", 0.0)
    if best.count == 0:
        return Scale(best.white_px / _WHITE_CELL_RBC, "auto", 0.0)
    for _ in range(2):
        refined = _look(rgb, best.px_per_rbc, detector)
        best = refined if refined.count else best
    enough = min(1.0, best.count / _PLENTY_OF_RED_CELLS)
    return Scale(best.px_per_rbc, "auto", enough * max(0.0, 1 - best.spread))


@dataclass(frozen=True)
class _Look:
    """What the detector sees under one hypothesis.

    Attributes:
        count: Whole red cells.
        px_per_rbc: Their median width.
        spread: Of their widths: the middle half over the median.
        white_px: Width of the surest white cell of a likely size; 0 without one.
        score: How much speaks for the hypothesis: what the red cells say, times one minus the
            spread, and what the white cells of a likely size say. White ones count lest a speck
            that is taken for a red cell, or a lobe of a nucleus, decide where red cells are few.
    """

    count: int
    px_per_rbc: float
    spread: float
    white_px: float
    score: float


def _look(rgb: Image, px_per_rbc: float, detector: FieldDetector) -> _Look:
    side = round(_REGION_RBC * px_per_rbc)
    height, width = rgb.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    region = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    whole = _whole(detector.detect(region, px_per_rbc), region)
    widths = np.sqrt(geometry.area(whole.xyxy))
    scheme = detector.card.scheme
    low, high = (factor * px_per_rbc for factor in _LIKELY_WHITE_RBC)
    is_white = (whole.class_id == scheme.id_of("white")) & (widths > low) & (widths < high)
    red, white = whole[whole.class_id == scheme.id_of("red")], whole[is_white]
    median, spread = _median_and_spread(np.sqrt(geometry.area(red.xyxy)))
    pixels = region.shape[0] * region.shape[1]
    surest = np.sqrt(geometry.area(white.xyxy))[white.confidence.argmax()] if len(white) else 0
    return _Look(
        count=len(red),
        px_per_rbc=median,
        spread=spread,
        white_px=float(surest),
        score=_evidence(red, pixels) * max(0.0, 1 - spread) + _evidence(white, pixels),
    )


def _median_and_spread(widths: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Median width, and the middle half of the widths over it; 0 and 1 without any."""
    if not len(widths):
        return 0.0, 1.0
    lower, median, upper = (float(q) for q in np.quantile(widths, [0.25, 0.5, 0.75]))
    return median, (upper - lower) / median


def _evidence(cells: Detections, pixels: int) -> float:
    """Summed confidence, times the share of the region that the cells cover.

    Each covers as much as its confidence says. Without the share, many small things in a field
    could outvote a few cells.
    """
    covered = float((cells.confidence * geometry.area(cells.xyxy)).sum()) / pixels
    return float(cells.confidence.sum()) * covered


def _whole(found: Detections, region: Image) -> Detections:
    """Cells that the edge of the region does not cut."""
    limits = np.array([region.shape[1], region.shape[0]], np.float32) - _EDGE_PX
    inside = (found.xyxy[:, :2] > _EDGE_PX).all(axis=1) & (found.xyxy[:, 2:] < limits).all(axis=1)
    return found[inside]


def of_single_cell(rgb: Image, cell_diameter_rbc: float) -> float:
    """``px_per_rbc`` of a picture of one cell on black, from the cell's own size.

    Args:
        rgb: One cell on black.
        cell_diameter_rbc: How wide such a cell is taken to be, in red-cell widths.
    """
    area = cv2.countNonZero(lit_pixels(rgb))
    return max(1.0, 2 * float(np.sqrt(area / np.pi)) / cell_diameter_rbc)


BLACK = 16
"""A pixel whose channels are all at most this is black; JPEG leaves a little noise on it."""

# Median colour of the background in the pictures that the classifier was trained on, about.
_GLASS = np.array([240, 246, 248], np.uint8)


def is_cell_on_black(rgb: Image) -> bool:
    """Whether a picture shows one thing on black: at least 95 % of its outermost rim is black."""
    rim = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    return bool((rim.max(axis=1) <= BLACK).mean() >= 0.95 and rgb.max() > BLACK)


def lit_pixels(rgb: Image) -> npt.NDArray[np.uint8]:
    """What is not black: 255 there, 0 elsewhere; uint8, shape (height, width)."""
    darkest, lightest = np.zeros(3), np.full(3, float(BLACK))
    return np.asarray(cv2.bitwise_not(cv2.inRange(rgb, darkest, lightest)), np.uint8)


def box_on_black(rgb: Image) -> tuple[int, int, int, int]:
    """Bounds of what is not black; the whole picture where everything is."""
    x, y, width, height = cv2.boundingRect(lit_pixels(rgb))
    return (x, y, x + width, y + height) if width else (0, 0, rgb.shape[1], rgb.shape[0])


def on_glass(rgb: Image) -> Image:
    """A picture of a cell on black with the black replaced by the colour of bare glass."""
    return np.asarray(cv2.copyTo(rgb, lit_pixels(rgb), np.full_like(rgb, _GLASS)), np.uint8)
