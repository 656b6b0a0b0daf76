"""Nuclei by their colour: the violet part of a Romanowsky stain, in LAB, by K-means."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

Mask = npt.NDArray[np.uint8]

# Below this, the violet cluster is only the darker half of the red cells (levels of A − B).
_LEAST_CONTRAST = 14


def two_means_threshold(values: npt.NDArray[np.uint8]) -> float:
    """Border between the two clusters of K-means (k = 2) on a channel, by its histogram.

    Lloyd's iteration on 256 weighted points is exact and independent of the number of pixels.
    """
    counts = np.bincount(values.reshape(-1), minlength=256)
    # Number and sum of all values up to each level.
    number, total = np.cumsum(counts).tolist(), np.cumsum(counts * np.arange(256)).tolist()
    low, high = float(values.min()), float(values.max())
    for _ in range(100):
        level = int((low + high) / 2)
        below, above = number[level], number[-1] - number[level]
        if below == 0 or above == 0:
            break
        moved = total[level] / below, (total[-1] - total[level]) / above
        if moved == (low, high):
            break
        low, high = moved
    return (low + high) / 2


def violet_mask(image: Image, px_per_rbc: float) -> Mask:
    """Nuclei and basophilic cytoplasm: 255 there, 0 elsewhere; shape (height, width).

    Empty where nothing in the picture is clearly more violet than its red cells.
    """
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    # Violet is high in A and low in B; red cells and pink smudges are not low in B.
    violet = np.clip(lab[..., 1].astype(np.int16) - lab[..., 2] + 128, 0, 255).astype(np.uint8)
    violet = np.asarray(cv2.GaussianBlur(violet, (0, 0), 0.8), np.uint8)
    # Glass covers most of a picture and would be a cluster of its own beside all cells.
    stained = lab[..., 0] < two_means_threshold(lab[..., 0])
    if not stained.any():
        return np.zeros(violet.shape, np.uint8)
    border = two_means_threshold(violet[stained])
    above = violet[stained & (violet > border)]
    below = violet[stained & (violet <= border)]
    if above.size == 0 or above.mean() - below.mean() < _LEAST_CONTRAST:
        return np.zeros(violet.shape, np.uint8)
    mask = np.where(violet > border, 255, 0).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(3))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc(5))
    return with_small_holes_filled(np.asarray(closed, np.uint8), (0.35 * px_per_rbc) ** 2)


def with_small_holes_filled(mask: Mask, largest_px: float) -> Mask:
    """Fill the pale centre of a nucleus, but not the glass that a ring of cells encloses."""
    filled = mask.copy()
    _, parts, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(mask), connectivity=4)
    for part in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] <= largest_px):
        if part > 0:
            x, y, width, height = stats[part, : cv2.CC_STAT_AREA]
            window = np.s_[y : y + height, x : x + width]
            filled[window][parts[window] == part] = 255
    return filled


def disc(diameter: int) -> Mask:
    """A round structuring element, uint8, shape (diameter, diameter)."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)
