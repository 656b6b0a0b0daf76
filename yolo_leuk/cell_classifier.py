"""A classifier, one net or an ensemble, on pictures: what it says, and what is strange to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels, probabilities
from yolo_leuk.backends.net import Arrays, Net
from yolo_leuk.errors import CardError
from yolo_leuk.model_card import FeatureStatistics, ModelCard
from yolo_leuk.records import Image

_BATCH = 64

# Half of the weight, and what the sum of a few weights may be off.
_HALF = 0.5 + 1e-9


@dataclass(frozen=True)
class Answers:
    """What a classifier says of n cells.

    Attributes:
        probabilities: Calibrated, shape (n, classes), rows summing to 1.
        is_called: False where the cell is like nothing trained on, or the vote too uncertain.
    """

    probabilities: npt.NDArray[np.float64]
    is_called: npt.NDArray[np.bool_]


def cell_crops(
    rgb: Image, xyxy: npt.NDArray[np.float32], px_per_rbc: float, card: ModelCard
) -> npt.NDArray[np.uint8]:
    """Crops of cells as the classifier of ``card`` sees them, shape (n, S, S, 3)."""
    field, factor = pixels.reduced_field(rgb, px_per_rbc)
    fill = pixels.background_colour(field)
    return np.stack(
        [
            pixels.cell_crop(
                field,
                box / factor,
                px_per_rbc / factor,
                card.input_px,
                sharpness_px_per_rbc=card.px_per_rbc,
                fill=fill,
            )
            for box in xyxy
        ]
    )


def classify(classifier: Net, crops: npt.NDArray[np.uint8]) -> Answers:
    """Run a classifier on crops, shape (n, S, S, 3), in batches, and calibrate its answers.

    Raises:
        CardError: The card has no feature statistics or no threshold.
        ModelError: The net cannot be run.
    """
    card = classifier.card
    outputs = [
        classifier.run(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH)
    ]
    whole = {name: np.concatenate([part[name] for part in outputs]) for name in outputs[0]}
    p = calibrated(card, whole)
    certain = p.max(axis=1) >= card.threshold("unidentified")
    return Answers(p, certain & ~is_far(card, whole["features"]))


def calibrated(card: ModelCard, outputs: Arrays) -> probabilities.Probabilities:
    """Probabilities of a classifier's outputs, shape (n, classes), rows summing to 1."""
    if not card.members:
        return probabilities.softmax(outputs["logits"], card.temperature)
    voted = np.asarray(outputs["probabilities"], np.float64)
    return np.asarray(voted / voted.sum(axis=1, keepdims=True))  # to more digits than float32 has


def is_far(card: ModelCard, features: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Which of n cells are farther from all training cells than the card allows, shape (n,).

    Of an ensemble: which are so for members that hold more than half of the weight, each by its
    own features, shape (n, d) one after the other.
    """
    if not card.members:
        if card.features is None:
            raise CardError(f"the card of {card.name} has no feature statistics")
        return _is_beyond(card.features, features)
    ends = np.cumsum([member.features.means.shape[1] for member in card.members])
    parts = np.split(features, ends[:-1], axis=1)
    weight = np.zeros(len(features))
    for member, part in zip(card.members, parts, strict=True):
        weight += member.weight * _is_beyond(member.features, part)
    return np.asarray(weight > _HALF)


def _is_beyond(
    statistics: FeatureStatistics, features: npt.NDArray[np.floating]
) -> npt.NDArray[np.bool_]:
    return np.asarray(statistics.squared_distance(features) > statistics.farthest)
