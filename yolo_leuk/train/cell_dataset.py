"""The torch side of a classifier's training data. Import it only where torch is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from yolo_leuk.records import Image
from yolo_leuk.train.cells import CellPicture, CellVariation


class TrainingCells(Dataset[dict[str, Any]]):
    """Varied cells; cell ``i`` of epoch ``e`` is the same for the same seed, in any worker.

    Args:
        cells: To choose from.
        variation: How they are varied.
        length: Cells of an epoch, drawn without replacement; all of them where it is larger.
        seed: Of the draw and the variation.
    """

    def __init__(
        self, cells: Sequence[CellPicture], variation: CellVariation, length: int, seed: int
    ) -> None:
        self._cells = cells
        self._variation = variation
        self._length = min(length, len(cells))
        self._seed = seed
        # Shared memory, so that workers that live through all epochs see the epoch change.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        self._drawn: tuple[int, Any] = (-1, None)

    def __len__(self) -> int:
        return self._length

    def set_epoch(self, epoch: int) -> None:
        """Draw the cells of another epoch."""
        self._epoch[0] = epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        epoch = int(self._epoch[0])
        if self._drawn[0] != epoch:
            order = np.random.default_rng([self._seed, epoch]).permutation(len(self._cells))
            self._drawn = (epoch, order)
        cell = self._cells[int(self._drawn[1][index])]
        generator = np.random.default_rng([self._seed, epoch, index])
        return _as_item(self._variation.varied(cell, generator), cell.class_id)


class ValidationCells(Dataset[dict[str, Any]]):
    """Cells as in use but with colours swapped, the same in every epoch."""

    def __init__(self, cells: Sequence[CellPicture], variation: CellVariation, seed: int) -> None:
        self._cells = cells
        self._inputs = [
            variation.swapped(cell, np.random.default_rng([seed, number]))
            for number, cell in enumerate(cells)
        ]

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return _as_item(self._inputs[index], self._cells[index].class_id)


def _as_item(rgb: Image, class_id: int) -> dict[str, Any]:
    return {"img": torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))), "cls": class_id}


def collate(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch as Ultralytics' classification trainer expects it, still uint8."""
    return {
        "img": torch.stack([item["img"] for item in items]),
        "cls": torch.tensor([item["cls"] for item in items]),
    }
