"""A picture as 64×64 grey pixels, and how alike two of them are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats

SIDE_PX = 64
HIGHEST = 10
"""Waves across a thumbnail, in the finest pattern that its spectrum holds."""

TURNS = (
    "as it is",
    "mirrored left to right",
    "mirrored top to bottom",
    "turned by 180°",
    "mirrored along the diagonal",
    "turned right by 90°",
    "turned left by 90°",
    "mirrored along the other diagonal",
)
"""The eight flips and right-angle turns, in the order of the functions below."""

# The middle of one thumbnail is looked for in the other one: a stage that moved by up to a fifth of
# the field still shows most of the cells.
_MARGIN_PX = 12

# Without it, the edge of a picture would be its strongest pattern.
_WINDOW = np.outer(np.hanning(SIDE_PX), np.hanning(SIDE_PX)).astype(np.float32)

# Detail up to this size is compared; what is larger all smears have in common.
_DETAIL_PX = 2.0

_BATCH = 256  # spectra that are made at once

# Of a detail that shows anything.
_LEAST_SPREAD = 0.01

Thumbnail = npt.NDArray[np.uint8]
Detail = npt.NDArray[np.float32]
_Grid = TypeVar("_Grid", Thumbnail, Detail)


def thumbnail_of(grey: npt.NDArray[np.uint8]) -> Thumbnail:
    """Reduce a grey picture to 64×64, whatever its shape."""
    shrinks = min(grey.shape) >= SIDE_PX
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=kind), np.uint8)


def turned(grid: _Grid, turn: int) -> _Grid:
    """A thumbnail, or its detail, after one of TURNS."""
    if turn & 4:
        grid = grid.T
    if turn & 2:
        grid = grid[::-1]
    if turn & 1:
        grid = grid[:, ::-1]
    return np.ascontiguousarray(grid)


def spectrum_of(thumbnail: Thumbnail) -> Floats:
    """How strong each of its lowest frequencies is, as a logarithm; shape (21, 21).

    The same wherever the field lies in the picture, and all but the same for other file formats,
    sizes and light. Reddy BS, Chatterji BN. IEEE Trans Image Process 1996;5(8):1266-1271.
    """
    return np.asarray(spectra_of([thumbnail])[0], np.float32)


def spectra_of(thumbnails: Sequence[Thumbnail]) -> Floats:
    """The spectrum of each, as :func:`spectrum_of` gives it; shape (n, 21, 21)."""
    size = 2 * HIGHEST + 1
    spectra = np.empty((len(thumbnails), size, size), np.float32)
    for start in range(0, len(thumbnails), _BATCH):
        spectra[start : start + _BATCH] = _spectra(np.stack(thumbnails[start : start + _BATCH]))
    return spectra


def _spectra(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    from scipy import fft

    pixels = thumbnails.astype(np.float32)
    pixels = (pixels - pixels.mean(axis=(1, 2), keepdims=True)) * _WINDOW
    strength = np.abs(fft.rfft2(pixels)[:, :, : HIGHEST + 1])
    right = np.log1p(np.concatenate([strength[:, -HIGHEST:], strength[:, : HIGHEST + 1]], axis=1))
    # Of real numbers, one half is the other one, turned about the middle.
    return np.concatenate([right[:, ::-1, :0:-1], right], axis=2)


def turned_spectrum(spectra: Floats, turn: int) -> Floats:
    """Spectra of the turned thumbnails, shape (n, 21, 21).

    They are symmetric about their middle: a turn by 180° changes nothing, and a flip is the same
    from left to right as from top to bottom.
    """
    if turn & 4:
        spectra = spectra.transpose(0, 2, 1)
    if (turn & 1) != (turn >> 1 & 1):
        spectra = spectra[:, :, ::-1]
    return spectra


def detail_of(thumbnail: Thumbnail) -> Detail:
    """Deviation from the surroundings, in units of how much the surroundings vary; (64, 64).

    So the outline of a cell on black, which all such pictures share, weighs no more than what is
    inside of it. The detail of a turned thumbnail is the turned detail.
    """
    pixels = thumbnail.astype(np.float32)
    deviation = pixels - cv2.GaussianBlur(pixels, (0, 0), _DETAIL_PX)
    spread = np.sqrt(cv2.GaussianBlur(deviation * deviation, (0, 0), _DETAIL_PX))
    return np.asarray(deviation / (spread + 1), np.float32)


def correlation(one: Detail, other: Detail) -> float:
    """How well two details agree, −1 to 1, at the shift that suits them best."""
    middle = np.ascontiguousarray(other[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX])
    # OpenCV calls two even pictures perfectly alike.
    if _is_even(one) or _is_even(middle):
        return 0.0
    return float(cv2.matchTemplate(one, middle, cv2.TM_CCOEFF_NORMED).max())


def _is_even(detail: Detail) -> bool:
    return bool(cv2.meanStdDev(detail)[1].item() < _LEAST_SPREAD)
