"""Classifiers that answer: a net, or the graph of an ensemble."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Net
from yolo_leuk.cell_classifier import classify
from yolo_leuk.evaluate.answers import Answer
from yolo_leuk.model_card import ModelCard


class Voter:
    """A net, with the temperature and the thresholds of its card."""

    def __init__(self, net: Net) -> None:
        self._net = net

    @property
    def card(self) -> ModelCard:
        """Of the net."""
        return self._net.card

    def answer(self, inputs: npt.NDArray[np.uint8]) -> Answer:
        """What the net says; see :func:`yolo_leuk.cell_classifier.classify`."""
        found = classify(self._net, inputs)
        return Answer(found.probabilities, found.is_called)
