"""The parts of a picture that a classifier is shown, and where they lie in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yolo_leuk import pixels, ruler
from yolo_leuk.cell_classifier import cell_crops
from yolo_leuk.cell_mask import cell_mask
from yolo_leuk.model_card import ModelCard
from yolo_leuk.picture_pipeline import picture_crop
from yolo_leuk.records import CellCall, Image


@dataclass(frozen=True)
class Window:
    """A square of a picture, as a net sees it.

    Attributes:
        cell: What was found in it, and what it is called.
        corner_xy: Of its upper left corner, in pixels of the picture; may lie outside of it.
        side_px: In pixels of the picture.
        shown: What the net sees, uint8, shape (S, S, 3).
        background: Colour of the glass around the cells; what is covered gets it.
    """

    cell: CellCall
    corner_xy: tuple[int, int]
    side_px: int
    shown: Image
    background: tuple[int, int, int]


def cell_windows(
    rgb: Image, cells: Sequence[CellCall], px_per_rbc: float, card: ModelCard
) -> list[Window]:
    """The windows of cells, cut as the pipeline cuts them.

    Args:
        rgb: As :func:`looked_at` returns it.
        cells: Found in it.
        px_per_rbc: Width of a red cell in its pixels.
        card: Of the net.
    """
    if not cells:
        return []
    boxes = np.array([cell.box_xyxy for cell in cells], np.float32)
    crops = cell_crops(rgb, boxes, px_per_rbc, card)
    reduced, factor = pixels.reduced_field(rgb, px_per_rbc)
    side = pixels.window_side(px_per_rbc / factor)
    background = _background(reduced)
    corners = [pixels.window_corner(pixels.centre_of(box / factor), side) for box in boxes]
    return [
        Window(cell, (left * factor, top * factor), side * factor, crop, background)
        for cell, (left, top), crop in zip(cells, corners, crops, strict=True)
    ]


def picture_window(rgb: Image, cell: CellCall, card: ModelCard) -> Window:
    """The one window of a picture that is classified whole; ``cell`` is its call."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    corner = pixels.window_corner((width // 2, height // 2), side)
    return Window(cell, corner, side, picture_crop(rgb, card), _background(rgb))


def looked_at(rgb: Image, view: str) -> Image:
    """The picture that windows are cut from, as the pipeline prepares it for a view."""
    if view == "field":
        return pixels.without_scale_bar(rgb)
    return ruler.on_glass(rgb) if ruler.is_cell_on_black(rgb) else rgb


def _background(rgb: Image) -> tuple[int, int, int]:
    """As in a window beyond the edge, but not of cells: one may fill most of the picture."""
    mask = cell_mask(rgb)
    return pixels.background_colour(rgb if mask.all() else rgb[~mask][:, None])
