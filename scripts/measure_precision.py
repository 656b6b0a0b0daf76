#!/usr/bin/env python3
"""Measure what FP16 and INT8 gain and lose on the shipped nets, and write docs/precision.json.

    scripts/measure_precision.py --cells datasets/cells --fields datasets/fields

The data sets are those that `yolo-leuk prepare all4 txl-pbc` made for `--task classify` and for
`--task detect`. INT8 is calibrated on their training splits; accuracy is that on their validation
splits, of which --every N takes each Nth field. `scripts/write_results.py` makes the table of
docs/export.md of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402  (the path above comes first)
import onnx  # noqa: E402

from yolo_leuk import artifacts  # noqa: E402
from yolo_leuk.backends.net import Net  # noqa: E402
from yolo_leuk.backends.onnx import OnnxNet  # noqa: E402
from yolo_leuk.dataset import DataSet, read_dataset  # noqa: E402
from yolo_leuk.export import calibration, half, int8  # noqa: E402
from yolo_leuk.export.accuracy import ALLOWED, accuracies  # noqa: E402
from yolo_leuk.export.config import ExportConfig  # noqa: E402
from yolo_leuk.model_card import ModelCard, read_card  # noqa: E402

SCHEMA = "yolo-leuk/precision/1"
NETS = ("v11n-classify", "v11n-detect")

_ROUNDS = 15
_BATCH = {"classify": 16, "detect": 1}


def main() -> None:
    """Measure both nets, print, write."""
    options = _options()
    found = {}
    cells, fields = read_dataset(options.cells), read_dataset(options.fields)
    for name, data in zip(NETS, (cells, _thinned(fields, options.every)), strict=True):
        found[name] = _measured(ROOT / "weights" / f"{name}.onnx", data)
        print(artifacts.to_json({name: found[name]}), flush=True)
    content = {"schema": SCHEMA, "nets": found}
    artifacts.write_json(ROOT / "docs" / "precision.json", content)


def _measured(path: Path, data: DataSet) -> dict[str, Any]:
    card = read_card(path.with_suffix(".json"))
    with tempfile.TemporaryDirectory() as name:
        files = {"fp32": path, **_made(path, card, data, Path(name))}
        nets: dict[str, Net] = {key: OnnxNet(file, card) for key, file in files.items()}
        reached = accuracies(list(nets.values()), data, progress=True)
        seconds = _cpu_seconds(nets, card)
        sizes = {key: file.stat().st_size for key, file in files.items()}
    return {
        "figure": "ap50" if card.task == "detect" else "weighted_f1",
        "allowed": ALLOWED["ap50" if card.task == "detect" else "weighted_f1"],
        "samples": sum(sample.split == "val" for sample in data.samples),
        "batch": _BATCH[card.task],
        "precisions": {
            key: {
                "bytes": sizes[key],
                "time": round(seconds[key] / seconds["fp32"], 3),
                "accuracy": round(one.whole, 5),
                "classes": {label: round(value, 5) for label, value in one.classes.items()},
            }
            for key, one in zip(nets, reached, strict=True)
        },
    }


def _thinned(data: DataSet, every: int) -> DataSet:
    """A data set with every Nth of its validation samples only."""
    validation = [sample for sample in data.samples if sample.split == "val"]
    others = [sample for sample in data.samples if sample.split != "val"]
    return dataclasses.replace(data, samples=(*others, *validation[::every]))


def _made(path: Path, card: ModelCard, data: DataSet, folder: Path) -> dict[str, Path]:
    """The net in other precisions, each in a file."""
    model = onnx.load(path)
    config = ExportConfig(path)

    def pictures() -> Any:
        return calibration.batches(data, card, config.calibration_samples, config.seed)

    graphs = {
        "fp16": half.converted(model),
        "int8": int8.quantised(model, pictures()),
        "int8 for TensorRT": int8.quantised(model, pictures(), symmetric=True),
    }
    files = {key: folder / f"{key}.onnx" for key in graphs}
    for key, graph in graphs.items():
        onnx.save(graph.model, files[key])
    return files


def _cpu_seconds(nets: Mapping[str, Net], card: ModelCard) -> dict[str, float]:
    """Medians of rounds in which all are run in turn; CPU time, which a busy machine changes less.

    All of them take the same number of threads.
    """
    shape = (_BATCH[card.task], card.input_px, card.input_px, 3)
    batch = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    spent: dict[str, list[float]] = {key: [] for key in nets}
    for _ in range(1 + _ROUNDS):
        for key, net in nets.items():
            begun = time.process_time()
            net.run(batch)
            spent[key].append(time.process_time() - begun)
    return {key: statistics.median(values[1:]) for key, values in spent.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True, help="prepared data set of cells")
    parser.add_argument("--fields", type=Path, required=True, help="prepared data set of fields")
    parser.add_argument("--every", type=int, default=1, help="of the validation fields")
    return parser.parse_args()


if __name__ == "__main__":
    main()
