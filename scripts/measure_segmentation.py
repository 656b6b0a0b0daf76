#!/usr/bin/env python3
"""Measure how well white cells are outlined and found by colour; print and write the figures.

    scripts/measure_segmentation.py --data ../shared/data

Outlines: IoU of the white cell and Dice of its nucleus on `cellavision-masks`, by our recipe and by
those of two studies. Ours was tuned on the pictures with odd numbers; those with even numbers are
the figure. Boxes: what was tallied by eye on 60 ALL-4-class pictures (`scripts/tally_sheet.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402  (the path above comes first)
from tally_sheet import TALLY, found_boxes, read_tally  # noqa: E402

from yolo_leuk import artifacts, images  # noqa: E402
from yolo_leuk.bootstrap import over_groups  # noqa: E402
from yolo_leuk.errors import DataError  # noqa: E402
from yolo_leuk.prepare.sources.source_tree import SourceFile  # noqa: E402
from yolo_leuk.prepare.white_cells import masks, segmentation  # noqa: E402
from yolo_leuk.prepare.white_cells.segmentation import WhiteCells  # noqa: E402
from yolo_leuk.prepare.white_cells.violet import Mask  # noqa: E402
from yolo_leuk.records import Image  # noqa: E402

SCHEMA = "yolo-leuk/segmentation-figures/1"

# Width of a red cell in all pictures of cellavision-masks, by the ruler on the odd half.
PX_PER_RBC = 78.0

Recipe = Callable[[Image], WhiteCells]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "segmentation.json")
    options = parser.parse_args()
    cells = labelled_cells(options.data)
    figures = {
        "schema": SCHEMA,
        "outlines": {
            "stated": outline_figures([cell for cell in cells if cell.number % 2 == 0]),
            "tuned_on": outline_figures([cell for cell in cells if cell.number % 2]),
        },
        "boxes": box_figures(options.data),
    }
    print(artifacts.to_json(figures), end="")
    artifacts.write_json(options.out, figures)


# --- outlines ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelledCell:
    """A picture of `cellavision-masks` with its truth."""

    number: int
    rgb: Image
    truth: WhiteCells


def labelled_cells(data: Path) -> list[LabelledCell]:
    """All 100 pictures, by number."""
    folder = data / "cellavision-masks"
    cells = []
    for path in sorted(folder.glob("*.bmp")):
        rgb = images.read_image(path)
        mask = SourceFile(folder, f"{path.stem}.png")
        truth = masks.read_parts(mask, "values", masks.MaskParts(), rgb.shape[:2])
        cells.append(LabelledCell(int(path.stem), rgb, truth))
    return cells


def _middle_cell(rgb: Image) -> WhiteCells:
    return segmentation.middle_cell(segmentation.white_cells(rgb, PX_PER_RBC), PX_PER_RBC)


def _all_cells(rgb: Image) -> WhiteCells:
    return segmentation.white_cells(rgb, PX_PER_RBC)


def _one_mask(recipe: Callable[[Image], Mask]) -> Recipe:
    """A study's recipe gives one mask; it is compared with the cell and with the nucleus."""

    def both(rgb: Image) -> WhiteCells:
        mask = recipe(rgb)
        return WhiteCells(mask, mask)

    return both


RECIPES: dict[str, Recipe] = {
    "stains": _middle_cell,
    "stains, all cells of the picture": _all_cells,
    "LAB, K-means": _one_mask(segmentation.mask_by_kmeans),
    "HSV range": _one_mask(segmentation.mask_by_hsv),
}


def outline_figures(cells: Sequence[LabelledCell]) -> dict[str, Any]:
    """Mean IoU of the cell and mean Dice of the nucleus by recipe; intervals over pictures."""
    figures: dict[str, Any] = {}
    for name, recipe in RECIPES.items():
        found = [recipe(cell.rgb) for cell in cells]
        pairs = list(zip(found, cells, strict=True))
        figures[name] = {
            "cell_iou": _mean([iou(f.cells, c.truth.cells) for f, c in pairs]),
            "nucleus_dice": _mean([dice(f.nuclei, c.truth.nuclei) for f, c in pairs]),
        }
    return figures


def iou(found: Mask, truth: Mask) -> float:
    """Intersection over union; 1 where both are empty."""
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0


def dice(found: Mask, truth: Mask) -> float:
    """Twice the intersection over the sum of both; 1 where both are empty."""
    total = np.count_nonzero(found) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(found & truth) / total if total else 1.0


def _mean(values: Sequence[float]) -> dict[str, Any]:
    each = np.array(values)
    pictures = [str(i) for i in range(len(each))]
    return over_groups(lambda rows: float(each[rows].mean()), pictures).to_json()


# --- boxes -------------------------------------------------------------------------------------


def box_figures(data: Path) -> dict[str, Any]:
    """Share of boxes that hold one white cell, and of cells that have a box; by class and in all.

    Raises:
        DataError: The cells that are found today are not those that were tallied.
    """
    tally = read_tally()
    for picture in tally:
        if found_boxes(data, picture["file"]) != picture["boxes"]:
            raise DataError(
                f"{picture['file']}: other boxes are found than {TALLY.name} speaks of",
                hint="Draw the sheets anew with scripts/tally_sheet.py, and tally them.",
            )
    figures = {"all": _tallied(tally)}
    for label in sorted({picture["label"] for picture in tally}):
        figures[label] = _tallied([picture for picture in tally if picture["label"] == label])
    return figures


def _tallied(tally: Sequence[dict[str, Any]]) -> dict[str, Any]:
    boxes = np.array([len(picture["boxes"]) for picture in tally])
    wrong = np.array([len(picture["not_one_cell"]) for picture in tally])
    missed = np.array([picture["missed"] for picture in tally])
    right = boxes - wrong
    pictures = [picture["file"] for picture in tally]
    return {
        "boxes": int(boxes.sum()),
        "hold_one_cell": int(right.sum()),
        "missed_cells": int(missed.sum()),
        "precision": over_groups(
            lambda rows: float(right[rows].sum() / boxes[rows].sum()), pictures
        ).to_json(),
        "recall": over_groups(
            lambda rows: float(right[rows].sum() / (right + missed)[rows].sum()), pictures
        ).to_json(),
    }


if __name__ == "__main__":
    main()
