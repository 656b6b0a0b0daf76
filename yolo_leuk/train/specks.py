"""Specks on red cells: what a detector must not take for a nucleus.

Parasites, refractile spots of drying and platelets that lie on a red cell are dark or bright and as
sharply bounded as a nucleus, but a tenth to a third of a red cell wide. Few pictures of a data set
show them; a slide that was dried badly shows them on every other cell.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

# How many of a picture's red cells get specks.
_SHARE_OF_CELLS = 0.4
_MOST_SPECKS = 3

# Radius of a speck in widths of its cell, and how far off the centre it may lie.
_RADIUS = (0.05, 0.16)
_OFF_CENTRE = 0.25

# Violet of chromatin and granules; the light that a refractile spot gathers.
_DARK = np.array([105, 70, 140], np.float32)
_BRIGHT = np.array([245, 235, 240], np.float32)


def with_specks(
    rgb: Image, red_xyxy: npt.NDArray[np.float32], generator: np.random.Generator
) -> Image:
    """A copy of a picture with specks on some of its red cells.

    Args:
        rgb: The picture.
        red_xyxy: Boxes of its red cells in pixels, shape (n, 4).
        generator: Chooses the cells and draws the specks.
    """
    speckled = rgb.copy()
    for box in red_xyxy[generator.random(len(red_xyxy)) < _SHARE_OF_CELLS]:
        for _ in range(int(generator.integers(1, _MOST_SPECKS + 1))):
            _draw(speckled, box, generator)
    return speckled


def _draw(rgb: Image, box: npt.NDArray[np.float32], generator: np.random.Generator) -> None:
    """One speck, in place: dark all through, or bright with a dark rim."""
    x1, y1, x2, y2 = (float(v) for v in box)
    width = float(np.sqrt((x2 - x1) * (y2 - y1)))
    radius = width * generator.uniform(*_RADIUS)
    centre_x = (x1 + x2) / 2 + width * generator.uniform(-_OFF_CENTRE, _OFF_CENTRE)
    centre_y = (y1 + y2) / 2 + width * generator.uniform(-_OFF_CENTRE, _OFF_CENTRE)
    reach = int(np.ceil(2 * radius)) + 2
    left, top = max(0, round(centre_x) - reach), max(0, round(centre_y) - reach)
    patch = rgb[top : round(centre_y) + reach + 1, left : round(centre_x) + reach + 1]
    if patch.size == 0:
        return
    dy = np.arange(patch.shape[0], dtype=np.float32)[:, None] + top - centre_y
    dx = np.arange(patch.shape[1], dtype=np.float32)[None, :] + left - centre_x
    distance = _oblong(dx, dy, generator) - radius
    softness = max(0.7, 0.25 * radius)
    strength = generator.uniform(0.5, 1.0)
    inside = strength / (1 + np.exp(np.clip(distance / softness * 3, -30, 30)))
    mixed = patch + inside[..., None] * (_DARK - patch)
    if generator.random() < 0.5:
        core = strength / (1 + np.exp(np.clip((distance + 0.5 * radius) / softness * 3, -30, 30)))
        mixed += core[..., None] * (_BRIGHT - mixed)
    patch[:] = np.rint(mixed).astype(np.uint8)


def _oblong(
    dx: npt.NDArray[np.float32], dy: npt.NDArray[np.float32], generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Distance from the centre, longer across than along a random direction."""
    angle, squeeze = generator.uniform(0, np.pi), generator.uniform(1.0, 1.8)
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = dy * np.cos(angle) - dx * np.sin(angle)
    return np.asarray(np.hypot(along, squeeze * across), np.float32)
