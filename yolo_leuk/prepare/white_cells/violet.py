"""Nuclei by their colour: the violet part of a Romanowsky stain, in LAB, by K-means."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

Mask = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]

# Below this, the violet cluster is only the darker half of the red cells (levels of A − B).
LEAST_CONTRAST = 14


def two_means_threshold(values: npt.NDArray[np.uint8]) -> float:
    """Border between the two clusters of K-means (k = 2) on a channel, by its histogram."""
    low, high = two_means(histogram(values))
    return (low + high) / 2


def histogram(values: npt.NDArray[np.uint8], part: npt.NDArray[np.bool_] | None = None) -> Counts:
    """How often each value stands in a channel, or where ``part`` is true; int64, shape (256,)."""
    mask = None if part is None else part.view(np.uint8)
    counts = cv2.calcHist([values], [0], mask, [256], [0, 256])
    return np.asarray(counts, np.int64).reshape(-1)


def two_means(counts: Counts) -> tuple[float, float]:
    """Means of the two clusters of K-means (k = 2) on values from 0 to 255.

    Lloyd's iteration on 256 weighted points is exact and independent of the number of pixels. Both
    are the same where there is one value only.

    Args:
        counts: How often each value is there, not 0 for all; int64, shape (256,).
    """
    # Number and sum of all values up to each level.
    number, total = np.cumsum(counts).tolist(), np.cumsum(counts * np.arange(256)).tolist()
    present = np.flatnonzero(counts)
    low, high = float(present[0]), float(present[-1])
    for _ in range(100):
        level = int((low + high) / 2)
        below, above = number[level], number[-1] - number[level]
        if below == 0 or above == 0:
            break
        moved = total[level] / below, (total[-1] - total[level]) / above
        if moved == (low, high):
            break
        low, high = moved
    return low, high


def violet_mask(image: Image, px_per_rbc: float) -> Mask:
    """Nuclei and basophilic cytoplasm: 255 there, 0 elsewhere; shape (height, width).

    Empty where nothing in the picture is clearly more violet than its red cells.
    """
    lightness, a, b = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    # Violet is high in A and low in B; red cells and pink smudges are not low in B.
    violet = np.asarray(cv2.addWeighted(a, 1, b, -1, 128), np.uint8)
    violet = np.asarray(cv2.GaussianBlur(violet, (0, 0), 0.8), np.uint8)
    # Glass covers most of a picture and would be a cluster of its own beside all cells.
    stained = lightness < two_means_threshold(np.asarray(lightness, np.uint8))
    if not stained.any():
        return np.zeros(violet.shape, np.uint8)
    low, high = two_means(histogram(violet, stained))
    if high - low < LEAST_CONTRAST:
        return np.zeros(violet.shape, np.uint8)
    _, mask = cv2.threshold(violet, (low + high) / 2, 255, cv2.THRESH_BINARY)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(3))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc(5))
    return with_small_holes_filled(np.asarray(closed, np.uint8), (0.35 * px_per_rbc) ** 2)


def with_small_holes_filled(mask: Mask, largest_px: float) -> Mask:
    """Fill the pale centre of a nucleus, but not the glass that a ring of cells encloses."""
    count, parts = cv2.connectedComponents(cv2.bitwise_not(mask), connectivity=4)
    is_small = np.bincount(parts.reshape(-1), minlength=count) <= largest_px
    is_small[0] = False  # the mask itself
    return np.where(is_small[parts], np.uint8(255), mask) if is_small.any() else mask


def disc(diameter: int) -> Mask:
    """A round structuring element, uint8, shape (diameter, diameter)."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)
