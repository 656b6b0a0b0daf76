#!/usr/bin/env python3
"""Draw 60 ALL-4-class pictures with the boxes that are found, to be tallied by eye.

    scripts/tally_sheet.py --data ../shared/data --out FOLDER

Writes sheets of numbered boxes, and tally.json with the boxes and nothing counted yet. Whoever
looks at the sheets notes per picture, under `not_one_cell`, the number of each box that does not
hold exactly one white cell and why, and under `missed` how many white cells have no box; the file
then becomes datasets/segmentation-tally/all4.json. The 15 pictures of each class are drawn at
random; those whose boxes were drawn by hand are left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import cv2  # noqa: E402  (the path above comes first)
import numpy as np  # noqa: E402

from yolo_leuk import artifacts, images, pixels  # noqa: E402
from yolo_leuk.prepare.white_cells.cells import find_cells  # noqa: E402
from yolo_leuk.records import Image  # noqa: E402

TALLY = ROOT / "datasets" / "segmentation-tally" / "all4.json"
SCHEMA = "yolo-leuk/segmentation-tally/1"
HAND_BOXES = ROOT / "datasets" / "hand-boxed" / "all4.json"

CLASSES = ("Benign", "Early", "Pre", "Pro")
PER_CLASS = 15
# The first that draws none of the 180 pictures which were looked at while the finding of boxes was
# tuned.
SEED = 46
PX_PER_RBC = 20.0

_ENLARGED = 4
_TILES_ACROSS, _TILES_DOWN = 2, 2


def main() -> None:
    """Draw the sheets and write the empty tally."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for sheets and tally")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    files = drawn(options.data)
    tally = [_untallied(options.data, file) for file in files]
    artifacts.write_json(
        options.out / "tally.json", {"schema": SCHEMA, "seed": SEED, "images": tally}
    )
    per_sheet = _TILES_ACROSS * _TILES_DOWN
    for number, start in enumerate(range(0, len(tally), per_sheet)):
        tiles = [_tile(options.data, picture) for picture in tally[start : start + per_sheet]]
        rows = [
            np.hstack(tiles[i : i + _TILES_ACROSS]) for i in range(0, len(tiles), _TILES_ACROSS)
        ]
        images_bgr = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(options.out / f"sheet-{number:02d}.png"), images_bgr)


def drawn(data: Path) -> list[str]:
    """The pictures of the tally, as places below `all4/Original`."""
    content = artifacts.read_json(HAND_BOXES, schema="yolo-leuk/hand-boxes/1")
    by_hand = {item["sha256"] for item in content["images"]}
    generator = np.random.default_rng(SEED)
    files: list[str] = []
    for label in CLASSES:
        paths = sorted((data / "all4" / "Original" / label).glob("*.jpg"))
        free = [path for path in paths if artifacts.sha256_of_file(path) not in by_hand]
        chosen = sorted(generator.choice(len(free), PER_CLASS, replace=False))
        files += [f"{label}/{free[i].name}" for i in chosen]
    return files


def read_tally() -> list[dict[str, Any]]:
    """The tally's pictures. Raises DataError where the file is missing or of another schema."""
    pictures: list[dict[str, Any]] = artifacts.read_json(TALLY, schema=SCHEMA)["images"]
    return pictures


def found_boxes(data: Path, file: str) -> list[list[float]]:
    """Boxes of the cells that are found in one picture, its scale bar painted out."""
    found = find_cells(_picture(data, file), PX_PER_RBC)
    boxes: list[list[float]] = found.xyxy.tolist()
    return boxes


def _picture(data: Path, file: str) -> Image:
    return pixels.without_scale_bar(images.read_image(data / "all4" / "Original" / file))


def _untallied(data: Path, file: str) -> dict[str, Any]:
    return {
        "file": file,
        "sha256": artifacts.sha256_of_file(data / "all4" / "Original" / file),
        "label": file.split("/", maxsplit=1)[0],
        "boxes": found_boxes(data, file),
        "not_one_cell": {},
        "missed": 0,
    }


def _tile(data: Path, picture: dict[str, Any]) -> Image:
    rgb = _picture(data, picture["file"])
    size_wh = (rgb.shape[1] * _ENLARGED, rgb.shape[0] * _ENLARGED)
    tile = np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_CUBIC), np.uint8)
    for number, box in enumerate(picture["boxes"], start=1):
        x1, y1, x2, y2 = (round(v * _ENLARGED) for v in box)
        cv2.rectangle(tile, (x1, y1), (x2 - 1, y2 - 1), (0, 130, 0), 2)
        cv2.putText(tile, str(number), (x1 + 3, y1 + 18), 0, 0.6, (0, 0, 0), 2)
    name = picture["file"]
    cv2.putText(tile, name, (6, size_wh[1] - 8), 0, 0.6, (200, 0, 0), 2)
    edge = cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return np.asarray(edge, np.uint8)


if __name__ == "__main__":
    main()
