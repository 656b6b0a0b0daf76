"""What a microscope and its camera make of a slide."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sample_smear import stain
from sample_smear.noise import Field, fractal_noise


def photograph(
    rng: np.random.Generator, absorbance: npt.NDArray[np.float32], px_per_rbc: float
) -> npt.NDArray[np.uint8]:
    """Light a slide unevenly, blur it slightly and read it out with noise.

    Args:
        rng: source of randomness; advanced.
        absorbance: HxWx3 float32, natural log, in R, G, B.
        px_per_rbc: width of a red cell, which sets the optical blur.

    Returns:
        HxWx3 uint8, RGB.
    """
    shape_hw = absorbance.shape[:2]
    tint = np.float32(rng.uniform(0.0, 0.7))
    background = (1 - tint) * stain.CREAM_RGB + tint * stain.GREYISH_RGB
    light = background * illumination(rng, (shape_hw[0], shape_hw[1]))[..., None]
    seen = _defocused(rng, light * np.exp(-absorbance), px_per_rbc)
    return _read_out(rng, _sharpened(seen, px_per_rbc))


def illumination(rng: np.random.Generator, shape_hw: tuple[int, int]) -> Field:
    """Relative brightness: an off-centre lamp that falls off towards the corners."""
    height, width = shape_hw
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre_x, centre_y = rng.uniform(0.38, 0.62, size=2)
    reach = np.hypot(width, height) / 2
    squared = ((x - centre_x * width) ** 2 + (y - centre_y * height) ** 2) / reach**2
    waves = fractal_noise(rng, shape_hw, max(shape_hw) / 3, octaves=1)
    return np.asarray(1.0 - 0.10 * squared + 0.006 * waves, np.float32)


def _defocused(
    rng: np.random.Generator, picture: npt.NDArray[np.float32], px_per_rbc: float
) -> npt.NDArray[np.float32]:
    """Blur that drifts across the field: a smear is not quite flat."""
    sharp = cv2.GaussianBlur(picture, (0, 0), 0.008 * px_per_rbc)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.018 * px_per_rbc)
    shape_hw = (picture.shape[0], picture.shape[1])
    drift = fractal_noise(rng, shape_hw, max(shape_hw) / 2.5, octaves=1)
    share = np.clip(0.30 + 0.22 * drift, 0.0, 0.8)[..., None]
    return np.asarray(sharp * (1 - share) + soft * share, np.float32)


def _sharpened(picture: npt.NDArray[np.float32], px_per_rbc: float) -> npt.NDArray[np.float32]:
    """The mild unsharp mask that cameras apply; it gives edges their bright line."""
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.030 * px_per_rbc)
    return np.asarray(picture + 0.35 * (picture - blurred), np.float32)


def _read_out(rng: np.random.Generator, picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Shot noise, partly smeared between pixels by demosaicing, then 8 bits."""
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    grain = 0.55 * grain + 0.9 * cv2.GaussianBlur(grain, (0, 0), 0.9)
    noisy = picture + grain * np.sqrt(np.maximum(picture, 4.0)) * np.float32(0.11)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
