"""Eleven numbers that hold a picture's colour and nothing of what it shows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats

COLOUR_NUMBERS = 11


def colour_numbers(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Median colour of the brightest and of the darkest tenth, and five percentiles of brightness.

    Args:
        pixels: RGB, shape (n, 3), in any order.

    Returns:
        float32, shape (11,): RGB of the brightest, RGB of the darkest, brightness at 5, 25, 50, 75
        and 95 %. Zeros where there is no pixel.
    """
    if not len(pixels):
        return np.zeros(COLOUR_NUMBERS, np.float32)
    brightness = pixels.astype(np.float32) @ np.full(3, 1 / 3, np.float32)
    dark, bright = np.quantile(brightness, [0.1, 0.9])
    numbers = [
        np.median(pixels[brightness >= bright], axis=0),
        np.median(pixels[brightness <= dark], axis=0),
        np.quantile(brightness, [0.05, 0.25, 0.5, 0.75, 0.95]),
    ]
    return np.concatenate(numbers).astype(np.float32)
