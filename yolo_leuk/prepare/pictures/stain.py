"""Stain normalisation: the colours of a picture moved to those of a target.

Both methods take their statistics from what is not black, so that the black around a cell neither
counts nor changes. A picture that tells too little (one colour, bare glass, nothing but black)
comes back as it is. Numbers, not a target picture, say where to go: they stand in a configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.prepare.pictures.black_border import black_pixels, is_on_black
from yolo_leuk.records import Image

Triple = tuple[float, float, float]
Floats = npt.NDArray[np.float32]

# No colour is spread, no stain strengthened by more than this, nor by less than its inverse: an
# almost even picture shall not become noise.
_MOST_GAIN = 3.0

# Fewer pixels than this say nothing about a stain.
_LEAST_PIXELS = 100


@dataclass(frozen=True)
class LabTarget:
    """Mean and standard deviation in CIELAB (L 0–100, a, b)."""

    mean: Triple
    deviation: Triple


@dataclass(frozen=True)
class StainTarget:
    """Two stains, as optical density (natural log) in R, G, B, and the light that they absorb.

    Attributes:
        nuclei: Direction of the stain of nuclei, of unit length.
        others: The same of all else: red cells, or the cytoplasm of a cell by itself.
        strongest: 99th percentile of the concentration of each.
        light: Colour of empty glass, 0–255.
    """

    nuclei: Triple
    others: Triple
    strongest: tuple[float, float]
    light: Triple


# --- Reinhard ----------------------------------------------------------------------------------

# A picture whose lightness varies by less, in L, has no colours to be moved.
_LEAST_DEVIATION = 1.0


def reinhard(rgb: Image, target: LabTarget) -> Image:
    """A picture with the LAB mean and deviation of the target.

    Reinhard E, Ashikhmin M, Gooch B, Shirley P. IEEE Comput Graph Appl 2001;21(5):34-41; in CIELAB,
    as most do today, in place of the paper's lαβ, whose logarithm has no value for black.

    Returns:
        A new picture; the same one where its lightness hardly varies.
    """
    black = black_pixels(rgb)
    lab = _lab(rgb)
    own = _statistics(lab, ~black)
    if own.deviation[0] < _LEAST_DEVIATION:
        return rgb
    ratio = np.array(target.deviation) / np.maximum(own.deviation, 1e-3)
    gain = np.clip(ratio, 1 / _MOST_GAIN, _MOST_GAIN)
    offset = np.array(target.mean) - gain * own.mean
    moved = _affine(lab, np.diag(gain), offset)
    return _with_black_of(rgb, black, _floats(cv2.cvtColor(moved, cv2.COLOR_LAB2RGB)) * 255)


def _lab(rgb: Image) -> Floats:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _statistics(lab: Floats, shown: npt.NDArray[np.bool_]) -> LabTarget:
    """Mean and deviation of the pixels that are shown; zero where there are none."""
    mean, deviation = cv2.meanStdDev(lab, mask=shown.astype(np.uint8))
    return LabTarget(_triple(np.asarray(mean)), _triple(np.asarray(deviation)))


# --- Macenko -----------------------------------------------------------------------------------

# Light that passes the glass beside a cell on black, where none can be seen; least optical density
# of what is stained; tolerance of the extremes in percent. The values of the reference
# implementation by M. Veta, which others follow.
_UNSEEN_LIGHT = 240.0
_LEAST_DENSITY = 0.15
_TOLERANCE = 1.0

# Percentile of each channel that is empty glass in a field.
_GLASS = 95.0

# Below these there is one stain only: variance beside the main direction, and angle in radians
# between the two stains.
_LEAST_VARIANCE = 1e-4
_LEAST_ANGLE = 0.05


def macenko(rgb: Image, target: StainTarget) -> Image:
    """A picture with its light and its two stains replaced by those of the target.

    Macenko M et al. A method for normalizing histology slides for quantitative analysis. ISBI
    2009:1107-1110. Three things differ from what is usual for sections in H&E, because smears are
    not like them. Light is that of the glass, not 240 everywhere: the lamps of smears have colours.
    A pixel is stained where it absorbs enough in the mean of its channels, not in each: nuclei of
    some smears let all blue light pass. And the first stain is the one that absorbs more green than
    blue, as violet does, not the one that absorbs more red: the red cells of some smears do.

    Returns:
        A new picture; the same one where it does not show two stains.
    """
    black, light = black_pixels(rgb), _light(rgb)
    density = _density(rgb, light)
    own = _stains(_stained(density, black), light)
    if own is None:
        return rgb
    ratio = np.array(target.strongest) / own.strongest
    gain = np.clip(ratio, 1 / _MOST_GAIN, _MOST_GAIN)
    # Unmixing, gain and mixing are one matrix; the new light is its offset.
    matrix = np.array([target.nuclei, target.others]).T * gain @ _unmixing(own.nuclei, own.others)
    moved = _affine(density, -matrix, np.log(np.array(target.light) + 1))
    return _with_black_of(rgb, black, np.exp(moved) - 1)


def _light(rgb: Image) -> Triple:
    """Colour of the glass."""
    if is_on_black(rgb):
        return _UNSEEN_LIGHT, _UNSEEN_LIGHT, _UNSEEN_LIGHT
    return _triple(np.percentile(rgb.reshape(-1, 3), _GLASS, axis=0))


def _density(rgb: Image, light: Triple) -> Floats:
    """Optical density, natural log, shape (height, width, 3)."""
    levels = np.arange(1, 257, dtype=np.float32)[:, None]
    of_level = -np.log(levels / (_floats(light) + 1))
    return np.asarray(cv2.LUT(rgb, of_level[None]), np.float32)


def _stained(density: Floats, black: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Densities of the stained pixels, shape (n, 3)."""
    mean = cv2.transform(density, np.full((1, 3), 1 / 3))
    return np.asarray(density[~black & (mean >= _LEAST_DENSITY)], np.float64)


