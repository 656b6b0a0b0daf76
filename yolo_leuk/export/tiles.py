"""What a detector is shown of a field."""

from __future__ import annotations

import numpy as np

from yolo_leuk.backends.net import Arrays
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Image


def tiles_of(rgb: Image, px_per_rbc: float, card: ModelCard) -> list[Image]:
    """Tiles of a field as a detector takes them, in batches.

    Args:
        rgb: The field.
        px_per_rbc: Width of a red cell in its pixels.
        card: Of the detector.

    Returns:
        Batches, uint8 RGB, shape (n, height, width, 3).
    """
    watcher = _Watcher(card)
    FieldDetector(watcher).detect(rgb, px_per_rbc)
    return watcher.batches


class _Watcher:
    """A net that finds nothing, and keeps what it is shown."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.batches: list[Image] = []

    def run(self, batch: Image) -> Arrays:
        """No box in any picture."""
        self.batches.append(batch)
        return {"boxes": np.zeros((len(batch), 4 + len(self.card.scheme), 0), np.float32)}
