"""Make the sample smear that the demonstration and the tests use, with its truth beside it.

The picture is synthetic: drawn from a seed by ``sample_smear``, from no real picture.
The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sample_smear.slide import TruthCell
from sample_smear.smear import generate

from yolo_leuk.artifacts import write_bytes, write_json
from yolo_leuk.errors import YoloLeukError

SCHEMA = "yolo-leuk/sample-smear/1"
JPEG_QUALITY = 92
DEFAULT_OUT = Path(__file__).resolve().parent.parent / "datasets" / "samples" / "smear.jpg"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Draw a synthetic blood smear and its truth.")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same bytes (default 7)")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JPEG file to write")
    parser.add_argument("--width", type=int, default=1600, help="pixels (default 1600)")
    parser.add_argument("--height", type=int, default=1200, help="pixels (default 1200)")
    parser.add_argument(
        "--px-per-rbc", type=float, default=60.0, help="width of a red cell in pixels (default 60)"
    )
    parser.add_argument("--white-cells", type=int, default=20, help="how many (default 20)")
    parsed = parser.parse_args(arguments)
    if parsed.out.suffix.lower() not in {".jpg", ".jpeg"}:
        parser.error(f"--out: expected a file that ends in .jpg or .jpeg, got {parsed.out}")
    return parsed


def jpeg_bytes(picture: npt.NDArray[np.uint8]) -> bytes:
    """Compress an HxWx3 uint8 RGB picture."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def truth_document(
    name: str, jpeg: bytes, options: argparse.Namespace, cells: list[TruthCell]
) -> dict[str, Any]:
    """Put together what the JSON file beside the picture says."""
    return {
        "schema": SCHEMA,
        "synthetic": True,
        "seed": options.seed,
        "image": {
            "path": name,
            "width": options.width,
            "height": options.height,
            "sha256": hashlib.sha256(jpeg).hexdigest(),
        },
        "px_per_rbc": options.px_per_rbc,
        "cells": [
            {"box_xyxy": list(cell.box_xyxy), "label": cell.label, "kind": cell.kind}
            for cell in cells
        ],
    }


def main(arguments: list[str]) -> int:
    """Draw, compress, write both files; return the exit code."""
    options = parse_arguments(arguments)
    try:
        size_wh = (options.width, options.height)
        picture, cells = generate(options.seed, size_wh, options.px_per_rbc, options.white_cells)
        jpeg = jpeg_bytes(picture)
        write_bytes(options.out, jpeg)
        document = truth_document(options.out.name, jpeg, options, cells)
        write_json(options.out.with_suffix(".json"), document)
    except YoloLeukError as error:
        print(f"make_sample_smear: {error} {error.hint}".rstrip(), file=sys.stderr)
        return error.exit_code
    except ValueError as error:
        print(f"make_sample_smear: {error}", file=sys.stderr)
        return 2
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
