"""How far the answers of an export are from those of what it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Arrays, Net
from yolo_leuk.cell_classifier import calibrated
from yolo_leuk.errors import ExportError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Floats, Image

# Boxes of a field that are compared although the detector itself would not believe them.
_LEAST_BOXES = 20


@dataclass(frozen=True)
class Tolerance:
    """What an export may differ by.

    Attributes:
        difference: Of any probability of a class, or confidence of a box.
        agreement: Least share of crops, or of boxes, that have the same class.
        iou: Least of any box with its twin.
    """

    difference: float
    agreement: float
    iou: float


# Where probabilities are alike to so many digits, the class differs only where two are as good as
# equal. INT8 moves probabilities by its nature; what that costs is for the gate on accuracy.
TOLERANCES: Mapping[str, Tolerance] = {
    "fp32": Tolerance(difference=1e-4, agreement=0.98, iou=0.99),
    "fp16": Tolerance(difference=2e-2, agreement=0.95, iou=0.95),
    "int8": Tolerance(difference=0.4, agreement=0.9, iou=0.7),
}


@dataclass(frozen=True)
class Parity:
    """A comparison of two nets.

    Attributes:
        pictures: How many were compared on: crops of cells, or tiles of fields.
        largest_difference: Of any calibrated probability, or of any confidence.
        agreement: Share of crops, or of boxes, that have the same class.
        lowest_iou: Of any box with its twin; None of a classifier.
        precision: Which tolerance is meant.
    """

    pictures: int
    largest_difference: float
    agreement: float
    lowest_iou: float | None
    precision: str

    @property
    def tolerance(self) -> Tolerance:
        """What is allowed."""
        return TOLERANCES[self.precision]

    @property
    def is_within(self) -> bool:
        """Whether nothing is beyond the tolerance; not a number is beyond."""
        return (
            self.largest_difference <= self.tolerance.difference
            and self.agreement >= self.tolerance.agreement
            and (self.lowest_iou is None or self.lowest_iou >= self.tolerance.iou)
        )

    def check(self, name: str) -> None:
        """Raise ExportError where a file of this name answers otherwise than its source."""
        if self.is_within:
            return
        iou = "" if self.lowest_iou is None else f", box IoU {self.lowest_iou:.3f}"
        least = "" if self.lowest_iou is None else f", {self.tolerance.iou:g}"
        raise ExportError(
            f"{name} answers otherwise than what it was made from: on {self.pictures} pictures, "
            f"largest difference of a probability {self.largest_difference:.2g}, same class "
            f"{self.agreement:.1%}{iou}; allowed in {self.precision} are "
            f"{self.tolerance.difference:g}, {self.tolerance.agreement:.0%}{least}",
            hint="Nothing was kept of it. Choose another --precision, or another version of the "
            "runtime.",
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in the card of an export."""
        found = {
            "pictures": self.pictures,
            "largest_difference": float(f"{self.largest_difference:.3g}"),
            "agreement": round(self.agreement, 5),
        }
        allowed = {
            "largest_difference": self.tolerance.difference,
            "agreement": self.tolerance.agreement,
        }
        if self.lowest_iou is not None:
            found["lowest_iou"] = round(self.lowest_iou, 5)
            allowed["lowest_iou"] = self.tolerance.iou
        return {**found, "allowed": allowed}


def compare(reference: Net, candidate: Net, pictures: Sequence[Image], *, precision: str) -> Parity:
    """Run two nets on the same pictures.

    Args:
        reference: What the other one was made from.
        candidate: The export.
        pictures: Batches, uint8 RGB, shape (n, height, width, 3).
        precision: Of the export.

    Raises:
        ModelError: A net cannot be run.
        ExportError: The candidate's outputs have other shapes.
    """
    of_task = _of_boxes if reference.card.task == "detect" else _of_classes
    parts = [of_task(reference.card, *_outputs(reference, candidate, batch)) for batch in pictures]
    same = np.concatenate([part.is_same_class for part in parts])
    ious = np.concatenate([part.iou for part in parts])
    return Parity(
        pictures=sum(len(batch) for batch in pictures),
        largest_difference=float(np.max([part.difference for part in parts])),
        agreement=float(same.mean()),
        lowest_iou=float(ious.min()) if len(ious) else None,
        precision=precision,
    )


@dataclass(frozen=True)
class _Part:
    """Of one batch: largest difference, and of each crop or box its agreement and its IoU."""

    difference: float
    is_same_class: npt.NDArray[np.bool_]
    iou: npt.NDArray[np.float64]


def _outputs(reference: Net, candidate: Net, batch: Image) -> tuple[Arrays, Arrays]:
    expected, found = reference.run(batch), candidate.run(batch)
    for name, values in expected.items():
        if name not in found or found[name].shape != values.shape:
            shape = found[name].shape if name in found else "none"
            raise ExportError(
                f"{candidate.card.name}: expected the output {name} of shape {values.shape}, "
                f"found {shape}"
            )
    return expected, found


def _of_classes(card: ModelCard, expected: Arrays, found: Arrays) -> _Part:
    p, q = calibrated(card, expected), calibrated(card, found)
    differences = [np.abs(p - q).max()]
    if card.members:
        own = "member_probabilities"
        differences.append(np.abs(expected[own].astype(np.float64) - found[own]).max())
    difference = float(np.max(differences))
    return _Part(difference, p.argmax(axis=1) == q.argmax(axis=1), np.zeros(0))


def _of_boxes(card: ModelCard, expected: Arrays, found: Arrays) -> _Part:
    """Anchor by anchor, before anything is suppressed: (n, 4 + classes, anchors) each."""
    p, q = expected["boxes"], found["boxes"]
    chosen = _looked_at(p, card)  # (n, anchors)
    first, second = (values.transpose(0, 2, 1)[chosen] for values in (p, q))  # (k, 4 + classes)
    return _Part(
        float(np.abs(p[:, 4:].astype(np.float64) - q[:, 4:]).max()),
        first[:, 4:].argmax(axis=1) == second[:, 4:].argmax(axis=1),
        _ious(first[:, :4], second[:, :4]),
    )


def _looked_at(output: Floats, card: ModelCard) -> npt.NDArray[np.bool_]:
    """Boxes that the detector believes, and the surest ones of each picture; (n, anchors)."""
    scores = output[:, 4:]
    least = np.array([card.threshold(f"confidence_{name}") for name in card.scheme.names])
    believed = scores.max(axis=1) >= least[scores.argmax(axis=1)]
    number = min(_LEAST_BOXES, scores.shape[2])
    surest = np.argpartition(-scores.max(axis=1), number - 1, axis=1)[:, :number]
    np.put_along_axis(believed, surest, values=True, axis=1)
    return np.asarray(believed)


def _ious(first: Floats, second: Floats) -> npt.NDArray[np.float64]:
    """IoU of pairs of boxes, each centre x, y, width, height, shape (k, 4)."""
    a, b = (
        np.concatenate([box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2], axis=1)
        for box in (first.astype(np.float64), second.astype(np.float64))
    )
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1)
    union = areas - shared
    # A box without area is its own twin where both are.
    return np.asarray(np.divide(shared, union, out=np.ones_like(shared), where=union > 0))
