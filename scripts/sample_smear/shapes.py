"""Signed distances of the shapes that cells and nuclei are built from.

A signed distance is in pixels, negative inside. Union is the (smooth) minimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_smear.noise import Field, fractal_noise

ANGLES = 180
"""Number of directions in which an outline's radius is stored."""


@dataclass(frozen=True)
class Grid:
    """Pixel coordinates of a square patch, (0, 0) in its middle."""

    x: Field
    y: Field

    @property
    def shape_hw(self) -> tuple[int, int]:
        """Size of the patch in pixels; both odd."""
        return self.x.shape[0], self.x.shape[1]

    @classmethod
    def around(cls, reach_px: float) -> Grid:
        """The patch that holds everything within ``reach_px`` of the middle."""
        half = int(np.ceil(reach_px))
        y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
        return cls(x, y)

    def warped(self, rng: np.random.Generator, grain_px: float, amount_px: float) -> Grid:
        """The same patch with its coordinates bent by smooth noise."""
        dx = fractal_noise(rng, self.shape_hw, grain_px, octaves=2) * np.float32(amount_px)
        dy = fractal_noise(rng, self.shape_hw, grain_px, octaves=2) * np.float32(amount_px)
        return Grid(self.x + dx, self.y + dy)

    def turned(self, angle: float, centre_xy: tuple[float, float] = (0.0, 0.0)) -> Grid:
        """Coordinates in a frame at ``centre_xy`` that is turned by ``angle`` radians."""
        x, y = self.x - np.float32(centre_xy[0]), self.y - np.float32(centre_xy[1])
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return Grid(x * cos + y * sin, y * cos - x * sin)


def wavy_radii(
    rng: np.random.Generator, radius_px: float, waves: dict[int, float]
) -> npt.NDArray[np.float32]:
    """Radii of a closed, nearly round outline.

    Args:
        rng: source of randomness; advanced.
        radius_px: mean radius.
        waves: amplitude, relative to the radius, by number of waves around the outline.

    Returns:
        (ANGLES,) float32, the radius in px at equal steps of angle from 0.
    """
    angle = np.linspace(0.0, 2.0 * np.pi, ANGLES, endpoint=False)
    relative = np.ones(ANGLES)
    for count, amplitude in waves.items():
        relative += amplitude * rng.normal() * np.cos(count * angle + rng.uniform(0, 2 * np.pi))
    return (radius_px * relative).astype(np.float32)


def radius_field(grid: Grid, radii: npt.NDArray[np.float32]) -> tuple[Field, Field]:
    """Distance of each pixel from the middle, and the outline's radius in its direction."""
    distance = np.hypot(grid.x, grid.y)
    angle = np.mod(np.arctan2(grid.y, grid.x), np.float32(2 * np.pi))
    steps = np.arange(ANGLES + 1) * (2 * np.pi / ANGLES)
    outline = np.interp(angle, steps, np.append(radii, radii[0]))
    return distance, outline.astype(np.float32)


def outline_distance(grid: Grid, radii: npt.NDArray[np.float32]) -> Field:
    """Signed distance, measured along the ray from the middle."""
    distance, outline = radius_field(grid, radii)
    return distance - outline


def ellipse_distance(grid: Grid, semi_axes_px: tuple[float, float]) -> Field:
    """First-order signed distance of an ellipse along the axes of ``grid``."""
    a, b = (np.float32(axis) for axis in semi_axes_px)
    scaled = np.hypot(grid.x / a, grid.y / b)
    gradient = np.hypot(grid.x / (a * a), grid.y / (b * b))
    return np.where(
        gradient > 1e-6, scaled * (scaled - 1) / np.maximum(gradient, 1e-6), -min(a, b)
    ).astype(np.float32)


def capsule_distance(
    grid: Grid, start_xy: tuple[float, float], end_xy: tuple[float, float], radius_px: float
) -> Field:
    """Signed distance of a straight line of thickness ``2 * radius_px`` with round ends."""
    start, along = np.asarray(start_xy, np.float32), np.subtract(end_xy, start_xy)
    length_squared = max(float(along @ along), 1e-6)
    px, py = grid.x - start[0], grid.y - start[1]
    share = np.clip((px * along[0] + py * along[1]) / length_squared, 0.0, 1.0)
    spine = np.hypot(px - share * along[0], py - share * along[1])
    return np.asarray(spine - radius_px, np.float32)


def arc_distance(grid: Grid, arc_radius_px: float, half_angle: float, thickness_px: float) -> Field:
    """Signed distance of a thick arc about the middle, open towards negative x."""
    x, y = grid.x, np.abs(grid.y)
    tip = (arc_radius_px * np.cos(half_angle), arc_radius_px * np.sin(half_angle))
    beside_arc = np.arctan2(y, x) <= half_angle
    spine = np.where(
        beside_arc, np.abs(np.hypot(x, y) - arc_radius_px), np.hypot(x - tip[0], y - tip[1])
    )
    return (spine - thickness_px / 2).astype(np.float32)


def smooth_union(first: Field, second: Field, blend_px: float) -> Field:
    """Union whose inner corners are rounded over ``blend_px`` (polynomial smooth minimum)."""
    overlap = np.maximum(blend_px - np.abs(first - second), 0.0) / blend_px
    return np.asarray(np.minimum(first, second) - overlap * overlap * blend_px / 4, np.float32)


def coverage(distance: Field, softness_px: float) -> Field:
    """Turn a signed distance into 0 (outside) … 1 (inside) over an edge of at least a pixel."""
    share = np.clip(0.5 - distance / (2 * max(softness_px, 0.5)), 0.0, 1.0)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def band(distance: Field, at_px: float, width_px: float) -> Field:
    """1 on the line at signed distance ``at_px``, falling off like a bell on both sides."""
    return np.asarray(np.exp(-np.square((distance - at_px) / width_px)), np.float32)
