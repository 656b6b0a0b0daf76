"""A picture as 64×64 grey pixels, and how alike two of them are."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats

SIDE_PX = 64
FREQUENCIES = 10

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

# The middle of one thumbnail is looked for in the other one: a stage moved by up to an eighth of
# the field still shows the same cells.
_MARGIN_PX = 8

# Detail up to this size is compared; what is larger all smears have in common.
_DETAIL_PX = 2.0

Thumbnail = npt.NDArray[np.uint8]


def thumbnail_of(grey: npt.NDArray[np.uint8]) -> Thumbnail:
    """Reduce a grey picture to 64×64, whatever its shape."""
    shrinks = min(grey.shape) >= SIDE_PX
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=kind), np.uint8)


def turned(thumbnail: Thumbnail, turn: int) -> Thumbnail:
    """A thumbnail after one of TURNS."""
    if turn & 4:
        thumbnail = thumbnail.T
    if turn & 2:
        thumbnail = thumbnail[::-1]
    if turn & 1:
        thumbnail = thumbnail[:, ::-1]
    return np.ascontiguousarray(thumbnail)


def coefficients_of(thumbnail: Thumbnail) -> Floats:
    """Its lowest frequencies (DCT-II), of which perceptual hashes are made; shape (10, 10).

    Zauner C. Implementation and benchmarking of perceptual image hash functions. 2010. Kept as
    numbers: their signs alone cannot tell one smear from another.
    """
    dct = cv2.dct(thumbnail.astype(np.float32))
    return np.ascontiguousarray(dct[:FREQUENCIES, :FREQUENCIES])


def turned_coefficients(coefficients: Floats, turn: int) -> Floats:
    """Coefficients of the turned thumbnails, shape (n, 10, 10): a flip changes signs only."""
    sign = np.where(np.arange(FREQUENCIES) % 2, -1, 1).astype(np.float32)
    if turn & 4:
        coefficients = coefficients.transpose(0, 2, 1)
    if turn & 2:
        coefficients = coefficients * sign[:, None]
    if turn & 1:
        coefficients = coefficients * sign
    return coefficients


def correlation(one: Thumbnail, other: Thumbnail) -> float:
    """How well fine detail of two thumbnails agrees, −1 to 1, at the shift that suits them best."""
    field, middle = _detail(one), _detail(other)[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]
    # OpenCV calls two even pictures perfectly alike.
    if field.std() < 0.01 or middle.std() < 0.01:
        return 0.0
    found = cv2.matchTemplate(field, np.ascontiguousarray(middle), cv2.TM_CCOEFF_NORMED)
    return float(found.max())


def _detail(thumbnail: Thumbnail) -> Floats:
    """Deviation from the surroundings, in units of how much the surroundings vary.

    So the outline of a cell on black, which all such pictures share, weighs no more than what is
    inside of it.
    """
    pixels = thumbnail.astype(np.float32)
    deviation = pixels - cv2.GaussianBlur(pixels, (0, 0), _DETAIL_PX)
    spread = np.sqrt(cv2.GaussianBlur(deviation * deviation, (0, 0), _DETAIL_PX))
    return np.asarray(deviation / (spread + 1), np.float32)
