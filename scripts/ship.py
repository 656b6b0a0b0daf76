#!/usr/bin/env python3
"""Make a detector and a classifier the weights that ship.

    scripts/ship.py DETECTOR_RUN CLASSIFIER_RUN|ENSEMBLE

Exports each, compared with its checkpoint or its members, to weights/<arch>-<task>, an ensemble to
weights/<name>, and writes weights/default.json, the pipeline of the two. `scripts/measure.py
--cards` then writes the figures into the cards.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from yolo_leuk import artifacts  # noqa: E402  (the path above comes first)
from yolo_leuk.export.config import ExportConfig  # noqa: E402
from yolo_leuk.export.run import run  # noqa: E402
from yolo_leuk.net_file import write_net  # noqa: E402
from yolo_leuk.pipeline import SCHEMA  # noqa: E402

WEIGHTS = ROOT / "weights"

# Of a lymphoblast or lymphocyte on a smear: 10 to 14 µm, a red cell being 7.5 µm.
CELL_DIAMETER_RBC = 1.6


def main() -> None:
    """Export, copy, and join."""
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


def _shipped(model: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        (made,) = run(ExportConfig(model=model, out=Path(folder) / "export")).exported
        card = write_net(WEIGHTS / made.path.name, made.path.read_bytes(), made.card)
    return {"file": made.path.name, "sha256": card.sha256}


if __name__ == "__main__":
    main()
