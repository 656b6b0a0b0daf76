"""Cells that two splits, or folds, would show: what is left when fields were kept apart.

Two fields may share so little that only a cell at the edge of both is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from yolo_leuk.images import read_image
from yolo_leuk.near_duplicates import pairs_across
from yolo_leuk.prepare.split.same_fields import torn_fields
from yolo_leuk.prepare.split.splits import Placement
from yolo_leuk.thumbnail import Thumbnail, thumbnail_of


@dataclass(frozen=True)
class PlacedCell:
    """A cell that is cut out.

    Attributes:
        file: Its crop.
        kind: Data set and class; cells of different kinds are not compared.
        place: Split and fold.
    """

    file: Path
    kind: str
    place: Placement


def torn_cells(cells: Sequence[PlacedCell], *, workers: int = 1) -> dict[int, int]:
    """Positions of cells to leave out, each with that of a cell in a later split that it shows.

    Args:
        cells: All cells.
        workers: Threads.

    Raises:
        DataError: A crop cannot be read.
    """
    of_kind: dict[str, list[int]] = defaultdict(list)
    for position, cell in enumerate(cells):
        of_kind[cell.kind].append(position)
    pairs = []
    with ThreadPoolExecutor(workers) as pool:  # OpenCV lets other threads run
        for positions in of_kind.values():
            if len({cells[position].place for position in positions}) > 1:
                thumbnails = list(pool.map(_thumbnail, (cells[p].file for p in positions)))
                parts = [str(cells[position].place) for position in positions]
                found = pairs_across(thumbnails, parts)
                pairs += [(positions[first], positions[second]) for first, second in found]
    return torn_fields(pairs, {position: cell.place for position, cell in enumerate(cells)})


def _thumbnail(file: Path) -> Thumbnail:
    return thumbnail_of(np.asarray(cv2.cvtColor(read_image(file), cv2.COLOR_RGB2GRAY), np.uint8))
