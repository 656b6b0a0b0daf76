"""Classifiers that answer: one net, or several that vote."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.ensemble_file import Ensemble
from yolo_leuk.evaluate.answers import Answer
from yolo_leuk.model_card import ModelCard
from yolo_leuk.pipeline import classify


class NetVoter:
    """One net, with the temperature and the thresholds of its card."""

    def __init__(self, net: Net) -> None:
        self._net = net

    @property
    def card(self) -> ModelCard:
        """Of the net."""
        return self._net.card

    def answer(self, inputs: npt.NDArray[np.uint8]) -> Answer:
        """What the net says; see :func:`yolo_leuk.pipeline.classify`."""
        found = classify(self._net, inputs)
        return Answer(found.probabilities, found.is_called)


class EnsembleVoter:
    """The members of an ensemble, with its weights, temperatures and threshold.

    A sample is strange, and so unidentified, where members that hold half of the weight find it
    farther from all that they were trained on than their cards allow.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble
        self._nets = [open_net(path) for path in ensemble.nets]

    @property
    def card(self) -> ModelCard:
        """Of the first member; all share its input."""
        return self._nets[0].card

    def answer(self, inputs: npt.NDArray[np.uint8]) -> Answer:
        """What the vote says."""
        outputs = [net.run(inputs) for net in self._nets]
        p = self._ensemble.probabilities(np.stack([output["logits"] for output in outputs]))
        strange = np.zeros(len(inputs))
        for net, output, weight in zip(self._nets, outputs, self._ensemble.weights, strict=True):
            if (features := net.card.features) is not None:
                distance = features.squared_distance(output["features"])
                strange += weight * (distance > features.farthest)
        certain = p.max(axis=1) >= self._ensemble.thresholds["unidentified"]
        return Answer(p, certain & (strange < 0.5))


Voter = NetVoter | EnsembleVoter
"""Whatever answers inputs."""
