"""The slide: how much light each spot absorbs, and what lies on it.

Stains follow Beer and Lambert: absorbances add up where cells overlap, and the
light that passes is the background times exp(-absorbance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_smear.noise import Field


@dataclass(frozen=True)
class TruthCell:
    """One cell of the picture: box in pixels, label (white, red, platelet) and kind."""

    box_xyxy: tuple[int, int, int, int]
    label: str
    kind: str


@dataclass(frozen=True)
class Patch:
    """A drawn cell on an odd-sized square.

    Attributes:
        absorbance: HxWx3 float32, natural-log absorbance in R, G, B.
        cover: HxW float32 in 0…1, 1 inside the cell.
    """

    absorbance: npt.NDArray[np.float32]
    cover: Field


@dataclass(frozen=True)
class DrawnCell:
    """A patch with its place on the slide and its name."""

    label: str
    kind: str
    centre_xy: tuple[int, int]
    patch: Patch


@dataclass(frozen=True)
class Overlap:
    """Where a patch and the slide meet, as slices into each."""

    slide: tuple[slice, slice]
    patch: tuple[slice, slice]


class Slide:
    """Absorbance of a field of view, filled cell by cell."""

    def __init__(self, size_wh: tuple[int, int]) -> None:
        """Make an empty slide of ``size_wh`` pixels."""
        width, height = size_wh
        self.absorbance: npt.NDArray[np.float32] = np.zeros((height, width, 3), np.float32)

    def overlap(self, cell: DrawnCell) -> Overlap | None:
        """The part of a cell's patch that lies in the frame, or None when nothing does."""
        half = cell.patch.cover.shape[0] // 2
        height, width = self.absorbance.shape[:2]
        left, top = cell.centre_xy[0] - half, cell.centre_xy[1] - half
        x0, x1 = max(left, 0), min(left + 2 * half + 1, width)
        y0, y1 = max(top, 0), min(top + 2 * half + 1, height)
        if x0 >= x1 or y0 >= y1:
            return None
        return Overlap(
            (slice(y0, y1), slice(x0, x1)),
            (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)),
        )

    def add(self, cell: DrawnCell, showing: Field) -> None:
        """Add a translucent cell; ``showing`` (HxW of the slide, 0…1) hides parts of it.

        Where it crosses another one the thinner layer counts for 0.45: cells flatten there.
        """
        place = self.overlap(cell)
        if place is None:
            return
        light_taken = cell.patch.absorbance[place.patch] * showing[place.slide][..., None]
        below = self.absorbance[place.slide]
        crossing = np.clip(np.minimum(below, light_taken), 0.0, None)
        self.absorbance[place.slide] = below + light_taken - 0.55 * crossing

    def lay_over(self, cell: DrawnCell) -> None:
        """Put a cell in the place of whatever lies there."""
        place = self.overlap(cell)
        if place is None:
            return
        cover = cell.patch.cover[place.patch][..., None]
        self.absorbance[place.slide] *= 1 - cover
        self.absorbance[place.slide] += cell.patch.absorbance[place.patch]

    def free_of(self, cells: list[DrawnCell]) -> Field:
        """HxW, 1 where none of the cells lies and 0 where one hides what is below."""
        free = np.ones(self.absorbance.shape[:2], np.float32)
        for cell in cells:
            place = self.overlap(cell)
            if place is not None:
                free[place.slide] *= 1 - cell.patch.cover[place.patch]
        return free

    def visible_box(
        self, cell: DrawnCell, showing: Field, at_least: float
    ) -> tuple[int, int, int, int] | None:
        """Tight box of the part of a cell that can be seen.

        Args:
            cell: the drawn cell.
            showing: HxW of the slide, 1 where nothing hides the cell.
            at_least: smallest part of the cell's area that must be in the frame and free.

        Returns:
            ``x1, y1, x2, y2`` in pixels (x2 and y2 exclusive), or None when less shows.
        """
        place = self.overlap(cell)
        if place is None:
            return None
        seen = (cell.patch.cover[place.patch] * showing[place.slide]) >= 0.5
        if seen.sum() < max(at_least * float((cell.patch.cover >= 0.5).sum()), 1.0):
            return None
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        top, left = place.slide[0].start, place.slide[1].start
        return (
            int(left + columns[0]),
            int(top + rows[0]),
            int(left + columns[-1] + 1),
            int(top + rows[-1] + 1),
        )
