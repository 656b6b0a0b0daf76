"""The annotated picture: every cell boxed, numbered and named."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.detect.label_placement import place_labels
from yolo_leuk.detect.lettering import Font
from yolo_leuk.detect.palette import Colour, text_colour_on
from yolo_leuk.records import UNIDENTIFIED, CellCall, Image

# Smaller pictures are enlarged by a whole factor, so that text beside a cell can be read.
_MIN_LONG_SIDE_PX = 960
_MAX_ENLARGEMENT = 12

# A JPEG has no more than 65,535 pixels a side, and the legend needs some.
_MAX_LONG_SIDE_PX = 60_000

# Height of a capital: what is read with ease, and what can just be read where cells are small.
_CAPITAL_PX = 11.0
_MIN_CAPITAL_PX = 9.0

Points = npt.NDArray[np.float64]


def draw_cells(image: Image, cells: Sequence[CellCall], colours: dict[str, Colour]) -> Image:
    """A picture, enlarged if it is small, with a box and a label for each cell.

    Args:
        image: RGB; left as it is.
        cells: What was found in it.
        colours: Of each label; ``unidentified`` is drawn with dashes.
    """
    factor = _enlargement(image)
    picture = _resized(image, factor)
    if not cells:
        return picture
    boxes = np.array([cell.box_xyxy for cell in cells], np.float64) * factor
    style = _style_for(picture, boxes)
    boxes = _around_cells(boxes, style.line_px / 2, picture)
    for cell, box in zip(cells, boxes, strict=True):
        _draw_box(picture, box, colours[cell.label], style, dashed=cell.label == UNIDENTIFIED)
    _draw_labels(picture, cells, boxes, colours, style)
    return picture


@dataclass(frozen=True)
class _Style:
    line_px: int
    font: Font

    @property
    def padding_px(self) -> int:
        return max(2, round(0.35 * self.font.capital_px))


def _style_for(picture: Image, boxes: Points) -> _Style:
    """Sizes that can be read when the whole picture is on a screen, but never dwarf the cells."""
    long_side: int = max(picture.shape[:2])
    cell_px = float(np.median(boxes[:, 2:] - boxes[:, :2]))
    capital_px = max(_CAPITAL_PX, long_side / 115)
    capital_px = max(_MIN_CAPITAL_PX, min(capital_px, 0.4 * cell_px))
    return _Style(line_px=max(2, round(capital_px / 6)), font=Font(capital_px))


def _enlargement(image: Image) -> float:
    long_side: int = max(image.shape[:2])
    if long_side > _MAX_LONG_SIDE_PX:
        return _MAX_LONG_SIDE_PX / long_side
    return min(_MAX_ENLARGEMENT, math.ceil(_MIN_LONG_SIDE_PX / long_side))


def _resized(image: Image, factor: float) -> Image:
    if factor == 1:
        return image.copy()
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    kernel = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, (width, height), interpolation=kernel), np.uint8)


def _around_cells(boxes: Points, by_px: float, picture: Image) -> Points:
    """Boxes whose lines run around the cells instead of over their edges, inside the picture."""
    height, width = picture.shape[:2]
    grown = boxes + np.array([-by_px, -by_px, by_px, by_px])
    farthest = np.array([width, height, width, height]) - 1 - by_px
    return np.asarray(np.clip(grown, by_px, farthest), np.float64)


def _draw_box(picture: Image, box: Points, colour: Colour, style: _Style, *, dashed: bool) -> None:
    """A coloured line between two thin ones of black or white, which show on any ground."""
    edges = _dashes(box, 4 * style.line_px) if dashed else _sides(box)
    rim_px = max(1, style.line_px // 3)
    for ink, thickness in (
        (text_colour_on(colour), style.line_px + 2 * rim_px),
        (colour, style.line_px),
    ):
        cv2.polylines(picture, edges, False, ink, thickness, cv2.LINE_AA)


def _sides(box: Points) -> list[npt.NDArray[np.int32]]:
    x1, y1, x2, y2 = np.rint(box).astype(np.int32)
    return [np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]], np.int32)]


def _dashes(box: Points, dash_px: float) -> list[npt.NDArray[np.int32]]:
    """Pieces of the four sides, as long as the gaps between them; every corner is in one."""
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]])
    pieces = []
    for start, end in itertools.pairwise(corners):
        count = 2 * max(1, round(float(np.linalg.norm(end - start)) / dash_px / 2)) + 1
        stops = np.linspace(start, end, count + 1)
        pieces += [np.rint(stops[i : i + 2]).astype(np.int32) for i in range(0, count, 2)]
    return pieces


def _draw_labels(
    picture: Image,
    cells: Sequence[CellCall],
    boxes: Points,
    colours: dict[str, Colour],
    style: _Style,
) -> None:
    texts = [_texts_for(cell) for cell in cells]
    pad = style.padding_px
    height = style.font.capital_px + 2 * pad
    offers = [[(style.font.width(text) + 2.0 * pad, height) for text in row] for row in texts]
    picture_wh = (float(picture.shape[1]), float(picture.shape[0]))
    placements = place_labels(boxes, offers, picture_wh, gap_px=style.line_px)
    for cell, row, placement in zip(cells, texts, placements, strict=True):
        x1, y1, x2, y2 = (round(v) for v in placement.xyxy)
        colour = colours[cell.label]
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), colour, cv2.FILLED)
        style.font.draw(
            picture, row[placement.choice], (x1 + pad, y2 - pad), text_colour_on(colour)
        )


def _texts_for(cell: CellCall) -> tuple[str, str]:
    """The label, and what is left of it where there is no room."""
    if cell.label == UNIDENTIFIED:
        return f"{cell.id} ?", f"{cell.id}?"
    return f"{cell.id} {cell.label}", str(cell.id)
