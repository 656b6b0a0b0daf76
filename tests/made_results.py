"""Results and pictures for tests of what is written about them; nothing here is measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import MATURITY
from yolo_leuk.pipeline import blast_fraction
from yolo_leuk.records import UNIDENTIFIED, CellCall, Image, ImageFacts, Scale, SmearResult

BACKGROUND = (236, 228, 232)

MODEL = {
    "pipeline": "made for tests",
    "sha256": "cd" * 32,
    "members": [{"name": "a detector", "sha256": "12" * 32}],
    "weights": [1.0],
}


def picture(width: int = 320, height: int = 240) -> Image:
    """A pale picture with two dark discs."""
    rgb = np.full((height, width, 3), BACKGROUND, np.uint8)
    for x in (0.3, 0.7):
        centre = round(x * width), height // 2
        cv2.circle(rgb, centre, min(width, height) // 8, (96, 60, 140), cv2.FILLED)
    return rgb


def cell(
    number: int,
    box: tuple[float, float, float, float],
    label: str = "Pre",
    probability: float = 0.9,
) -> CellCall:
    likeliest = "Pre" if label == UNIDENTIFIED else label
    rest = (1 - probability) / (len(MATURITY) - 1)
    p = {name: probability if name == likeliest else rest for name in MATURITY.names}
    return CellCall(
        id=number,
        box_xyxy=box,
        confidence=0.8,
        label=label,
        probability=probability,
        probabilities=p,
        blast_probability=sum(p[name] for name in MATURITY.blasts),
        status=UNIDENTIFIED if label == UNIDENTIFIED else "called",
    )


def result_of(
    cells: Sequence[CellCall],
    *,
    name: str = "smear.jpg",
    size_wh: tuple[int, int] = (320, 240),
    sha256: str = "ab" * 32,
    warnings: tuple[str, ...] = (),
) -> SmearResult:
    counts = {
        label: sum(c.label == label for c in cells) for label in (*MATURITY.names, UNIDENTIFIED)
    }
    fraction, reason = blast_fraction(counts, MATURITY)
    return SmearResult(
        image=ImageFacts(name, *size_wh, sha256),
        scale=Scale(31.2, "auto", 0.8),
        cells=tuple(cells),
        counts=counts,
        blast_fraction=fraction,
        blast_fraction_reason=reason,
        warnings=warnings,
        model=MODEL,
        timing_ms={"read": 0.0, "detect": 2.0, "classify": 1.0},
    )


class MadePipeline:
    """Stands in for the nets: two cells in every picture, wherever they are."""

    labels = MATURITY

    @classmethod
    def load(cls, _path: Path | None = None) -> MadePipeline:
        return cls()

    def run(
        self,
        loaded: LoadedImage,
        name: str,
        *,
        view: str | None = None,  # noqa: ARG002
        scale: float | str = "auto",  # noqa: ARG002
    ) -> SmearResult:
        height, width = loaded.rgb.shape[:2]
        third, half = width / 3, height / 2
        cells = [
            cell(1, (0.1 * third, 0.2 * half, 0.9 * third, half), "Pre"),
            cell(2, (1.5 * third, 0.2 * half, 2.5 * third, half), "Other"),
        ]
        return result_of(cells, name=name, size_wh=(width, height), sha256=loaded.sha256)
