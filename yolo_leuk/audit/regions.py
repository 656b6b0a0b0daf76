"""The corners and border strips of a picture, each as a small patch without its colour.

What is burnt into a picture stands at its edge: a scale bar, a date, a frame. A linear classifier
on one such patch sees what always stands at the same place, and next to nothing of cells, which
lie anywhere.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats, Image

CORNERS = ("upper left", "upper right", "lower left", "lower right")
STRIPS = ("top", "bottom", "left", "right")
REGIONS = (*CORNERS, *STRIPS)

_CORNER = 0.2  # side of a corner, as a fraction of the picture's shorter side
_STRIP = 0.1  # depth of a strip; it runs between two corners
# As many pixels in each kind, so that none has more to tell by.
_CORNER_SIZE_WH = (12, 12)
_LYING_SIZE_WH = (24, 6)
_STANDING_SIZE_WH = (6, 24)


def region_box(name: str, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """Corners (x1, y1, x2, y2) of a region in a picture of this size, in pixels."""
    width, height = size_wh
    corner = max(1, round(_CORNER * min(size_wh)))
    strip = max(1, round(_STRIP * min(size_wh)))
    return {
        "upper left": (0, 0, corner, corner),
        "upper right": (width - corner, 0, width, corner),
        "lower left": (0, height - corner, corner, height),
        "lower right": (width - corner, height - corner, width, height),
        "top": (corner, 0, width - corner, strip),
        "bottom": (corner, height - strip, width - corner, height),
        "left": (0, corner, strip, height - corner),
        "right": (width - strip, corner, width, height - corner),
    }[name]


def region_patches(image: Image) -> npt.NDArray[np.uint8]:
    """All regions of a picture, each reduced to a patch; shape (8, 432), in order of REGIONS."""
    return np.stack([_patch(image, name) for name in REGIONS])


def _patch(image: Image, name: str) -> npt.NDArray[np.uint8]:
    x1, y1, x2, y2 = region_box(name, (image.shape[1], image.shape[0]))
    size_wh = _CORNER_SIZE_WH
    if name in ("top", "bottom"):
        size_wh = _LYING_SIZE_WH
    elif name in ("left", "right"):
        size_wh = _STANDING_SIZE_WH
    patch = cv2.resize(image[y1:y2, x1:x2], size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(patch, np.uint8).reshape(-1)


def without_colour(patches: npt.NDArray[np.uint8]) -> Floats:
    """Patches as deviations from their own median colour, in units of their own contrast.

    Colour is measured by itself, and would hide what else a region gives away.

    Args:
        patches: Of one region, shape (n, 432).

    Returns:
        float32, shape (n, 432).
    """
    pixels = patches.reshape(len(patches), -1, 3).astype(np.float32)
    contrast = pixels.mean(axis=2).std(axis=1)[:, None, None]
    pixels -= np.median(pixels, axis=1, keepdims=True)
    pixels /= contrast + 4  # grey levels: what is all but even stays so
    return pixels.reshape(len(patches), -1)
