"""A picture of a source, opened: decoded, its steps done, its cells known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry, images, ruler
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.pictures.picture import Picture
from yolo_leuk.prepare.pictures.steps import StepOptions, apply_steps
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.white_cells import masks, segmentation
from yolo_leuk.prepare.white_cells.cells import CellSizes, cells_from_mask, find_cells
from yolo_leuk.records import Image

CellsFrom = Literal["auto", "masks", "stains", "kmeans", "hsv"]

# Of a blast that a source marks by its centre alone, in red-cell widths.
_BLAST_RBC = 1.7

_WHITE = "white"
_BAR = "scale-bar"


@dataclass(frozen=True)
class Opening:
    """How pictures are opened.

    Attributes:
        steps: What is done to the pixels, in order.
        step_options: Numbers that the steps go by.
        cells_from: Where a source has no boxes: ``auto`` takes its masks where these name the parts
            of a cell, and finds the cells by their colour where not; ``masks`` takes any mask of
            the source, automatic ones too; the others are recipes that compute a mask.
        mask_parts: What the values of a source's masks stand for.
    """

    steps: tuple[str, ...] = ("scale-bar",)
    step_options: StepOptions = field(default_factory=StepOptions)
    cells_from: CellsFrom = "auto"
    mask_parts: masks.MaskParts = field(default_factory=masks.MaskParts)


@dataclass(frozen=True)
class Opened:
    """A picture as the samples need it, and as its look is measured.

    Attributes:
        picture: After all steps, with a box for each cell that the source marks or that was found;
            its class is that of the source, ``white`` where it has none.
        barless: As it came, but for a scale bar.
    """

    picture: Picture
    barless: Image


def opened(
    image: SourceImage, content: bytes, px_per_rbc: float, how: Opening, *, with_cells: bool = True
) -> Opened:
    """Decode a picture and do its steps.

    Args:
        image: Of a source.
        content: Of its file.
        px_per_rbc: Width of a red cell in its pixels.
        how: What is done to it.
        with_cells: False leaves it without the boxes of cells that would have to be found.

    Raises:
        DataError: The picture or its mask cannot be read, or they do not fit together.
    """
    rgb = images.decode_image(content, Path(image.file.name))
    xyxy, labels = _boxes_of(image, (rgb.shape[1], rgb.shape[0]), px_per_rbc)
    picture = Picture(rgb, xyxy, labels, _mask_of(image, rgb, how), px_per_rbc)
    steps = [name for name in how.steps if name != _BAR or image.has_scale_bar]
    barless = apply_steps(picture, [_BAR], how.step_options) if image.has_scale_bar else picture
    if steps[:1] == [_BAR]:
        picture, steps = barless, steps[1:]
    if picture.mask is None and _needs_mask(how):
        picture = _with_computed_mask(picture, image, how)
    picture = apply_steps(picture, steps, how.step_options)
    return Opened(_with_cells(picture, image) if with_cells else picture, barless.rgb)


def _boxes_of(
    image: SourceImage, size_wh: tuple[int, int], px_per_rbc: float
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """The source's boxes; around its points squares as large as a blast."""
    if image.boxes_cxcywhn is not None:
        whole = geometry.xyxy_from_cxcywhn(image.boxes_cxcywhn, size_wh)
        return geometry.clip_xyxy(whole, size_wh).astype(np.float32), image.box_labels
    half = _BLAST_RBC * px_per_rbc / 2
    squares = [(x - half, y - half, x + half, y + half) for x, y in image.centres_xy]
    return np.array(squares, np.float32).reshape(-1, 4), (_WHITE,) * len(squares)


def _mask_of(image: SourceImage, rgb: Image, how: Opening) -> npt.NDArray[np.uint8] | None:
    if image.mask is None:
        if how.cells_from == "masks":
            raise DataError(f"{image.file} has no mask, and cells_from is masks")
        return None
    # An automatic segmentation that a source brings along is no truth: ALL-4's is empty for Pro.
    wanted = how.cells_from == "masks" or (
        how.cells_from == "auto" and image.mask_kind != "cell-on-black"
    )
    if not wanted:
        return None
    return masks.read_mask(image.mask, image.mask_kind, how.mask_parts, rgb.shape[:2])


def _needs_mask(how: Opening) -> bool:
    return "masked" in how.steps or how.cells_from not in ("auto", "masks")


def _with_computed_mask(picture: Picture, image: SourceImage, how: Opening) -> Picture:
    """With a mask by colour; of what shows one cell, by what is not black around it."""
    if image.is_cell and ruler.is_cell_on_black(picture.rgb):
        return dataclasses.replace(picture, mask=ruler.lit_pixels(picture.rgb))
    published = how.cells_from in ("kmeans", "hsv")
    recipe = cast("segmentation.Recipe", how.cells_from if published else "stains")
    if image.is_cell and recipe == "stains":
        mask = _middle_cell(picture)
    else:
        mask = segmentation.computed_mask(picture.rgb, picture.px_per_rbc, recipe)
    return dataclasses.replace(picture, mask=mask).noted(f"mask by {recipe}")


def _middle_cell(picture: Picture) -> npt.NDArray[np.uint8]:
    cells = segmentation.white_cells(picture.rgb, picture.px_per_rbc)
    return segmentation.middle_cell(cells, picture.px_per_rbc).cells


def _with_cells(picture: Picture, image: SourceImage) -> Picture:
    """With a box for each cell.

    Of the source's boxes, its points, the one cell that a picture shows, a mask and the colour, the
    first that there is tells where the cells are.
    """
    if image.boxes_cxcywhn is not None:
        return picture
    if image.centres_xy:
        return _boxed(picture, _around(picture), "cells around the source's points")
    if image.is_cell:
        return _boxed(picture, _only_cell(picture), "one cell")
    if picture.mask is not None:
        found = cells_from_mask(picture.mask, picture.px_per_rbc, CellSizes())
        return _boxed(picture, found.xyxy, "cells of the mask")
    found = find_cells(picture.rgb, picture.px_per_rbc)
    return _boxed(picture, found.xyxy, "cells found by colour")


def _boxed(picture: Picture, xyxy: npt.NDArray[np.float32], how: str) -> Picture:
    labels = (_WHITE,) * len(xyxy)
    return dataclasses.replace(picture, xyxy=xyxy, labels=labels).noted(how)


def _only_cell(picture: Picture) -> npt.NDArray[np.float32]:
    """The bounds of the one cell of a picture: of its mask, of what is not black, or all of it."""
    if picture.mask is None and ruler.is_cell_on_black(picture.rgb):
        return np.array([ruler.box_on_black(picture.rgb)], np.float32)
    mask = _middle_cell(picture) if picture.mask is None else picture.mask
    if not mask.any():
        return np.array([[0, 0, *picture.size_wh]], np.float32)
    rows, columns = np.nonzero(mask)
    box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return np.array([box], np.float32)


def _around(picture: Picture) -> npt.NDArray[np.float32]:
    """Per square around a point the cell that is found at the point, else the square."""
    found = find_cells(picture.rgb, picture.px_per_rbc).xyxy
    boxes = []
    for square in picture.xyxy:
        x, y = (square[:2] + square[2:]) / 2
        holds = (found[:, :2] <= (x, y)).all(axis=1) & (found[:, 2:] >= (x, y)).all(axis=1)
        boxes.append(found[np.flatnonzero(holds)[0]] if holds.any() else square)
    return geometry.clip_xyxy(np.array(boxes, np.float32).reshape(-1, 4), picture.size_wh)
