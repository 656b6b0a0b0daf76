"""A cell on black, cut out so that it can be laid on something else without a black fringe."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.pictures.black_border import black_pixels
from yolo_leuk.prepare.pictures.picture import Picture, cut_square, turned
from yolo_leuk.records import Image

Bools = npt.NDArray[np.bool_]

# Width of the rim that is mixed with the black around it, as a fraction of the cell's diameter;
# two pixels in C-NMC.
_DARK_RIM = 0.01

_SOFTNESS_PX = 0.7


@dataclass(frozen=True)
class CutOut:
    """A cell and how much of it covers each pixel.

    Attributes:
        rgb: float32, shape (side, side, 3); the cell's colours go on beyond its edge.
        cover: 0 beside the cell and 1 on it, float32, shape (side, side).
        label: Class of the cell.
    """

    rgb: npt.NDArray[np.float32]
    cover: npt.NDArray[np.float32]
    label: str

    @property
    def side(self) -> int:
        """Width and height in pixels."""
        return int(self.cover.shape[0])

    @property
    def shown(self) -> Bools:
        """The cell's own mask."""
        return np.asarray(self.cover >= 0.5, np.bool_)


def cut_out(
    picture: Picture, label: str, px_per_rbc: float, quarter_turns: int, mirrored: bool
) -> CutOut:
    """Cut the cell out of its black, turn it and bring it to a scale.

    Args:
        picture: One cell on black; of several parts the largest is taken.
        label: Class of the cell.
        px_per_rbc: Scale that comes out.
        quarter_turns: As in :func:`yolo_leuk.pixels.turned`.
        mirrored: Likewise.

    Raises:
        DataError: The picture shows no cell.
    """
    cell = _largest_part(_cell_mask(picture))
    whole = turned(_around(picture, cell), quarter_turns, mirrored)
    cell = _largest_part(_cell_mask(whole))
    inner = _without_rim(cell)
    gain = px_per_rbc / picture.px_per_rbc
    rgb = pixels.scaled_to(_spread(whole.rgb, inner), gain)
    cover = pixels.scaled_to(np.repeat(inner[..., None] * np.uint8(255), 3, axis=2), gain)
    soft = cv2.GaussianBlur(cover[..., 0].astype(np.float32) / 255, (0, 0), _SOFTNESS_PX)
    return CutOut(rgb.astype(np.float32), np.asarray(soft, np.float32), label)


def _cell_mask(picture: Picture) -> Bools:
    shown = ~black_pixels(picture.rgb)
    return shown if picture.mask is None else shown & (picture.mask > 0)


def _largest_part(shown: Bools) -> Bools:
    count, part_of, stats, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8))
    if count == 1:
        raise DataError(
            "expected a cell on black, got a picture of nothing but black",
            hint="Remove the picture, or leave compose out.",
        )
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(part_of == largest, np.bool_)


def _around(picture: Picture, cell: Bools) -> Picture:
    """The square around a cell, with room for its softened edge."""
    rows, columns = np.flatnonzero(cell.any(axis=1)), np.flatnonzero(cell.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
    side = max(width, height) + 2 * (4 + max(width, height) // 20)
    return cut_square(picture, (left - (side - width) // 2, top - (side - height) // 2), side)


def _without_rim(cell: Bools) -> Bools:
    rim = max(1.5, _DARK_RIM * 2 * float(np.sqrt(cell.sum() / np.pi)))
    inner = cv2.distanceTransform(cell.astype(np.uint8), cv2.DIST_L2, 5) > rim
    return inner if inner.any() else cell


def _spread(rgb: Image, inner: Bools) -> Image:
    """Every pixel outside takes the colour of the nearest one inside."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~inner).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colour_of = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colour_of[nearest[inner]] = rgb[inner]
    return np.asarray(colour_of[nearest], np.uint8)
