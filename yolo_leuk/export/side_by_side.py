"""The members of an ensemble as nets of their own, and their vote in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Arrays, open_net
from yolo_leuk.ensemble_file import Ensemble
from yolo_leuk.ensemble_graph import vote_card
from yolo_leuk.model_card import ModelCard
from yolo_leuk.probabilities import softmax


class SideBySide:
    """An ensemble whose members run one after the other; what its graph is compared with.

    Args:
        name: Goes into the card.
        ensemble: Of nets.
        trust: Run nets although their hashes differ.

    Raises:
        ModelError: A net cannot be opened.
        CardError: A member is a table alone, or its card has no feature statistics.
    """

    def __init__(self, name: str, ensemble: Ensemble, *, trust: bool = False) -> None:
        self._ensemble = ensemble
        self._nets = [open_net(path, trust=trust) for path in ensemble.nets]
        self._card = vote_card(name, ensemble)

    @property
    def card(self) -> ModelCard:
        """Of the ensemble."""
        return self._card

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """Outputs as the graph of an ensemble has them."""
        outputs = [net.run(batch) for net in self._nets]
        logits = np.stack([output["logits"] for output in outputs])
        members = [
            softmax(own, member.temperature)
            for own, member in zip(logits, self._ensemble.members, strict=True)
        ]
        found = {
            "probabilities": self._ensemble.probabilities(logits),
            "member_probabilities": np.stack(members, axis=1),
            "features": np.concatenate([output["features"] for output in outputs], axis=1),
        }
        return {name: values.astype(np.float32) for name, values in found.items()}
