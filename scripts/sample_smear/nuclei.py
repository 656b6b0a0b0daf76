"""Shapes of nuclei as signed distances on a cell's patch."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from sample_smear.noise import Field
from sample_smear.shapes import (
    Grid,
    arc_distance,
    capsule_distance,
    coverage,
    ellipse_distance,
    outline_distance,
    smooth_union,
    wavy_radii,
)


def eccentric_nucleus(
    smallest: float, largest: float, dent: float
) -> Callable[[np.random.Generator, Grid, float], Field]:
    """A round nucleus that fills most of the cell, off its middle and slightly dented.

    Args:
        smallest: least width of the nucleus, relative to the cell.
        largest: greatest width of the nucleus, relative to the cell.
        dent: depth of the dent, relative to the cell's radius.
    """

    def draw(rng: np.random.Generator, grid: Grid, cell_radius_px: float) -> Field:
        radius = cell_radius_px * float(rng.uniform(smallest, largest))
        towards = float(rng.uniform(0, 2 * np.pi))
        shift = float(rng.uniform(0.2, 0.9)) * (cell_radius_px - radius)
        centre = (shift * np.cos(towards), shift * np.sin(towards))
        bent = grid.warped(rng, 0.5 * cell_radius_px, 0.018 * cell_radius_px)
        local = bent.turned(towards, centre)
        radii = wavy_radii(rng, radius, {2: 0.045, 3: 0.025, 4: 0.012, 6: 0.006})
        edge = outline_distance(local, radii)
        depth = dent * cell_radius_px * float(rng.uniform(0, 1))
        notch = ellipse_distance(
            local.turned(0.0, (-radius - 0.05 * cell_radius_px, 0.0)),
            (0.30 * cell_radius_px, 0.22 * cell_radius_px),
        )
        return (edge + depth * coverage(notch, 0.30 * cell_radius_px)).astype(np.float32)

    return draw


def kidney_nucleus(rng: np.random.Generator, grid: Grid, cell_radius_px: float) -> Field:
    """A thick, bent nucleus, as in a monocyte."""
    r = cell_radius_px
    bent = grid.warped(rng, 0.6 * r, 0.045 * r)
    turned = bent.turned(float(rng.uniform(0, 2 * np.pi)), (0.0, 0.0))
    local = turned.turned(0.0, (-0.28 * r, 0.0))
    return arc_distance(
        local,
        arc_radius_px=float(rng.uniform(0.36, 0.44)) * r,
        half_angle=float(rng.uniform(1.15, 1.55)),
        thickness_px=float(rng.uniform(0.68, 0.84)) * r,
    )


def lobed_nucleus(fewest: int, most: int) -> Callable[[np.random.Generator, Grid, float], Field]:
    """Lobes on a bow, joined by thin bridges, as in granulocytes."""

    def draw(rng: np.random.Generator, grid: Grid, cell_radius_px: float) -> Field:
        r = cell_radius_px
        count = int(rng.integers(fewest, most + 1))
        bent = grid.warped(rng, 0.40 * r, 0.030 * r)
        size = r * (0.49 - 0.035 * count)
        middles = _bow(rng, count, r)
        edge = np.full(grid.shape_hw, np.float32(r))
        for middle in middles:
            axes = (size * float(rng.uniform(0.95, 1.2)), size * float(rng.uniform(0.70, 0.9)))
            across = float(np.arctan2(middle[1], middle[0])) + np.pi / 2 + float(rng.normal(0, 0.5))
            lobe = ellipse_distance(bent.turned(across, middle), axes)
            edge = smooth_union(edge, lobe, 0.05 * r)
        for start, end in itertools.pairwise(middles):
            bridge = capsule_distance(bent, start, end, float(rng.uniform(0.025, 0.06)) * r)
            edge = smooth_union(edge, bridge, 0.05 * r)
        return edge

    return draw


def _bow(rng: np.random.Generator, count: int, r: float) -> list[tuple[float, float]]:
    """Middles of the lobes: steps along a bow, its own middle near the cell's."""
    step = {2: 2.1, 3: 1.55, 4: 1.18}.get(count, 4.2 / count)
    start = float(rng.uniform(0, 2 * np.pi))
    angles = start + step * np.arange(count) + rng.normal(0, 0.10, size=count)
    distance = r * rng.uniform(0.46, 0.60, size=count)
    points = np.stack([distance * np.cos(angles), distance * np.sin(angles)], axis=1)
    points -= 0.55 * points.mean(axis=0)
    return [(float(x), float(y)) for x, y in points]
