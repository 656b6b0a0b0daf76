"""A drawn background for composed fields: glass under uneven light, and red cells.

It is kept plain: it shall look like a smear at a glance and give no class away. Stains follow Beer
and Lambert: densities add up, and the light that passes is the glass's times exp(−density).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# How much light haemoglobin takes, natural log, in R, G, B.
_HAEMOGLOBIN = np.array([0.20, 0.36, 0.26], np.float32)

# Width of a red cell against the mean, how far it is from round, and how far one may lie over
# another, in its widths.
_WIDTH = (0.88, 1.12)
_OVAL = 0.08
_OVERLAP = 0.15

# Part of the thinner one that is lost where two red cells cross: they flatten there.
_FLATTENED = np.float32(0.5)

_TRIES_PER_RED_CELL = 30


def draw_background(
    taken: npt.NDArray[np.bool_],
    glass_rgb: tuple[int, int, int],
    px_per_rbc: float,
    red_cells: int,
    generator: np.random.Generator,
) -> Floats:
    """Glass with red cells beside what is taken.

    Args:
        taken: Where other cells will lie, shape (height, width).
        glass_rgb: Light that passes the glass, give or take two percent per channel.
        px_per_rbc: Mean width of a red cell.
        red_cells: So many are drawn, or as many as find room.
        generator: Draws everything.

    Returns:
        float32 in 0–255, shape (height, width, 3).
    """
    density = np.zeros(taken.shape, np.float32)
    for x, y, radius in _red_cell_places(taken, px_per_rbc, red_cells, generator):
        _add_red_cell(density, (x, y), radius, generator)
    film = 0.02 * _clouds(taken.shape, generator)
    glass = np.array(glass_rgb, np.float32) * generator.normal(1, 0.02, 3).astype(np.float32)
    return np.asarray(glass * np.exp(-(density + film)[..., None] * _HAEMOGLOBIN), np.float32)


def uneven_light(shape_hw: tuple[int, int], generator: np.random.Generator) -> Floats:
    """Relative brightness around 1: a lamp off the centre that falls off to the corners."""
    height, width = shape_hw
    centre_x, centre_y = generator.uniform(0.35, 0.65, 2)
    x = np.arange(width, dtype=np.float32) / width - np.float32(centre_x)
    y = np.arange(height, dtype=np.float32) / height - np.float32(centre_y)
    falloff = generator.uniform(0.04, 0.16)
    squared = x[None, :] ** 2 + y[:, None] ** 2
    return np.asarray(1 + falloff * (0.15 - squared), np.float32)


def _red_cell_places(
    taken: npt.NDArray[np.bool_], px_per_rbc: float, count: int, generator: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Centre and radius of each red cell; they may reach over the edge of the field."""
    height, width = taken.shape
    room = cv2.distanceTransform((~taken).astype(np.uint8), cv2.DIST_L2, 5)
    places = np.zeros((0, 3))
    for _ in range(count * _TRIES_PER_RED_CELL):
        if len(places) == count:
            break
        radius = px_per_rbc / 2 * generator.uniform(*_WIDTH)
        x = generator.uniform(-radius, width + radius)
        y = generator.uniform(-radius, height + radius)
        inside = room[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))]
        apart = np.hypot(places[:, 0] - x, places[:, 1] - y)
        if inside > radius and (apart > (places[:, 2] + radius) * (1 - _OVERLAP)).all():
            places = np.vstack([places, [x, y, radius]])
    return [(float(x), float(y), float(radius)) for x, y, radius in places]


def _add_red_cell(
    density: Floats, centre_xy: tuple[float, float], radius: float, generator: np.random.Generator
) -> None:
    """Add a disc, thin in its middle, to ``density`` in place."""
    x, y = centre_xy
    reach = int(np.ceil(radius * (1 + _OVAL))) + 2
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    part = density[top : max(0, int(y) + reach + 1), left : max(0, int(x) + reach + 1)]
    dx = np.arange(part.shape[1], dtype=np.float32)[None, :] + np.float32(left + 0.5 - x)
    dy = np.arange(part.shape[0], dtype=np.float32)[:, None] + np.float32(top + 0.5 - y)
    angle, oval = generator.uniform(0, np.pi), 1 + generator.uniform(0, _OVAL)
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = dy * np.cos(angle) - dx * np.sin(angle)
    from_centre = np.hypot(along / oval, across * oval) / radius
    pallor = generator.uniform(0.3, 0.8) * np.exp(-((from_centre / 0.5) ** 2.5))
    softness = max(1.0, 0.05 * radius) / radius
    cover = np.clip((1 - from_centre) / softness + 0.5, 0, 1)
    amount = (generator.uniform(0.85, 1.15) * cover * (1 - pallor)).astype(np.float32)
    part += amount - _FLATTENED * np.minimum(part, amount)


def _clouds(shape_hw: tuple[int, int], generator: np.random.Generator) -> Floats:
    """Smooth noise of mean 1: a film of dried plasma."""
    lattice = generator.normal(1, 0.5, (6, 6)).astype(np.float32)
    size_wh = (shape_hw[1], shape_hw[0])
    return np.asarray(cv2.resize(lattice, size_wh, interpolation=cv2.INTER_CUBIC), np.float32)
