"""How often a model is right, by how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import calibration
from yolo_leuk.bootstrap import rounded
from yolo_leuk.evaluate.answers import Answer, Truth
from yolo_leuk.records import Ints

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Samples by their top probability; of bins without samples nothing is told.

    Attributes:
        confidence: Mean top probability, shape (b,).
        accuracy: Share that is right, shape (b,).
        low: Of its 95 % interval over groups, shape (b,).
        high: Likewise.
        samples: How many, shape (b,).
    """

    confidence: _Floats
    accuracy: _Floats
    low: _Floats
    high: _Floats
    samples: Ints

    def to_json(self) -> list[dict[str, Any]]:
        """A row for each bin, rounded to four digits; null where no interval can be told."""
        columns = (self.confidence, self.accuracy, self.low, self.high)
        names = ("confidence", "accuracy", "low", "high")
        return [
            {
                **{name: rounded(float(v)) for name, v in zip(names, row, strict=True)},
                "samples": int(samples),
            }
            for *row, samples in zip(*columns, self.samples, strict=True)
        ]


def bins_of(truth: Truth, answer: Answer) -> Bins:
    """The bins of :mod:`yolo_leuk.calibration`, with intervals."""
    top = answer.probabilities.max(axis=1)
    place = calibration.bins_of(top)
    is_right = answer.calls == truth.class_ids
    tallies = truth.bootstrap.tallies(2 * place + is_right, 2 * calibration.BINS)
    counts = tallies.reshape(-1, calibration.BINS, 2)
    with np.errstate(invalid="ignore"):
        accuracy = counts[..., 1] / counts.sum(axis=-1)
    samples = np.bincount(place, minlength=calibration.BINS)
    used = samples > 0
    found = [truth.bootstrap.figure(accuracy[:, number]) for number in np.flatnonzero(used)]
    confidence = np.bincount(place, weights=top, minlength=calibration.BINS)[used] / samples[used]
    return Bins(
        confidence,
        np.array([one.value for one in found]),
        np.array([one.low for one in found]),
        np.array([one.high for one in found]),
        samples[used],
    )
