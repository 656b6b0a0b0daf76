#!/usr/bin/env python3
"""Measure what the shipped classifier looks at, and how far heat maps are to be believed.

    scripts/measure_explanations.py --data ../shared/data --run runs/train/classifier

The surest cell of pictures of each source is explained as `explain` does, by both methods, and at
each layer alone. Of each way: how much of what speaks for the class is gone when the hottest tenth
of the window is covered, how far it ranks places as covering them does, and how much of its heat
lies on cells; beside them heat at random. The figures go to docs/explanations.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import cv2  # noqa: E402  (the path above comes first)
import numpy as np  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

from yolo_leuk import artifacts, images  # noqa: E402
from yolo_leuk.bootstrap import over_groups  # noqa: E402
from yolo_leuk.explain.cam import activation_map  # noqa: E402
from yolo_leuk.explain.config import CamConfig, OcclusionConfig  # noqa: E402
from yolo_leuk.explain.evidence import answers, log_odds  # noqa: E402
from yolo_leuk.explain.heat import share_on  # noqa: E402
from yolo_leuk.explain.image import Asked, explain_image  # noqa: E402
from yolo_leuk.explain.inside import Inside  # noqa: E402
from yolo_leuk.explain.methods import ByActivation, ByOcclusion, Explainer  # noqa: E402
from yolo_leuk.explain.subject import Subject, open_subject  # noqa: E402
from yolo_leuk.explain.windows import Window  # noqa: E402
from yolo_leuk.records import Floats  # noqa: E402

SCHEMA = "yolo-leuk/explanation-figures/1"
HOTTEST = 0.1
METHODS, CHANCE = ("occlusion", "cam"), "chance"
_CHANCE_PLACES = 6
_SOURCES = {
    "ALL-4-class": ("all4/Original/*/*.jpg", 40),
    "TXL-PBC": ("txl-pbc/**/images/test/*.*", 20),
    "C-NMC 2019": ("cnmc/**/*_*.webp", 20),
}


@dataclass(frozen=True)
class Measured:
    """One cell that was explained.

    Attributes:
        source: The data set.
        area: Share of the window that cells take; None where none is told by colour.
        lost: By way: log-odds that are gone when its hottest tenth is covered, in nats.
        agreement: By way: Spearman's correlation with covering.
        on_cells: By way: share of its heat on cells; None where there is none.
    """

    source: str
    area: float | None
    lost: Mapping[str, float]
    agreement: Mapping[str, float]
    on_cells: Mapping[str, float | None]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--run", type=Path, required=True, help="of the shipped classifier")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "explanations.json")
    options = parser.parse_args()
    subject = open_subject(options.run, None)
    inside = Inside.load(
        subject.file.with_suffix(".pt"), subject.name, subject.net.card.temperature
    )
    explainers = (
        ByOcclusion(subject, OcclusionConfig()),
        ByActivation(subject.voices, {subject.name: inside}, CamConfig()),
    )
    cells = [
        measured(source, path, subject, explainers, inside)
        for source, path in pictures_of(options.data)
    ]
    figures = figures_of([cell for cell in cells if cell is not None], subject)
    print(artifacts.to_json(figures), end="")
    artifacts.write_json(options.out, figures)


def pictures_of(data: Path) -> Iterator[tuple[str, Path]]:
    """Pictures of each source, evenly spread over its files in the order of their names."""
    for source, (pattern, count) in _SOURCES.items():
        found = sorted(path for path in data.glob(pattern) if path.suffix in images.SUFFIXES)
        for index in np.linspace(0, len(found) - 1, count).round().astype(int):
            yield source, found[index]


def measured(
    source: str, path: Path, subject: Subject, explainers: Sequence[Explainer], inside: Inside
) -> Measured | None:
    """The surest cell of a picture; None where there is none."""
    asked = Asked(None, "auto", None, most_cells=1)
    found = explain_image(images.load_image(path), path.name, subject, explainers[0], asked)
    if not found.windows:
        return None
    (window,), (mask,) = found.windows, found.cells
    class_id = subject.labels.id_of(found.explanation.windows[0].explained)
    maps = maps_of(window, class_id, explainers, inside)
    return Measured(
        source=source,
        area=found.explanation.windows[0].cell_area,
        lost={way: lost_by(one, window, class_id, subject) for way, one in maps.items()},
        agreement={
            way: float(spearmanr(one.ravel(), maps["occlusion"].ravel())[0])
            for way, one in maps.items()
        },
        on_cells={
            way: share_on(mask, np.maximum(one, 0)) if mask.any() else None
            for way, one in maps.items()
        },
    )


def maps_of(
    window: Window, class_id: int, explainers: Sequence[Explainer], inside: Inside
) -> dict[str, Floats]:
    """What speaks for a class by every way: as `explain` does, by each whole layer, by chance."""
    side = len(window.shown)
    generator = np.random.default_rng(int(window.shown.sum()))
    random = generator.random((_CHANCE_PLACES, _CHANCE_PLACES), np.float32)
    layers = [layer for layer in inside.layers if layer.is_whole]
    return {
        **{explainer.name: explainer.heat(window, class_id)[0] for explainer in explainers},
        **{
            f"layer {layer.name} ({layer.places_wh[0]} places a side)": activation_map(
                inside, layer, window.shown, class_id
            )
            for layer in layers
        },
        CHANCE: np.asarray(cv2.resize(random, (side, side)), np.float32),
    }


def lost_by(attribution: Floats, window: Window, class_id: int, subject: Subject) -> float:
    """Log-odds that are gone when the hottest places are covered, in nats."""
    covered = window.shown.copy()
    covered[attribution >= np.quantile(attribution, 1 - HOTTEST)] = window.background
    whole, rest = log_odds(answers(subject.net, np.stack([window.shown, covered])), class_id)[0]
    return float(whole - rest)


def figures_of(cells: Sequence[Measured], subject: Subject) -> dict[str, Any]:
    """Means over cells with 95 % intervals, by way, and by source for the ways of `explain`."""
    ways = list(cells[0].lost)
    return {
        "schema": SCHEMA,
        "net": {"architecture": subject.net.card.architecture, "sha256": subject.net.card.sha256},
        "cells": {source: sum(cell.source == source for cell in cells) for source in _SOURCES},
        "hottest": HOTTEST,
        "ways": {
            way: {
                "lost_nats": _mean([cell.lost[way] for cell in cells]),
                "agreement_with_occlusion": _mean([cell.agreement[way] for cell in cells]),
                "on_cells": _mean([cell.on_cells[way] for cell in cells]),
            }
            for way in ways
        },
        "on_cells": {
            source: {
                "area": _mean([cell.area for cell in cells if cell.source == source]),
                **{
                    way: _mean([cell.on_cells[way] for cell in cells if cell.source == source])
                    for way in METHODS
                },
            }
            for source in _SOURCES
        },
    }


def _mean(values: Sequence[float | None]) -> dict[str, Any]:
    each = np.array([value for value in values if value is not None and not np.isnan(value)])
    cells = [str(number) for number in range(len(each))]
    return over_groups(lambda rows: float(each[rows].mean()), cells).to_json()


if __name__ == "__main__":
    main()
