"""From a seed to a picture and its truth."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sample_smear import stain
from sample_smear.camera import photograph
from sample_smear.layout import Disc, place_platelets, place_red, place_white
from sample_smear.noise import Field, fractal_noise, speckles
from sample_smear.platelets import draw_platelet
from sample_smear.red_cells import draw_red_cell
from sample_smear.slide import DrawnCell, Slide, TruthCell
from sample_smear.white_cells import draw_white_cell
from sample_smear.white_kinds import kinds_for

RBC_UM = 7.5
"""Width of a red cell on a slide: the ruler."""

RED_PER_PLATELET = 14
"""Red cells per platelet; blood has 10 to 20."""

VISIBLE_SHARE = 0.4
"""A cell of which less can be seen is drawn but left out of the truth."""

MIN_PX_PER_RBC = 10
"""Below this a cell has too few pixels to be drawn."""


def generate(
    seed: int, size_wh: tuple[int, int], px_per_rbc: float, white_cells: int
) -> tuple[npt.NDArray[np.uint8], list[TruthCell]]:
    """Draw a smear.

    White cells lie wholly inside the frame. Red cells may be cut by the frame or
    pressed by a white cell; those with less than ``VISIBLE_SHARE`` of their area
    in sight are drawn but not in the truth.

    Args:
        seed: the same seed gives the same picture.
        size_wh: width and height in pixels.
        px_per_rbc: mean width of a red cell in pixels, at least 10.
        white_cells: number of white cells.

    Returns:
        HxWx3 uint8 RGB, and the cells: white ones first, then red, then platelets.

    Raises:
        ValueError: a value out of range, or no room for that many white cells.
    """
    _check(size_wh, px_per_rbc, white_cells)
    rng = np.random.default_rng(seed)
    white, red, platelets = _draw_cells(rng, size_wh, px_per_rbc, white_cells)
    slide = Slide(size_wh)
    _stain_background(rng, slide, px_per_rbc)
    beside_white = slide.free_of(white)
    for cell in red + platelets:
        slide.add(cell, beside_white)
    for cell in white:
        slide.lay_over(cell)
    everywhere = np.ones_like(beside_white)
    truth = _truth(slide, white, everywhere) + _truth(slide, red + platelets, beside_white)
    return photograph(rng, slide.absorbance, px_per_rbc), truth


def _check(size_wh: tuple[int, int], px_per_rbc: float, white_cells: int) -> None:
    """Refuse what no smear can be drawn from."""
    if min(size_wh) < 1:
        raise ValueError(f"expected a width and a height of at least 1 px, got {size_wh}")
    if not px_per_rbc >= MIN_PX_PER_RBC:
        raise ValueError(f"expected at least {MIN_PX_PER_RBC} px per red cell, got {px_per_rbc:g}")
    if white_cells < 0:
        raise ValueError(f"expected 0 or more white cells, got {white_cells}")


def _draw_cells(
    rng: np.random.Generator, size_wh: tuple[int, int], px_per_rbc: float, white_cells: int
) -> tuple[list[DrawnCell], list[DrawnCell], list[DrawnCell]]:
    """Place and draw the white cells, then the red ones and the platelets around them."""
    kinds = kinds_for(rng, white_cells)
    radii = [px_per_rbc * float(rng.uniform(*kind.width_rbc)) / 2 for kind in kinds]
    white = place_white(rng, size_wh, px_per_rbc, radii)
    red = place_red(rng, size_wh, px_per_rbc, white)
    platelets = place_platelets(
        rng, size_wh, px_per_rbc, white + red, count=round(len(red) / RED_PER_PLATELET)
    )
    px_per_um = px_per_rbc / RBC_UM
    return (
        [
            DrawnCell(
                "white", kind.name, at.pixel, draw_white_cell(rng, kind, at.radius, px_per_um)
            )
            for kind, at in zip(kinds, white, strict=True)
        ],
        [DrawnCell("red", "red", at.pixel, draw_red_cell(rng, at, _near(at, white))) for at in red],
        [
            DrawnCell("platelet", "platelet", at.pixel, draw_platelet(rng, at.radius))
            for at in platelets
        ],
    )


def _near(disc: Disc, others: list[Disc]) -> list[Disc]:
    """The discs that touch this one."""
    return [other for other in others if disc.gap(other) < 0.1 * disc.radius]


def _stain_background(rng: np.random.Generator, slide: Slide, px_per_rbc: float) -> None:
    """A trace of dried plasma between the cells, and grains of precipitated stain."""
    height, width = slide.absorbance.shape[:2]
    cloud = fractal_noise(rng, (height, width), min(height, width) / 6, octaves=4)
    slide.absorbance += (1.0 + 0.6 * cloud)[..., None] * stain.PLASMA
    grains = speckles(rng, (height, width), 2.2 * px_per_rbc, share=0.12)
    sigma = 0.016 * px_per_rbc
    blurred = cv2.GaussianBlur(grains, (0, 0), sigma) * (2 * np.pi * sigma**2)
    slide.absorbance += blurred[..., None] * stain.PRECIPITATE


def _truth(slide: Slide, cells: list[DrawnCell], showing: Field) -> list[TruthCell]:
    """The cells that can be seen well enough to be counted."""
    boxes = [slide.visible_box(cell, showing, VISIBLE_SHARE) for cell in cells]
    return [
        TruthCell(box, cell.label, cell.kind)
        for cell, box in zip(cells, boxes, strict=True)
        if box is not None
    ]
