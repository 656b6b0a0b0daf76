"""Where the white cells of a picture are, by colour alone: what has to go to see what is left.

Rough on purpose, and rather too much than too little: a rim of cytoplasm that stays behind would
be taken for a property of the background.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

_BLACK = 16  # a border darker than this is no glass: the picture shows one cell, cut out

# Violet and red parts of a picture differ by this much in A − B of LAB, or there is no nucleus.
_LEAST_VIOLET = 14.0

# Cytoplasm around the violet part, as a fraction of the picture's shorter side.
_RIM = 0.02


def cell_mask(image: Image) -> npt.NDArray[np.bool_]:
    """True where a white cell lies or may lie; shape (height, width)."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    if np.median(border.max(axis=1)) < _BLACK:
        return _widened(cv2.inRange(image, (0, 0, 0), (_BLACK - 1,) * 3) == 0)
    return _widened(_violet(image))


def without_cells(rgb: Image) -> Image:
    """A copy whose white cells have the median colour of what is left; black if nothing is."""
    mask = cell_mask(rgb)
    painted = rgb.copy()
    painted[mask] = 0 if mask.all() else np.median(rgb[~mask], axis=0).astype(np.uint8)
    return painted


def _violet(image: Image) -> npt.NDArray[np.bool_]:
    """Nuclei and basophilic cytoplasm: high in A, low in B, darker than the glass."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    violet = np.clip(lab[..., 1].astype(np.int16) - lab[..., 2] + 128, 0, 255).astype(np.uint8)
    violet = np.asarray(cv2.GaussianBlur(violet, (0, 0), 0.8), np.uint8)
    # Among what is stained only: glass would be a cluster of its own beside all cells.
    stained = lab[..., 0] <= _otsu(lab[..., 0])
    border = _otsu(violet[stained])
    above, below = violet[stained & (violet > border)], violet[stained & (violet <= border)]
    if not above.size or not below.size or above.mean() - below.mean() < _LEAST_VIOLET:
        return np.zeros(violet.shape, bool)
    mask = (violet > border).astype(np.uint8)
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(bool)


def _widened(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    side = 2 * max(3, round(_RIM * min(mask.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), disc).astype(bool)


def _otsu(values: npt.NDArray[np.uint8]) -> float:
    """Border between two clusters of brightness. Otsu N. IEEE Trans SMC 1979;9(1):62-66."""
    column = np.ascontiguousarray(values.reshape(-1, 1))
    return float(cv2.threshold(column, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])
