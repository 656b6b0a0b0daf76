"""Where the cells lie: white ones apart, red ones around them, platelets in the gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

RED_SPREAD = 0.07
"""Standard deviation of red-cell width, relative to its mean."""

BESIDE_SHARE = 0.25
"""Part of the white cells that lie next to another one."""

TRIES = 2000
"""Random places tried for one white cell before the frame counts as full."""


@dataclass(frozen=True)
class Disc:
    """A round place on the slide, in pixels."""

    x: float
    y: float
    radius: float

    @property
    def pixel(self) -> tuple[int, int]:
        """The pixel nearest to its middle, x and y."""
        return round(self.x), round(self.y)

    def gap(self, other: Disc) -> float:
        """Distance between the two edges; negative where the discs overlap."""
        return math.hypot(self.x - other.x, self.y - other.y) - self.radius - other.radius


def place_white(
    rng: np.random.Generator, size_wh: tuple[int, int], px_per_rbc: float, radii: list[float]
) -> list[Disc]:
    """Place white cells wholly inside the frame, a quarter of them next to another one.

    Raises:
        ValueError: the frame has no room for that many.
    """
    placed: list[Disc] = []
    for radius in radii:
        alone = not placed or rng.random() >= BESIDE_SHARE
        disc = None if alone else _place_beside(rng, size_wh, radius, placed)
        if disc is None:
            disc = _place_alone(rng, size_wh, radius, placed, clearance=0.8 * px_per_rbc)
        if disc is None:
            raise ValueError(
                f"expected room for {len(radii)} white cells in {size_wh[0]}x{size_wh[1]} px at "
                f"{px_per_rbc:g} px per red cell, found it for {len(placed)}: "
                "ask for fewer cells, a larger picture or smaller cells"
            )
        placed.append(disc)
    return placed


def _place_beside(
    rng: np.random.Generator, size_wh: tuple[int, int], radius: float, placed: list[Disc]
) -> Disc | None:
    """Find a place that all but touches a placed cell; None after many tries."""
    for _ in range(TRIES):
        neighbour = placed[int(rng.integers(len(placed)))]
        angle = float(rng.uniform(0, 2 * math.pi))
        reach = neighbour.radius + radius * float(rng.uniform(1.03, 1.10))
        x, y = neighbour.x + reach * math.cos(angle), neighbour.y + reach * math.sin(angle)
        disc = Disc(x, y, radius)
        if _inside(disc, size_wh) and _fits(disc, placed, -0.025 * radius):
            return disc
    return None


def _place_alone(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    radius: float,
    placed: list[Disc],
    *,
    clearance: float,
) -> Disc | None:
    """Find a place ``clearance`` away from all placed cells; None after many tries."""
    for _ in range(TRIES):
        disc = Disc(float(rng.uniform(0, size_wh[0])), float(rng.uniform(0, size_wh[1])), radius)
        if _inside(disc, size_wh) and _fits(disc, placed, -clearance):
            return disc
    return None


def place_red(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    px_per_rbc: float,
    white: list[Disc],
    crowding: float = 0.60,
) -> list[Disc]:
    """Fill the space around the white cells; some red cells overlap, as in a thicker spot.

    Args:
        rng: source of randomness; advanced.
        size_wh: frame in pixels; cells may lie across its edge.
        px_per_rbc: mean width of a red cell.
        white: white cells, which red cells may touch and bend around but not lie under.
        crowding: summed area of the red cells over the area that white cells leave free.
    """
    width, height = size_wh
    mean_radius = px_per_rbc / 2
    free = (width + px_per_rbc) * (height + px_per_rbc) - sum(math.pi * d.radius**2 for d in white)
    wanted = int(crowding * free / (math.pi * mean_radius**2))
    placed: list[Disc] = []
    for _ in range(60 * wanted):
        if len(placed) == wanted:
            break
        radius = mean_radius * float(np.clip(rng.normal(1.0, RED_SPREAD), 0.75, 1.3))
        x, y = rng.uniform(-mean_radius, (width + mean_radius, height + mean_radius))
        disc = Disc(float(x), float(y), radius)
        depth = 0.9 if rng.random() < 0.02 else 0.06
        if _fits(disc, placed, depth * radius) and _fits(disc, white, 0.30 * radius):
            placed.append(disc)
    return placed


def place_platelets(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    px_per_rbc: float,
    taken: list[Disc],
    *,
    count: int,
) -> list[Disc]:
    """Place up to ``count`` platelets, 2 to 3 µm wide, where nothing else lies."""
    placed: list[Disc] = []
    for _ in range(400 * count):
        if len(placed) == count:
            break
        radius = px_per_rbc * float(rng.uniform(2.0, 3.0)) / 7.5 / 2
        x, y = rng.uniform(radius, (size_wh[0] - radius, size_wh[1] - radius))
        disc = Disc(float(x), float(y), radius)
        if _fits(disc, taken, -0.3 * radius) and _fits(disc, placed, -radius):
            placed.append(disc)
    return placed


def _inside(disc: Disc, size_wh: tuple[int, int]) -> bool:
    """Whether a cell lies wholly in the frame, however uneven its outline."""
    margin = 1.25 * disc.radius
    return margin <= disc.x <= size_wh[0] - margin and margin <= disc.y <= size_wh[1] - margin


def _fits(disc: Disc, others: list[Disc], overlap_px: float) -> bool:
    """Whether a disc overlaps none of the others by more than ``overlap_px``."""
    return all(disc.gap(other) >= -overlap_px for other in others)
