"""The kinds of white cells: what tells one from another on a stained smear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sample_smear import stain
from sample_smear.noise import Field
from sample_smear.nuclei import eccentric_nucleus, kidney_nucleus, lobed_nucleus
from sample_smear.shapes import Grid

NucleusShape = Callable[[np.random.Generator, Grid, float], Field]


@dataclass(frozen=True)
class Chromatin:
    """How a nucleus is stained: depth of colour, size and contrast of its clumps."""

    depth: float
    grain_um: float
    contrast: float
    nucleoli: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Granules:
    """Granules of the cytoplasm: colour, width, part of the area covered, strength."""

    colour: stain.Colour
    width_um: float
    density: float
    strength: float


@dataclass(frozen=True)
class WhiteCellKind:
    """Everything that tells one kind of white cell from another.

    Attributes:
        name: written into the truth.
        share: part of the white cells that are of this kind.
        width_rbc: smallest and largest width of the cell, in red-cell widths.
        ragged: unevenness of the outline, relative to its radius.
        nucleus: draws the signed distance of the nucleus.
        chromatin: how the nucleus is stained.
        cytoplasm: absorbance of the cytoplasm.
        mottle: unevenness of the cytoplasm's stain.
        granules: granules in the cytoplasm, if any.
        vacuoles: smallest and largest number of clear bubbles.
    """

    name: str
    share: float
    width_rbc: tuple[float, float]
    ragged: float
    nucleus: NucleusShape
    chromatin: Chromatin
    cytoplasm: stain.Colour
    mottle: float
    granules: Granules | None = None
    vacuoles: tuple[int, int] = (0, 0)


BLAST = WhiteCellKind(
    name="blast",
    share=0.35,
    width_rbc=(1.60, 2.10),
    ragged=0.024,
    nucleus=eccentric_nucleus(0.82, 0.92, dent=0.22),
    chromatin=Chromatin(depth=0.72, grain_um=0.42, contrast=0.26, nucleoli=(1, 3)),
    cytoplasm=stain.BASOPHILIC,
    mottle=0.18,
)
NEUTROPHIL = WhiteCellKind(
    name="neutrophil",
    share=0.25,
    width_rbc=(1.65, 1.95),
    ragged=0.020,
    nucleus=lobed_nucleus(3, 4),
    chromatin=Chromatin(depth=1.06, grain_um=0.62, contrast=0.30),
    cytoplasm=stain.PALE_PINK,
    mottle=0.16,
    granules=Granules(stain.LILAC_GRANULE, width_um=0.34, density=0.40, strength=0.42),
)
LYMPHOCYTE = WhiteCellKind(
    name="lymphocyte",
    share=0.25,
    width_rbc=(1.40, 1.60),
    ragged=0.022,
    nucleus=eccentric_nucleus(0.83, 0.92, dent=0.14),
    chromatin=Chromatin(depth=0.98, grain_um=0.75, contrast=0.26),
    cytoplasm=stain.SKY_BLUE,
    mottle=0.14,
)
MONOCYTE = WhiteCellKind(
    name="monocyte",
    share=0.10,
    width_rbc=(1.95, 2.20),
    ragged=0.035,
    nucleus=kidney_nucleus,
    chromatin=Chromatin(depth=0.76, grain_um=0.52, contrast=0.32),
    cytoplasm=stain.GREY_BLUE,
    mottle=0.20,
    granules=Granules(stain.LILAC_GRANULE, width_um=0.30, density=0.22, strength=0.22),
    vacuoles=(0, 5),
)
EOSINOPHIL = WhiteCellKind(
    name="eosinophil",
    share=0.05,
    width_rbc=(1.75, 2.00),
    ragged=0.022,
    nucleus=lobed_nucleus(2, 2),
    chromatin=Chromatin(depth=0.96, grain_um=0.65, contrast=0.28),
    cytoplasm=stain.PALE_PINK,
    mottle=0.10,
    granules=Granules(stain.EOSIN_GRANULE, width_um=0.66, density=1.0, strength=1.1),
)

KINDS = (BLAST, NEUTROPHIL, LYMPHOCYTE, MONOCYTE, EOSINOPHIL)


def kinds_for(rng: np.random.Generator, count: int) -> list[WhiteCellKind]:
    """Choose kinds for ``count`` cells in the stated shares, in random order."""
    position = (np.arange(count) + 0.5) / max(count, 1) * sum(kind.share for kind in KINDS)
    bounds = np.cumsum([kind.share for kind in KINDS])
    chosen = [KINDS[int(index)] for index in np.searchsorted(bounds, position)]
    return [chosen[int(index)] for index in rng.permutation(count)]
