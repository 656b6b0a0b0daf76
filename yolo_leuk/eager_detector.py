"""A detector that gives out its least certain boxes too, as average precision needs them."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Arrays, Net
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Detections, Image

LOWEST = 0.01
"""Confidence below which no box is given out."""


class EagerDetector:
    """A detector whose thresholds on confidence are all :data:`LOWEST`.

    Boxes are suppressed by more confident ones only. So those that reach the card's thresholds are
    the ones that the detector itself would give out; :meth:`believed` tells which they are.

    Args:
        net: A detector.

    Raises:
        CardError: The net is no detector.
    """

    def __init__(self, net: Net) -> None:
        self.card: ModelCard = net.card
        self._detector = FieldDetector(_Lowered(net))

    def detect(self, rgb: Image, px_per_rbc: float) -> Detections:
        """All boxes of a field, most confident first; see :meth:`FieldDetector.detect`."""
        return self._detector.detect(rgb, px_per_rbc)

    def believed(self, found: Detections) -> Detections:
        """Those that reach the card's threshold of their class."""
        names = self.card.scheme.names
        least = np.array([self.card.threshold(f"confidence_{name}") for name in names])
        return found[found.confidence >= least[found.class_id]]


class _Lowered:
    """A net whose card tells to believe everything."""

    def __init__(self, net: Net) -> None:
        self._net = net
        lowest = {
            key: LOWEST if key.startswith("confidence_") else value
            for key, value in net.card.thresholds.items()
        }
        self.card = dataclasses.replace(net.card, thresholds=lowest)

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """As the net itself."""
        return self._net.run(batch)
