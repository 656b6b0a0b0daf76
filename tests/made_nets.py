"""Nets for tests: they keep the protocol of a net, and see by rules that a reader can follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from yolo_leuk.labels import FIELD, MATURITY
from yolo_leuk.model_card import FeatureStatistics, ModelCard

DETECTOR_CARD = ModelCard(
    name="a detector",
    task="detect",
    architecture="made",
    scheme=FIELD,
    px_per_rbc=10.0,
    input_px=128,
    preprocessing=(),
    thresholds={
        "confidence_white": 0.3,
        "confidence_red": 0.3,
        "confidence_platelet": 0.3,
        "iou": 0.5,
        "nested": 0.6,
    },
    sha256="12" * 32,
    date="2025-01-31",
)

CLASSIFIER_CARD = ModelCard(
    name="a classifier",
    task="classify",
    architecture="made",
    scheme=MATURITY,
    px_per_rbc=20.0,
    input_px=32,
    preprocessing=(),
    thresholds={"unidentified": 0.5},
    sha256="34" * 32,
    date="2025-01-31",
    features=FeatureStatistics(np.zeros((1, 3)), np.eye(3), farthest=1.0),
)


def as_output(rows: Sequence[Sequence[float]], classes: int = len(FIELD)) -> np.ndarray:
    """Boxes (x1, y1, x2, y2, confidence, class id) as a detector gives them, (4 + classes, n)."""
    output = np.zeros((4 + classes, len(rows)), np.float32)
    for column, (x1, y1, x2, y2, confidence, class_id) in enumerate(rows):
        output[:4, column] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        output[4 + int(class_id), column] = confidence
    return output


class BoxesNet:
    """A detector that finds in every picture what it was told to."""

    def __init__(
        self, rows: Sequence[Sequence[float]] = (), card: ModelCard = DETECTOR_CARD
    ) -> None:
        self.card = card
        self._output = as_output(rows)

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        return {"boxes": np.stack([self._output] * len(batch))}


class SquaresNet:
    """A detector that sees every square of one colour: (class id, number, confidence in percent).

    Of a square that the picture's edge cuts it sees the part that is there.

    Args:
        shuffle: Seed of the order of its boxes.
        outward_px: How far to the sides it sees them from the picture's middle.
    """

    def __init__(
        self,
        card: ModelCard = DETECTOR_CARD,
        *,
        shuffle: int | None = None,
        outward_px: float = 0.0,
    ) -> None:
        self.card = card
        self.batches: list[np.ndarray] = []
        self._shuffle = shuffle
        self._outward_px = outward_px

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        self.batches.append(batch)
        found = [self._squares(picture) for picture in batch]
        most = max(map(len, found))
        nothing = (0, 0, 0, 0, 0, 0)
        return {"boxes": np.stack([as_output([*r, *[nothing] * (most - len(r))]) for r in found])}

    def _squares(self, picture: np.ndarray) -> list[tuple[float, ...]]:
        rows: list[tuple[float, ...]] = []
        codes = picture.astype(np.int64) @ (1 << 16, 1 << 8, 1)
        for code in np.unique(codes[picture[..., 0] < len(FIELD)]):
            y, x = np.nonzero(codes == code)
            drift = self._outward_px * np.sign(x.min() + x.max() + 1 - picture.shape[1])
            box = x.min() + drift, y.min(), x.max() + 1 + drift, y.max() + 1
            rows.append((*map(float, box), (code & 255) / 100, int(code >> 16)))
        if self._shuffle is not None:
            np.random.default_rng(self._shuffle).shuffle(rows)
        return rows


class DiscsNet:
    """A detector that sees red discs as red cells and violet ones as white cells.

    The better, the nearer their width is to one red cell, or two, at its own scale.
    """

    def __init__(self, card: ModelCard = DETECTOR_CARD) -> None:
        self.card = card

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        found = [self._discs(picture) for picture in batch]
        most = max(map(len, found))
        nothing = (0, 0, 0, 0, 0, 0)
        return {"boxes": np.stack([as_output([*r, *[nothing] * (most - len(r))]) for r in found])}

    def _discs(self, picture: np.ndarray) -> list[tuple[float, ...]]:
        r, g, b = np.moveaxis(picture, -1, 0)
        red, violet = (r > 150) & (g < 130), (b > 150) & (g < 130)
        rows = []
        for mask, class_id, wide in ((red, 1, 1), (violet, 0, 2)):
            _, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
            for x, y, width, height, _ in boxes[1:]:
                octaves = abs(np.log2(max(width, height) / (wide * self.card.px_per_rbc)))
                confidence = max(0.0, 0.9 - 0.5 * octaves)
                rows.append((x, y, x + width, y + height, confidence, class_id))
        return rows


class ColoursNet:
    """A classifier that answers by the colour in the middle of each picture.

    Args:
        logits_of: Colour, shape (3,), to logits.
        features_of: Colour to features; three zeros where None, which is like all training cells.
        card: Of the net.
    """

    def __init__(
        self,
        logits_of: Callable[[np.ndarray], Sequence[float]],
        features_of: Callable[[np.ndarray], Sequence[float]] | None = None,
        card: ModelCard = CLASSIFIER_CARD,
    ) -> None:
        self.card = card
        self.batches: list[np.ndarray] = []
        self._logits_of = logits_of
        self._features_of = features_of or (lambda _: (0.0, 0.0, 0.0))

    def run(self, batch: np.ndarray) -> dict[str, Any]:
        self.batches.append(batch)
        middle = batch[:, batch.shape[1] // 2, batch.shape[2] // 2].astype(np.float32)
        return {
            "logits": np.array([self._logits_of(colour) for colour in middle], np.float32),
            "features": np.array([self._features_of(colour) for colour in middle], np.float32),
        }
