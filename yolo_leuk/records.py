"""The frozen data types that pass between the rooms.

Arrays inside them are checked when they are built, so that a wrong shape fails where it was made
and not where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError

Image = npt.NDArray[np.uint8]
"""RGB picture, shape (height, width, 3), 0–255."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

UNIDENTIFIED = "unidentified"


@dataclass(frozen=True)
class Detections:
    """Boxes that a detector found in one image, as a struct of arrays.

    Attributes:
        xyxy: Corners in pixels of the image, float32, shape (n, 4): x1, y1, x2, y2.
        confidence: The detector's own score in [0, 1], float32, shape (n,).
        class_id: Position in the detector's label scheme, int64, shape (n,).
    """

    xyxy: Floats
    confidence: Floats
    class_id: Ints

    def __post_init__(self) -> None:
        n = len(self.confidence)
        shapes = (self.xyxy.shape, self.confidence.shape, self.class_id.shape)
        if shapes != ((n, 4), (n,), (n,)):
            raise DataError(f"expected shapes (n, 4), (n,), (n,) for detections, got {shapes}")

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, index: Any) -> Detections:
        """The rows that a mask, a slice or an array of positions selects."""
        return Detections(self.xyxy[index], self.confidence[index], self.class_id[index])

    @classmethod
    def empty(cls) -> Detections:
        """No boxes at all."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    @classmethod
    def concatenate(cls, parts: list[Detections]) -> Detections:
        """All rows of ``parts``, in order."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([p.xyxy for p in parts]),
            np.concatenate([p.confidence for p in parts]),
            np.concatenate([p.class_id for p in parts]),
        )


@dataclass(frozen=True)
class Scale:
    """How large a red cell is in an image: the ruler of everything else.

    Attributes:
        px_per_rbc: Width of a red cell (about 7.5 µm) in pixels; None where it is not known.
        source: ``auto`` (measured on the image), ``given`` or ``none``.
        confidence: 0–1; 1 where given, 0 where not known.
    """

    px_per_rbc: float | None
    source: str
    confidence: float


@dataclass(frozen=True)
class CellCall:
    """One white cell and what the classifier suggests for it.

    Attributes:
        id: 1, 2, … in reading order.
        box_xyxy: Corners in pixels of the image.
        confidence: The detector's score.
        label: The most probable class, or ``unidentified``.
        probability: Of the most probable class, calibrated.
        probabilities: Class name to calibrated probability, summing to 1.
        blast_probability: Sum over the blast classes.
        status: ``called`` or ``unidentified``.
    """

    id: int
    box_xyxy: tuple[float, float, float, float]
    confidence: float
    label: str
    probability: float
    probabilities: dict[str, float]
    blast_probability: float
    status: str

    def to_json(self) -> dict[str, Any]:
        """The cell as it stands in ``result.json``."""
        return {
            "id": self.id,
            "box_xyxy": [round(v, 1) for v in self.box_xyxy],
            "confidence": round(self.confidence, 4),
            "label": self.label,
            "probability": round(self.probability, 4),
            "probabilities": {k: round(v, 4) for k, v in self.probabilities.items()},
            "blast_probability": round(self.blast_probability, 4),
            "status": self.status,
        }


@dataclass(frozen=True)
class BlastFraction:
    """Share of blasts among the called white cells, with its 95 % interval.

    The interval is the counting error only; it knows nothing of wrong calls.
    """

    estimate: float
    low: float
    high: float
    cells: int


@dataclass(frozen=True)
class ImageFacts:
    """What a result says of the image it was made from; a file name, never a path."""

    path: str
    width: int
    height: int
    sha256: str


@dataclass(frozen=True)
class SmearResult:
    """Everything that ``detect`` found in one image; ``result.json`` is its ``to_json()``.

    Attributes:
        image: What it was found in.
        scale: How large a red cell is there.
        cells: White cells; of a picture that was classified whole one alone, which is all of it.
        counts: How many there are of each class, and unidentified ones.
        blast_fraction: None where there is none.
        blast_fraction_reason: Why there is none; else empty.
        warnings: What a reader must know.
        model: The nets.
        timing_ms: Milliseconds by step.
        view: What the picture was taken for: ``field``, ``cell`` or ``image``.
    """

    image: ImageFacts
    scale: Scale
    cells: tuple[CellCall, ...]
    counts: dict[str, int]
    blast_fraction: BlastFraction | None
    blast_fraction_reason: str
    warnings: tuple[str, ...]
    model: dict[str, Any]
    timing_ms: dict[str, float] = field(default_factory=dict)
    view: str = "field"

    SCHEMA = "yolo-leuk/smear-result/1"

    def to_json(self) -> dict[str, Any]:
        """A JSON object of schema ``yolo-leuk/smear-result/1``."""
        fraction = self.blast_fraction
        return {
            "schema": self.SCHEMA,
            "image": {
                "path": self.image.path,
                "width": self.image.width,
                "height": self.image.height,
                "sha256": self.image.sha256,
            },
            "view": self.view,
            "scale": {
                "px_per_rbc": _rounded(self.scale.px_per_rbc, 2),
                "source": self.scale.source,
                "confidence": round(self.scale.confidence, 3),
            },
            "cells": [cell.to_json() for cell in self.cells],
            "counts": dict(self.counts),
            "blast_fraction": None
            if fraction is None
            else {
                "estimate": round(fraction.estimate, 4),
                "low": round(fraction.low, 4),
                "high": round(fraction.high, 4),
                "cells": fraction.cells,
            },
            "blast_fraction_reason": self.blast_fraction_reason,
            "warnings": list(self.warnings),
            "model": self.model,
            "timing_ms": {k: round(v, 1) for k, v in self.timing_ms.items()},
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


@dataclass(frozen=True)
class Sample:
    """One row of a manifest: an image or a cell, where it comes from and where it belongs.

    Attributes:
        sample_id: Unique in the manifest; letters, digits, ``-`` and ``_``.
        path: Of the prepared picture, relative to the manifest, with forward slashes.
        source: The data set, and its part where it has parts: ``txl-pbc/BCCD``.
        sha256: Of the file that the sample was made from.
        width: Of the prepared picture in pixels.
        height: Of the prepared picture in pixels.
        label: Class name; empty where the picture as a whole has none.
        subject: The patient; empty where the source does not say.
        group: What must stay in one split: a patient, or pictures that look like one slide.
        split: ``train``, ``val`` or ``test``.
        fold: 0 … k−1 for all that is not test, where 0 is ``val``; −1 for test.
        px_per_rbc: Width of a red cell in the prepared picture, in pixels.
        steps: What was done to the pixels, in order, joined by ``; ``.
    """

    sample_id: str
    path: str
    source: str
    sha256: str
    width: int
    height: int
    label: str
    subject: str
    group: str
    split: str
    fold: int
    px_per_rbc: float
    steps: str
