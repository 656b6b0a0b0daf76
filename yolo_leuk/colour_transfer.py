"""One picture in the colours of another: the linear map of least cost between two distributions.

The map moves mean and covariance of all three LAB channels at once (Monge and Kantorovich; Pitié F,
Kokaram A. The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer.
CVMP 2007). Mean and deviation of each channel alone, after Reinhard, leave standing how the
channels go together, as how much redder dark pixels are than bright ones. Pictures are RGB uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

_Doubles = npt.NDArray[np.float64]

_LEAST_VARIANCE = 1.0
"""In squared grey levels. An even picture has none, and rounding alone makes a twelfth."""

_GAIN = (1 / 3, 3.0)
"""Bounds of what a direction of colour is stretched by, so that noise does not become a pattern."""


@dataclass(frozen=True)
class ColourStatistics:
    """Mean and covariance of a picture in OpenCV's 8-bit LAB, float64.

    Attributes:
        mean: Shape (3,).
        covariance: Shape (3, 3), symmetric, with no eigenvalue under 1.
    """

    mean: _Doubles
    covariance: _Doubles


@dataclass(frozen=True)
class ColourMap:
    """What LAB becomes: ``gain @ lab + offset``.

    Attributes:
        gain: Shape (3, 3), symmetric; its eigenvalues lie between 1/3 and 3.
        offset: Shape (3,).
    """

    gain: _Doubles
    offset: _Doubles


def colour_statistics(image: Image) -> ColourStatistics:
    """LAB mean and covariance of a picture, shape (height, width, 3)."""
    return _statistics(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))


def with_colour_of(image: Image, other: ColourStatistics) -> Image:
    """The picture with the LAB mean and covariance of another one.

    What falls outside RGB is cut off.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    change = colour_map(_statistics(lab), other)
    affine = np.column_stack([change.gain, change.offset])
    moved = np.rint(cv2.transform(lab.astype(np.float32), affine.astype(np.float32)))
    whole = np.clip(moved, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_LAB2RGB), np.uint8)


def colour_map(own: ColourStatistics, other: ColourStatistics) -> ColourMap:
    """The map from one mean and covariance to another that moves colours least.

    With A and B the covariances, the gain is A^-½ (A^½ B A^½)^½ A^-½.
    """
    root = _by_eigenvalue(own.covariance, np.sqrt)
    inverse = np.linalg.inv(root)
    middle = _by_eigenvalue(root @ other.covariance @ root, np.sqrt)
    gain = _by_eigenvalue(inverse @ middle @ inverse, lambda values: np.clip(values, *_GAIN))
    return ColourMap(gain, other.mean - gain @ own.mean)


def _statistics(lab: npt.ArrayLike) -> ColourStatistics:
    # The sums are of whole numbers, which float64 holds exactly: no order of summation and no
    # number of threads can change them.
    colours = np.asarray(lab, np.uint8).reshape(-1, 3)
    mean = np.array(cv2.mean(colours.reshape(-1, 1, 3))[:3])
    products = np.asarray(cv2.mulTransposed(colours, True, dtype=cv2.CV_64F), np.float64)
    covariance = products / len(colours) - np.outer(mean, mean)
    return ColourStatistics(
        mean, _by_eigenvalue(covariance, lambda values: np.maximum(values, _LEAST_VARIANCE))
    )


def _by_eigenvalue(symmetric: _Doubles, change: Callable[[_Doubles], _Doubles]) -> _Doubles:
    """A symmetric matrix with its eigenvalues changed."""
    values, vectors = np.linalg.eigh(symmetric)
    return np.asarray((vectors * change(values)) @ vectors.T, np.float64)
