"""What speaks for a class: its log-odds, by every net that has a voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Net
from yolo_leuk.model_card import ModelCard
from yolo_leuk.probabilities import Probabilities, logits_of, softmax

VOTE = "vote"
"""Name of the voice of an ensemble as a whole."""


@dataclass(frozen=True)
class Voice:
    """A net that answers, alone or in an ensemble, or the vote of all.

    Attributes:
        name: Tells it from the others.
        architecture: As given to ``--arch``.
        sha256: Of the net's own file; of the vote that of the ensemble.
        weight: Of its vote; 1 of the vote itself.
        temperature: Its logits are divided by it.
        is_vote: Whether it is the vote of the others.
    """

    name: str
    architecture: str
    sha256: str
    weight: float
    temperature: float
    is_vote: bool = False


def voices_of(card: ModelCard, name: str) -> tuple[Voice, ...]:
    """All that answer: a net alone, by this name, or the members of an ensemble and their vote."""
    if not card.members:
        return (Voice(name, card.architecture, card.sha256, 1.0, card.temperature),)
    members = [
        Voice(one.name, one.architecture, one.sha256, one.weight, one.temperature)
        for one in card.members
    ]
    return (*members, Voice(VOTE, card.architecture, card.sha256, 1.0, 1.0, is_vote=True))


def answers(net: Net, batch: npt.NDArray[np.uint8]) -> Probabilities:
    """Calibrated probabilities of n pictures by every voice, shape (voices, n, classes)."""
    outputs = net.run(batch)
    if not net.card.members:
        return softmax(outputs["logits"], net.card.temperature)[None]
    members = np.asarray(outputs["member_probabilities"], np.float64).transpose(1, 0, 2)
    return np.concatenate([members, np.asarray(outputs["probabilities"], np.float64)[None]])


def log_odds(probabilities: Probabilities, class_id: int) -> npt.NDArray[np.float64]:
    """Logarithm of p / (1 − p) of a class, in nats, without the last axis.

    Unlike a probability it doesn't stop moving near 0 and 1, where most cells lie; and what raises
    all classes alike, as the size of all logits, leaves it as it is.
    """
    logarithms = logits_of(probabilities)
    others = np.delete(logarithms, class_id, axis=-1)
    highest = others.max(axis=-1)
    rest = np.log(np.exp(others - highest[..., None]).sum(axis=-1))
    return np.asarray(logarithms[..., class_id] - highest - rest)
