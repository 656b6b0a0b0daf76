"""Red cells: translucent discs with a central pallor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sample_smear import stain
from sample_smear.layout import Disc
from sample_smear.noise import fractal_noise
from sample_smear.shapes import ANGLES, Grid, band, coverage, radius_field, wavy_radii
from sample_smear.slide import Patch

WAVES = {2: 0.055, 3: 0.022, 4: 0.014, 5: 0.009, 7: 0.005}


def draw_red_cell(rng: np.random.Generator, disc: Disc, pressing: list[Disc]) -> Patch:
    """Draw one red cell.

    Args:
        rng: source of randomness; advanced.
        disc: where the cell lies and how large it is.
        pressing: white cells near it, which mould its outline.

    Returns:
        The patch, centred on the disc.
    """
    radii = moulded(wavy_radii(rng, disc.radius, WAVES), disc, pressing)
    grid = Grid.around(float(radii.max()) + 6)
    distance, outline = radius_field(grid, radii)
    edge = distance - outline
    softness = 0.045 * disc.radius
    cover = coverage(edge, softness)
    depth = _thickness(rng, np.asarray(distance / np.maximum(outline, 1.0), np.float32))
    depth *= 1 + 0.025 * fractal_noise(rng, grid.shape_hw, disc.radius * 0.5)
    rim = 0.10 * band(edge, -1.6 * softness, 1.2 * softness)
    halo = 0.07 * band(edge, 2.4 * softness, 1.4 * softness)
    amount = float(rng.normal(1.0, 0.10)) * (cover * (depth + rim) - halo)
    hue = stain.HAEMOGLOBIN * rng.normal(1.0, 0.025, size=3).astype(np.float32)
    return Patch((amount[..., None] * hue).astype(np.float32), cover)


def moulded(
    radii: npt.NDArray[np.float32], disc: Disc, pressing: list[Disc]
) -> npt.NDArray[np.float32]:
    """Draw an outline in where a neighbour is in the way, leaving a narrow gap."""
    angle = np.linspace(0.0, 2.0 * np.pi, ANGLES, endpoint=False)
    limited = radii.astype(np.float64)
    for other in pressing:
        dx, dy = other.x - disc.x, other.y - disc.y
        reach = other.radius + 0.05 * disc.radius
        along = dx * np.cos(angle) + dy * np.sin(angle)
        inside = along**2 - (dx * dx + dy * dy - reach**2)
        hits = (inside > 0) & (along > 0)
        room = np.where(hits, along - np.sqrt(np.maximum(inside, 0.0)), np.inf)
        limited = np.minimum(limited, np.maximum(room, 0.25 * disc.radius))
    return _smoothed(limited, steps=5).astype(np.float32)


def _smoothed(radii: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    """Running mean around the outline: a membrane makes no corners."""
    shifted = [np.roll(radii, shift) for shift in range(-steps, steps + 1)]
    return np.asarray(np.mean(shifted, axis=0), np.float64)


def _thickness(
    rng: np.random.Generator, relative: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Thickness by distance from the middle (0) to the edge (1): thin in the middle."""
    pallor = float(np.clip(rng.normal(0.66, 0.19), 0.05, 0.95))
    width = float(rng.uniform(0.36, 0.62))
    steepness = float(rng.uniform(1.9, 3.8))
    dimple = pallor * np.exp(-((relative / width) ** steepness))
    shoulder = 1.0 - 0.22 * np.clip(relative - 0.72, 0.0, 0.4) / 0.28
    return np.asarray((1.0 - dimple) * shoulder, np.float32)
