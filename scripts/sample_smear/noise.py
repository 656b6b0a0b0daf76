"""Smooth random fields: the raw material of chromatin, cytoplasm and uneven light."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]


def fractal_noise(
    rng: np.random.Generator, shape_hw: tuple[int, int], grain_px: float, octaves: int = 3
) -> Field:
    """Sum octaves of smooth value noise, each half as coarse and 0.6 times as strong.

    Args:
        rng: source of randomness; advanced.
        shape_hw: size of the field in pixels.
        grain_px: distance between the lattice points of the coarsest octave.
        octaves: how many octaves to sum; those finer than a pixel are left out.

    Returns:
        HxW float32, zero mean and unit standard deviation.
    """
    total = np.zeros(shape_hw, np.float32)
    for octave in range(octaves):
        grain = grain_px / 2**octave
        if octave > 0 and grain < 1.0:
            break
        total += np.float32(0.6**octave) * _value_noise(rng, shape_hw, max(grain, 1.0))
    centred = total - total.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-6), np.float32)


def ridged_noise(
    rng: np.random.Generator, shape_hw: tuple[int, int], grain_px: float, octaves: int = 2
) -> Field:
    """Fold noise at zero into a net of narrow ridges, as in condensed chromatin.

    Returns:
        HxW float32 in (-inf, 1]; 1 on a ridge, about 0.2 on average.
    """
    folded = 1.0 - np.abs(fractal_noise(rng, shape_hw, grain_px, octaves))
    return folded.astype(np.float32)


def speckles(
    rng: np.random.Generator, shape_hw: tuple[int, int], spacing_px: float, share: float
) -> Field:
    """Strew single bright pixels, one at a random spot in each cell of a square lattice.

    Args:
        rng: source of randomness; advanced.
        shape_hw: size of the field in pixels.
        spacing_px: width of the lattice cells.
        share: part of the lattice cells that hold a speckle.

    Returns:
        HxW float32; 0, or 0.5 to 1 where a speckle lies.
    """
    height, width = shape_hw
    y, x = np.mgrid[0 : height / spacing_px, 0 : width / spacing_px].reshape(2, -1)
    kept = rng.random(y.size) < share
    rows = ((y + rng.uniform(0.1, 0.9, y.size)) * spacing_px).astype(int)
    columns = ((x + rng.uniform(0.1, 0.9, x.size)) * spacing_px).astype(int)
    kept &= (rows < height) & (columns < width)
    field = np.zeros(shape_hw, np.float32)
    field[rows[kept], columns[kept]] = rng.uniform(0.5, 1.0, int(kept.sum()))
    return field


def _value_noise(rng: np.random.Generator, shape_hw: tuple[int, int], grain_px: float) -> Field:
    """Enlarge a random lattice with a cubic kernel and shift it by part of a cell."""
    height, width = shape_hw
    rows = math.ceil(height / grain_px) + 4
    columns = math.ceil(width / grain_px) + 4
    lattice = rng.standard_normal((rows, columns), dtype=np.float32)
    size_wh = (math.ceil(columns * grain_px), math.ceil(rows * grain_px))
    enlarged = cv2.resize(lattice, size_wh, interpolation=cv2.INTER_CUBIC)
    top, left = (int(offset) for offset in rng.uniform(0.5, 2.0, size=2) * grain_px)
    return np.asarray(enlarged[top : top + height, left : left + width], np.float32)
