"""Single cells on black to fields with several cells, for a detector.

The background is drawn (``drawn_background.py``); the cells are those of one group, each turned at
random. A field is no photograph, and its ``steps`` say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels
from yolo_leuk.errors import ConfigError
from yolo_leuk.prepare.extra.cut_out import CutOut, cut_out
from yolo_leuk.prepare.extra.drawn_background import draw_background, uneven_light
from yolo_leuk.prepare.pictures.picture import Picture

_PLACES_TRIED = 500
_NOISE = 1.5  # grey levels


@dataclass(frozen=True)
class ComposeOptions:
    """How fields are composed.

    Attributes:
        size_px: Side of a field.
        px_per_rbc: Width of a red cell in a field; pasted cells are brought to this scale.
        cells: Fewest and most cells of a field, as far as a group has so many.
        red_cells: Red cells per square of 10 × 10 red-cell widths.
        overlap: At most this share of a cell's area lies under other cells.
        uses: So many fields show each cell.
        glass_rgb: Light that passes empty glass. Cells of C-NMC were photographed on dim glass.
    """

    size_px: int = 640
    px_per_rbc: float = 60.0
    cells: tuple[int, int] = (3, 8)
    red_cells: float = 45.0
    overlap: float = 0.1
    uses: int = 1
    glass_rgb: tuple[int, int, int] = (196, 178, 186)


@dataclass(frozen=True)
class FieldPlan:
    """Which cells make a field.

    Attributes:
        name: Unique: the group and a number.
        group: Of all its cells; the field belongs where they do.
        cells: Positions of the cells, in the order of pasting.
    """

    name: str
    group: str
    cells: tuple[int, ...]


def check_compose(options: ComposeOptions) -> None:
    """Refuse numbers that no field can be made with. Raises ConfigError."""
    fewest, most = options.cells
    conditions = {
        "size_px of 32 or more": options.size_px >= 32,
        "px_per_rbc of 4 or more": options.px_per_rbc >= 4,
        "cells of 1 or more, the fewest first": 1 <= fewest <= most,
        "red_cells of 0 or more": options.red_cells >= 0,
        "overlap of 0 or more and below 1": 0 <= options.overlap < 1,
        "uses of 1 or more": options.uses >= 1,
        "glass_rgb between 1 and 255": all(1 <= level <= 255 for level in options.glass_rgb),
    }
    for condition, holds in conditions.items():
        if not holds:
            raise ConfigError(f"compose: expected {condition}, got {options}")


def plan_fields(groups: Sequence[str], options: ComposeOptions, seed: int) -> list[FieldPlan]:
    """Share cells out to fields; all cells of a field are of one group.

    So a field lies in one split and one fold when its group does. Each cell is in ``options.uses``
    fields, never twice in one. What one group becomes does not depend on the others.

    Args:
        groups: Group of each cell.
        options: How fields are composed.
        seed: Of the shuffling.

    Raises:
        ConfigError: A number of the options is out of range.
    """
    check_compose(options)
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    return [
        FieldPlan(f"{group}-field{number:04d}", group, cells)
        for group in sorted(members)
        for number, cells in enumerate(_shares(members[group], options, _generator_of(seed, group)))
    ]


def _shares(
    members: Sequence[int], options: ComposeOptions, generator: np.random.Generator
) -> list[tuple[int, ...]]:
    fewest, most = options.cells
    shares: list[tuple[int, ...]] = []
    for _ in range(options.uses):
        left = [int(position) for position in generator.permutation(np.array(members))]
        while len(left) > most:
            # What stays shall be enough for one more field.
            count = min(int(generator.integers(fewest, most + 1)), len(left) - fewest)
            shares.append(tuple(left[:count]))
            left = left[count:]
        shares.append(tuple(left))
    return shares


def compose_field(
    cells: Sequence[Picture],
    labels: Sequence[str],
    plan: FieldPlan,
    options: ComposeOptions,
    seed: int,
) -> Picture:
    """Draw a field and paste cells into it.

    Args:
        cells: One cell on black each, in the order of ``plan.cells``.
        labels: Class of each.
        plan: Its name decides every pixel, together with the seed.
        options: How fields are composed.
        seed: The same for all fields.

    Returns:
        The field; boxes and mask are those of the cells' own masks. A cell for which no place is
        left is not in it; ``steps`` says how many are.

    Raises:
        ConfigError: A number of the options is out of range.
        DataError: A picture is nothing but black.
    """
    check_compose(options)
    generator = _generator_of(seed, plan.name)
    cut_outs = [
        cut_out(cell, label, options.px_per_rbc, int(turns), bool(mirrored))
        for cell, label, turns, mirrored in zip(
            cells,
            labels,
            generator.integers(4, size=len(cells)),
            generator.integers(2, size=len(cells)),
            strict=True,
        )
    ]
    layer = _Layer(options)
    for cell in cut_outs:
        layer.place(cell, generator)
    widths = options.size_px / options.px_per_rbc
    red_cells = round(options.red_cells * widths**2 / 100)
    rgb = draw_background(layer.taken, options.glass_rgb, options.px_per_rbc, red_cells, generator)
    for cell, x, y in layer.placed:
        _paste(rgb, cell, x, y)
    rgb *= uneven_light(layer.taken.shape, generator)[..., None]
    whole = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return Picture(
        rgb=pixels.with_noise(whole, _NOISE, generator),
        xyxy=np.array([_box(*placed) for placed in layer.placed], np.float32).reshape(-1, 4),
        labels=tuple(cell.label for cell, _, _ in layer.placed),
        mask=np.where(layer.taken, 255, 0).astype(np.uint8),
        px_per_rbc=options.px_per_rbc,
        steps=(f"compose: {len(layer.placed)} of {len(cells)} cells on a drawn background",),
    )


class _Layer:
    """Where cells lie in a field, and how much of each the later ones hide."""

    def __init__(self, options: ComposeOptions) -> None:
        side = options.size_px
        self._overlap = options.overlap
        self._on_top = np.full((side, side), -1, np.int32)
        self._areas: list[int] = []
        self._hidden: list[int] = []
        self.placed: list[tuple[CutOut, int, int]] = []

    @property
    def taken(self) -> npt.NDArray[np.bool_]:
        """Where any cell lies, shape (side, side)."""
        return np.asarray(self._on_top >= 0, np.bool_)

    def place(self, cell: CutOut, generator: np.random.Generator) -> None:
        """Put a cell wholly inside the field at a random place that hides little; else nowhere."""
        room = self._on_top.shape[0] - cell.side
        if room < 0:
            return
        shown = cell.shown
        for _ in range(_PLACES_TRIED):
            x, y = (int(v) for v in generator.integers(room + 1, size=2))
            under = self._on_top[y : y + cell.side, x : x + cell.side][shown]
            covers = np.bincount(under[under >= 0], minlength=len(self._areas))
            if all(
                hidden + more <= self._overlap * area
                for hidden, more, area in zip(self._hidden, covers, self._areas, strict=True)
            ):
                self._add(cell, x, y, covers)
                return

    def _add(self, cell: CutOut, x: int, y: int, covers: npt.NDArray[np.intp]) -> None:
        shown = cell.shown
        self._hidden = [a + int(b) for a, b in zip(self._hidden, covers, strict=True)]
        self._on_top[y : y + cell.side, x : x + cell.side][shown] = len(self._areas)
        self._areas.append(int(shown.sum()))
        self._hidden.append(0)
        self.placed.append((cell, x, y))


def _paste(rgb: npt.NDArray[np.float32], cell: CutOut, x: int, y: int) -> None:
    """Blend a cell into ``rgb`` in place."""
    part = rgb[y : y + cell.side, x : x + cell.side]
    part += cell.cover[..., None] * (cell.rgb - part)


def _box(cell: CutOut, x: int, y: int) -> tuple[int, int, int, int]:
    shown = cell.shown
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    return (
        x + int(columns[0]),
        y + int(rows[0]),
        x + int(columns[-1]) + 1,
        y + int(rows[-1]) + 1,
    )


def _generator_of(seed: int, name: str) -> np.random.Generator:
    """Its own stream of random numbers for each name."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32).tolist()])
