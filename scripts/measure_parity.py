#!/usr/bin/env python3
"""Compare every shipped net, and its FP16 export, with what each was made from: docs/parity.json.

    scripts/measure_parity.py

How far a shipped net is from its checkpoint, or from the members of its ensemble, was measured when
`scripts/ship.py` exported it, and stands in its card; it is said where that was not so. FP16 is
made and compared here. `scripts/write_results.py` makes the table of docs/export.md of it.
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
from yolo_leuk.net_file import card_of  # noqa: E402

SCHEMA = "yolo-leuk/parity/1"


def main() -> None:
    """Measure, print, write."""
    found = {path.stem: _measured(path) for path in sorted((ROOT / "weights").glob("*.onnx"))}
    print(artifacts.to_json(found))
    artifacts.write_json(ROOT / "docs" / "parity.json", {"schema": SCHEMA, "nets": found})


def _measured(path: Path) -> dict[str, Any]:
    card = card_of(path)
    with tempfile.TemporaryDirectory() as folder:
        config = ExportConfig(model=path, precision="fp16", out=Path(folder) / "export")
        (half,) = run(config).exported
    return {
        "sha256": card.sha256,
        "source": card.export.get("source", {}).get("file"),
        "fp32": card.export.get("parity"),
        "fp16": half.card.export["parity"],
    }


if __name__ == "__main__":
    main()
