"""Cells that two splits, or folds, would show: what is left when fields were kept apart.

Two fields may share so little that only a cell at the edge of both is the same.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from yolo_leuk.near_duplicates import pairs_across
from yolo_leuk.prepare.split.cell_thumbnails import read_thumbnails
from yolo_leuk.prepare.split.same_fields import torn_fields
from yolo_leuk.prepare.split.splits import Placement
from yolo_leuk.thumbnail import Thumbnail

_FILES_KEPT = 16  # of thumbnails, in memory at once


@dataclass(frozen=True)
class PlacedCell:
    """A cell that is cut out.

    Attributes:
        file: Thumbnails of all cells of its picture.
        number: Its position among them.
        kind: Data set and class; cells of different kinds are not compared.
        place: Split and fold.
    """

    file: Path
    number: int
    kind: str
    place: Placement


def torn_cells(cells: Sequence[PlacedCell], *, workers: int = 1) -> dict[int, int]:
    """Positions of cells to leave out, each with that of a cell in a later split that it shows.

    Args:
        cells: All cells.
        workers: Threads.

    Raises:
        DataError: The thumbnails of a picture's cells cannot be read.
    """
    of_kind: dict[str, list[int]] = defaultdict(list)
    for position, cell in enumerate(cells):
        of_kind[cell.kind].append(position)
    pairs = []
    for positions in of_kind.values():
        if len({cells[position].place for position in positions}) > 1:
            thumbnails = _Thumbnails([cells[position] for position in positions])
            parts = [str(cells[position].place) for position in positions]
            found = pairs_across(thumbnails, parts, workers=workers)
            pairs += [(positions[first], positions[second]) for first, second in found]
    return torn_fields(pairs, {position: cell.place for position, cell in enumerate(cells)})


class _Thumbnails(Sequence[Thumbnail]):
    """Of cells, read when they are asked for: those of a large class would fill the memory."""

    def __init__(self, cells: Sequence[PlacedCell]) -> None:
        self._cells = cells
        # Cells of one picture follow each other, and so do those that are asked for.
        self._read = functools.lru_cache(maxsize=_FILES_KEPT)(read_thumbnails)

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, index: int) -> Thumbnail: ...

    @overload
    def __getitem__(self, index: slice) -> list[Thumbnail]: ...

    def __getitem__(self, index: int | slice) -> Thumbnail | list[Thumbnail]:
        if isinstance(index, slice):
            return [self._of(cell) for cell in self._cells[index]]
        return self._of(self._cells[index])

    def _of(self, cell: PlacedCell) -> Thumbnail:
        return np.asarray(self._read(cell.file)[cell.number])