def _stains(density: npt.NDArray[np.float64], light: Triple) -> StainTarget | None:
    """The extreme directions of densities, shape (n, 3), in the plane that they span."""
    if len(density) < _LEAST_PIXELS:
        return None
    variance, directions = np.linalg.eigh(_covariance(density))  # ascending
    if variance[1] < _LEAST_VARIANCE:
        return None
    plane = directions[:, 1:]
    # Angles count from the mean: no density is 90° away from it, and none wraps around.
    main = plane @ (plane.T @ density.mean(axis=0))
    main /= np.linalg.norm(main)
    beside = np.cross(directions[:, 0], main)
    angle = np.arctan2(_along(density, beside), _along(density, main))
    low, high = np.percentile(angle, [_TOLERANCE, 100 - _TOLERANCE])
    if high - low < _LEAST_ANGLE:
        return None
    extremes = [np.cos(a) * main + np.sin(a) * beside for a in (low, high)]
    others, nuclei = sorted(extremes, key=_violet)
    strongest = [
        float(np.percentile(_along(density, row), 100 - _TOLERANCE))
        for row in _unmixing(nuclei, others)
    ]
    if min(strongest) <= 0:
        return None
    return StainTarget(_triple(nuclei), _triple(others), (strongest[0], strongest[1]), light)


def _violet(stain: npt.NDArray[np.float64]) -> float:
    """How much more green than blue a stain absorbs."""
    return float(stain[1] - stain[2])


def _unmixing(nuclei: npt.ArrayLike, others: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """From densities in R, G, B to concentrations of the two stains, shape (2, 3)."""
    return np.asarray(np.linalg.pinv(np.array([nuclei, others]).T), np.float64)


def _covariance(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Covariance of three columns by numpy's own sums.

    A matrix product would do too, but the last digits of that depend on the number of threads.
    """
    centred = [column - column.mean() for column in values.T]
    return np.array([[(a * b).mean() for b in centred] for a in centred], np.float64)


def _along(
    values: npt.NDArray[np.float64], direction: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    x, y, z = direction
    return np.asarray(values[:, 0] * x + values[:, 1] * y + values[:, 2] * z, np.float64)


# --- both --------------------------------------------------------------------------------------


def _affine(
    values: Floats, matrix: npt.NDArray[np.float64], offset: npt.NDArray[np.float64]
) -> Floats:
    """``matrix @ value + offset`` for each pixel."""
    return _floats(cv2.transform(values, np.column_stack([matrix, offset])))


def _with_black_of(rgb: Image, black: npt.NDArray[np.bool_], moved: Floats) -> Image:
    whole = np.clip(np.rint(moved), 0, 255).astype(np.uint8)
    return np.asarray(cv2.copyTo(rgb, black.astype(np.uint8), whole), np.uint8)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, np.float32)


def _triple(values: npt.NDArray[np.floating]) -> Triple:
    first, second, third = (float(v) for v in values.reshape(3))
    return first, second, third
