#!/usr/bin/env python3
"""Make two runs the weights that ship: scripts/ship.py DETECTOR_RUN CLASSIFIER_RUN.

Copies each run's ONNX file and card to weights/<arch>-<task>, and writes weights/default.json, the
pipeline of the two. `scripts/measure.py --cards` then writes the figures into the cards.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from yolo_leuk import artifacts  # noqa: E402  (the path above comes first)
from yolo_leuk.model_card import read_card, write_card  # noqa: E402
from yolo_leuk.pipeline import SCHEMA  # noqa: E402

WEIGHTS = ROOT / "weights"

# Of a lymphoblast or lymphocyte on a smear: 10 to 14 µm, a red cell being 7.5 µm.
CELL_DIAMETER_RBC = 1.6


def main() -> None:
    """Copy, name, and join."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    detector, classifier = (_shipped(Path(argument)) for argument in sys.argv[1:])
    artifacts.write_json(
        WEIGHTS / "default.json",
        {
            "schema": SCHEMA,
            "name": "default",
            "detector": detector,
            "classifier": classifier,
            "cell_diameter_rbc": CELL_DIAMETER_RBC,
        },
    )


def _shipped(run: Path) -> dict[str, Any]:
    source = run / "weights" / "best.onnx"
    card = read_card(source.with_suffix(".json"))
    name = f"{card.architecture}-{card.task}"
    target = WEIGHTS / f"{name}.onnx"
    artifacts.write_bytes(target, source.read_bytes())
    write_card(target.with_suffix(".json"), dataclasses.replace(card, name=name))
    return {"file": target.name, "sha256": card.sha256}


if __name__ == "__main__":
    main()
