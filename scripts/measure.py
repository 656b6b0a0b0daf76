#!/usr/bin/env python3
"""Measure the shipped pipeline on the test data, and write the figures that are published.

    scripts/measure.py --data ../shared/data --cells datasets/cells [--cards]

Reads BCCD, TXL-PBC, CellaVision, C-NMC and ALL-4 below --data, and the data set of cells that
`yolo-leuk prepare all4 txl-pbc` made, whose test split nothing else touches. With --cards the
figures are written into the model cards too.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402  (the path above comes first)
from figures import calling, finding, sources  # noqa: E402
from sample_smear.smear import generate  # noqa: E402

from yolo_leuk import artifacts, matching, ruler  # noqa: E402
from yolo_leuk.manifest import read_manifest  # noqa: E402
from yolo_leuk.model_card import read_card, write_card  # noqa: E402
from yolo_leuk.pipeline import Pipeline, read_pipeline_file  # noqa: E402
from yolo_leuk.train.cells import CellPicture, load_cells  # noqa: E402

SCHEMA = "yolo-leuk/figures/1"
HAND_BOXES = ROOT / "datasets" / "hand-boxed" / "all4.json"
SMEAR_SEEDS = (7, 8, 9, 10)


def main() -> None:
    """Measure, print, write."""
    options = _options()
    pipeline_file = read_pipeline_file(options.pipeline)
    pipeline = Pipeline.load(options.pipeline)
    figures: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        figures[name] = value
        print(artifacts.to_json({name: value}), flush=True)

    add("synthetic_smears", _synthetic_smears(pipeline))
    bccd = sources.bccd_not_in(options.data, options.data / "txl-pbc")
    add("bccd_white", finding.recall_and_precision(pipeline.detector, bccd, "white"))
    apart = sources.sharing_no_field(bccd, options.data / "txl-pbc" / "images")
    add("bccd_white_apart", finding.recall_and_precision(pipeline.detector, apart, "white"))
    txl = sources.yolo_boxed(options.data / "txl-pbc", "test")
    add("txl_pbc_test_ap50", finding.average_precisions(pipeline_file.detector, txl))
    hand = sources.hand_boxed(options.data, HAND_BOXES)
    add("all4_hand_boxed_white", finding.recall_and_precision(pipeline.detector, hand, "white"))
    for label in sorted({image.label for image in hand}):
        some = [image for image in hand if image.label == label]
        add(
            f"all4_hand_boxed_white_{label}",
            finding.recall_and_precision(pipeline.detector, some, "white"),
        )
    training = _cells(options.cells, "train", pipeline)
    test = _cells(options.cells, "test", pipeline)
    add("all4_cells_test", calling.cells_of_held_out_groups(pipeline, training, test))
    add("bccd_called_blast", calling.called_blast_in_fields(pipeline, bccd))
    cellavision = sources.cellavision(options.data)
    add("cellavision_called_blast", calling.called_blast_in_cells(pipeline, cellavision))
    add("cnmc_as_cell", calling.blast_auroc(pipeline, sources.cnmc(options.data)))

    content = {"schema": SCHEMA, "pipeline": pipeline_file.name, "figures": figures}
    artifacts.write_json(options.out, content)
    if options.cards:
        _write_into_cards(pipeline_file.detector, pipeline_file.classifier, figures)


def _cells(folder: Path, split: str, pipeline: Pipeline) -> list[CellPicture]:
    samples = [sample for sample in read_manifest(folder) if sample.split == split]
    return load_cells(folder, samples, pipeline.labels)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cells", type=Path, required=True, help="prepared data set of cells")
    parser.add_argument("--pipeline", type=Path, default=ROOT / "weights" / "default.json")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures.json")
    parser.add_argument("--cards", action="store_true", help="write the figures into the cards")
    return parser.parse_args()


def _synthetic_smears(pipeline: Pipeline) -> list[dict[str, Any]]:
    """White cells found on the generator's pictures, and red cells taken for white ones."""
    rows = []
    scheme = pipeline.detector.card.scheme
    for seed in SMEAR_SEEDS:
        rgb, cells = generate(seed, (1600, 1200), 60.0, 20)
        truth = {
            name: np.array([c.box_xyxy for c in cells if c.label == name], np.float32)
            for name in scheme.names
        }
        px = ruler.measure(rgb, pipeline.detector).px_per_rbc or 60.0
        found = pipeline.detector.detect(rgb, px)
        white = found[found.class_id == scheme.id_of("white")]
        hits = matching.match(white.xyxy, white.confidence, truth["white"])
        wrong = matching.match(white.xyxy, white.confidence, truth["red"])
        rows.append(
            {
                "seed": seed,
                "white": hits.truths,
                "found": int(hits.is_hit.sum()),
                "false": int((~hits.is_hit).sum()),
                "red": wrong.truths,
                "red_taken_for_white": int(wrong.is_hit.sum()),
                "px_per_rbc": round(px, 1),
            }
        )
    return rows


def _write_into_cards(detector: Path, classifier: Path, figures: dict[str, Any]) -> None:
    """Each card gets the figures of its own net; the ONNX files stay as they are."""
    finding_keys = ("synthetic", "bccd_white", "txl_pbc", "all4_hand_boxed")
    for net, is_finding in ((detector, True), (classifier, False)):
        file = net.with_suffix(".json")
        mine = {k: v for k, v in figures.items() if k.startswith(finding_keys) is is_finding}
        write_card(file, dataclasses.replace(read_card(file), figures=mine))


if __name__ == "__main__":
    main()
