"""The black around a cell that was cut out of its field, as C-NMC and ``Segmented/`` have it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

# The darkest pixel inside any of 1,575 cells of C-NMC has 42 in its brightest channel; the ringing
# of JPEG leaves less than 16 in the black.
_BLACK = 16

# Share of the outermost pixels that is black around a cell; 0.95 or more in all of C-NMC.
_FRAME_SHARE = 0.5


def black_pixels(rgb: Image) -> npt.NDArray[np.bool_]:
    """Where a picture is black, shape (height, width)."""
    darkest, lightest = np.array([0.0] * 3), np.array([float(_BLACK)] * 3)
    return np.asarray(cv2.inRange(rgb, darkest, lightest) > 0, np.bool_)


def is_on_black(rgb: Image) -> bool:
    """Whether a picture shows something on black: most of its outermost pixels are black."""
    black = black_pixels(rgb)
    frame = np.concatenate([black[0], black[-1], black[:, 0], black[:, -1]])
    return bool(frame.mean() >= _FRAME_SHARE)


def square_around_cell(rgb: Image) -> tuple[tuple[int, int], int] | None:
    """The smallest square that holds all that is not black, centred on it.

    Returns:
        Its upper left corner (x, y), which may lie beyond the edge, and its side in pixels; None
        where the picture is not on black, or is nothing but black.
    """
    if not is_on_black(rgb):
        return None
    shown = ~black_pixels(rgb)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if rows.size == 0:
        return None
    left, top = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
    side = max(width, height)
    return (left - (side - width) // 2, top - (side - height) // 2), side
