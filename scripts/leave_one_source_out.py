#!/usr/bin/env python3
"""Train the detector without one source of TXL-PBC and test it on that one; four rows.

    scripts/leave_one_source_out.py --data ../shared/data --fields datasets/txl-pbc-detect
                                 [--out docs/leave-one-source-out.json]

`--fields` is what `yolo-leuk prepare txl-pbc --task detect` made. Every picture of the source left
out, of all three splits, is a test picture. Runs lie under runs/leave-one-source-out and are taken
up again where they were stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from figures import finding, sources  # noqa: E402  (the path above comes first)

from yolo_leuk import artifacts  # noqa: E402
from yolo_leuk.config import resolve  # noqa: E402
from yolo_leuk.field_detector import FieldDetector  # noqa: E402
from yolo_leuk.train.config import TrainConfig  # noqa: E402
from yolo_leuk.train.run import run  # noqa: E402

SCHEMA = "yolo-leuk/leave-one-source-out/1"
SOURCES = ("PBC", "Raabin-WBC", "BCDD", "BCCD")
RUNS = ROOT / "runs" / "leave-one-source-out"


def main() -> None:
    """Train or take up, test, print, write after each row."""
    options = _options()
    rows: dict[str, Any] = {}
    for source in SOURCES:
        net = _trained_without(source, options)
        pictures = [
            picture
            for split in ("train", "val", "test")
            for picture in sources.yolo_boxed(options.data / "txl-pbc", split, f"txl-pbc/{source}")
        ]
        rows[source] = finding.recall_and_precision(FieldDetector.load(net), pictures, "white")
        print(artifacts.to_json({source: rows[source]}), flush=True)
        artifacts.write_json(options.out, {"schema": SCHEMA, "left_out": rows})


def _trained_without(source: str, options: argparse.Namespace) -> Path:
    folder = RUNS / source
    net = folder / "weights" / "best.onnx"
    if not net.is_file():
        flags: dict[str, Any] = {"leave_out": (f"txl-pbc/{source}",), "data": options.fields}
        started = (folder / "weights" / "last.pt").is_file()
        flags |= {"resume": folder} if started else {"out": folder}
        run(resolve(TrainConfig, ROOT / "configs" / "leave-one-source-out.yaml", (), flags))
    return net


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--fields", type=Path, required=True, help="prepared data set of fields")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "leave-one-source-out.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
