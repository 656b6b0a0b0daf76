"""Platelets: small lilac bodies with purple granules."""

from __future__ import annotations

import numpy as np

from sample_smear import stain
from sample_smear.noise import fractal_noise
from sample_smear.shapes import Grid, coverage, outline_distance, wavy_radii
from sample_smear.slide import Patch

WAVES = {2: 0.12, 3: 0.07, 4: 0.05, 5: 0.03}


def draw_platelet(rng: np.random.Generator, radius_px: float) -> Patch:
    """Draw one platelet of about ``radius_px``."""
    radii = np.clip(wavy_radii(rng, radius_px, WAVES), 0.6 * radius_px, 1.5 * radius_px)
    grid = Grid.around(1.6 * radius_px + 4)
    bent = grid.warped(rng, grain_px=radius_px * 0.5, amount_px=radius_px * 0.07)
    edge = outline_distance(bent, radii)
    cover = coverage(edge, 0.16 * radius_px)
    grain = fractal_noise(rng, grid.shape_hw, max(radius_px * 0.42, 2.0), octaves=2)
    core = coverage(edge + 0.30 * radius_px, 0.30 * radius_px)
    granules = core * np.clip(0.55 + 0.75 * grain, 0.0, 1.6)
    strength = float(rng.uniform(0.75, 1.15))
    body = cover * (1 + 0.15 * grain)
    absorbance = strength * (
        body[..., None] * stain.PLATELET_BODY + granules[..., None] * stain.PLATELET_GRANULE
    )
    return Patch(absorbance.astype(np.float32), cover)
