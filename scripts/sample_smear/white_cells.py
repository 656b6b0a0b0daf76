"""White cells: a nucleus with chromatin in a stained cytoplasm."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sample_smear import stain
from sample_smear.noise import Field, fractal_noise, ridged_noise, speckles
from sample_smear.shapes import Grid, band, coverage, outline_distance, wavy_radii
from sample_smear.slide import Patch
from sample_smear.white_kinds import Chromatin, Granules, WhiteCellKind


def draw_white_cell(
    rng: np.random.Generator, kind: WhiteCellKind, radius_px: float, px_per_um: float
) -> Patch:
    """Draw one white cell of ``kind`` with the given radius."""
    waves = {2: 2.0 * kind.ragged, 3: kind.ragged, 4: 0.7 * kind.ragged, 6: 0.4 * kind.ragged}
    radii = wavy_radii(rng, radius_px, waves)
    grid = Grid.around(1.15 * float(radii.max()) + 6)
    bent = grid.warped(rng, 0.45 * radius_px, kind.ragged * 0.7 * radius_px)
    cell_edge = outline_distance(bent, radii)
    nucleus_edge = np.maximum(kind.nucleus(rng, grid, radius_px), cell_edge + 0.15 * px_per_um)
    cover = coverage(cell_edge, 0.20 * px_per_um)
    in_nucleus = coverage(nucleus_edge, 0.16 * px_per_um)[..., None]
    cytoplasm = _draw_cytoplasm(rng, kind, grid, cell_edge, nucleus_edge, px_per_um=px_per_um)
    nucleus = _draw_nucleus(rng, kind.chromatin, grid, nucleus_edge, px_per_um)
    absorbance = cover[..., None] * (cytoplasm * (1 - in_nucleus) + nucleus * in_nucleus)
    absorbance *= rng.normal(1.0, 0.04) * rng.normal(1.0, 0.025, size=3).astype(np.float32)
    halo = 0.02 * band(cell_edge, 0.45 * px_per_um, 0.30 * px_per_um)
    return Patch((absorbance - halo[..., None]).astype(np.float32), cover)


def _draw_nucleus(
    rng: np.random.Generator, chromatin: Chromatin, grid: Grid, edge: Field, px_per_um: float
) -> npt.NDArray[np.float32]:
    """Chromatin: clumps and a net of strands, a dense membrane, pale nucleoli."""
    grain_px = chromatin.grain_um * px_per_um
    clumps = fractal_noise(rng, grid.shape_hw, 2.2 * grain_px, octaves=3)
    strands = ridged_noise(rng, grid.shape_hw, 1.5 * grain_px)
    unevenness = fractal_noise(rng, grid.shape_hw, 3.0 * px_per_um, octaves=2)
    amount = chromatin.depth * (
        1
        + chromatin.contrast * (0.8 * clumps + 0.9 * (strands - 0.2))
        + 0.05 * unevenness
        + 0.16 * band(edge, -0.25 * px_per_um, 0.28 * px_per_um)
    )
    amount = np.clip(amount, 0.35 * chromatin.depth, 1.6)
    absorbance = amount[..., None] * stain.CHROMATIN
    for _ in range(int(rng.integers(chromatin.nucleoli[0], chromatin.nucleoli[1] + 1))):
        absorbance = _with_nucleolus(rng, absorbance, grid, edge, px_per_um)
    return np.asarray(absorbance, np.float32)


def _with_nucleolus(
    rng: np.random.Generator,
    absorbance: npt.NDArray[np.float32],
    grid: Grid,
    edge: Field,
    px_per_um: float,
) -> npt.NDArray[np.float32]:
    """Add one nucleolus: a paler, bluer spot in a condensed ring."""
    deep = np.argwhere(edge < -1.8 * px_per_um)
    if len(deep) == 0:
        return absorbance
    row, column = deep[int(rng.integers(len(deep)))]
    centre = (float(grid.x[row, column]), float(grid.y[row, column]))
    radii = wavy_radii(rng, float(rng.uniform(0.7, 1.15)) * px_per_um, {2: 0.12, 3: 0.06})
    spot_edge = outline_distance(grid.turned(0.0, centre), radii)
    spot = float(rng.uniform(0.45, 0.75)) * coverage(spot_edge, 0.45 * px_per_um)[..., None]
    ring = 0.16 * band(spot_edge, 0.20 * px_per_um, 0.25 * px_per_um)[..., None]
    mixed = absorbance * (1 - spot) + spot * stain.NUCLEOLUS + ring * stain.CHROMATIN
    return np.asarray(mixed, np.float32)


def _draw_cytoplasm(
    rng: np.random.Generator,
    kind: WhiteCellKind,
    grid: Grid,
    cell_edge: Field,
    nucleus_edge: Field,
    *,
    px_per_um: float,
) -> npt.NDArray[np.float32]:
    """Mottled cytoplasm: deeper towards the membrane, paler beside the nucleus."""
    mottle = fractal_noise(rng, grid.shape_hw, 1.0 * px_per_um, octaves=3)
    amount = float(rng.uniform(0.85, 1.15)) * (
        1
        + kind.mottle * mottle
        + 0.30 * band(cell_edge, -0.30 * px_per_um, 0.40 * px_per_um)
        - 0.18 * band(nucleus_edge, 0.30 * px_per_um, 0.45 * px_per_um)
    )
    absorbance = np.clip(amount, 0.2, 2.0)[..., None] * kind.cytoplasm
    if kind.granules is not None:
        absorbance = absorbance + _draw_granules(rng, kind.granules, grid, px_per_um)
    for _ in range(int(rng.integers(kind.vacuoles[0], kind.vacuoles[1] + 1))):
        absorbance = absorbance * (1 - _draw_vacuole(rng, grid, cell_edge, px_per_um)[..., None])
    return np.asarray(absorbance, np.float32)


def _draw_granules(
    rng: np.random.Generator, granules: Granules, grid: Grid, px_per_um: float
) -> npt.NDArray[np.float32]:
    """Round grains of one width, strewn over the whole patch."""
    width_px = granules.width_um * px_per_um
    grains = speckles(rng, grid.shape_hw, 1.15 * width_px, granules.density)
    rounded = cv2.GaussianBlur(grains, (0, 0), max(0.38 * width_px, 0.5))
    peak = max(float(np.quantile(rounded, 0.98)), 1e-6)
    amount = granules.strength * np.clip(rounded / peak, 0.0, 1.2)
    return np.asarray(amount[..., None] * granules.colour, np.float32)


def _draw_vacuole(
    rng: np.random.Generator, grid: Grid, cell_edge: Field, px_per_um: float
) -> Field:
    """A clear bubble somewhere in the cell; 0…1, how much stain it takes away."""
    inside = np.argwhere(cell_edge < -1.0 * px_per_um)
    row, column = inside[int(rng.integers(len(inside)))]
    centre = (float(grid.x[row, column]), float(grid.y[row, column]))
    radii = wavy_radii(rng, float(rng.uniform(0.3, 0.6)) * px_per_um, {2: 0.1})
    edge = outline_distance(grid.turned(0.0, centre), radii)
    return (0.65 * coverage(edge, 0.25 * px_per_um)).astype(np.float32)
