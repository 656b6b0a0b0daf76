#!/usr/bin/env python3
"""Train one net by our recipe and by Ultralytics' default one, and compare them on the same cells.

    scripts/compare_recipes.py --data datasets/cells [--init runs/train/detector/weights/last.pt]
                               [--epochs 12] [--device cpu] [--out docs/recipes.json]

`--data` is what `yolo-leuk prepare … --task classify` made of cells. Both start from the same
checkpoint, or from random weights, and see every training cell once in each epoch. They are
compared on the validation split; the test split is not touched. Runs lie under runs/recipes, or
where `--runs` says, in a folder for each data set, start and number of epochs, and are taken up
again where they were stopped.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import numpy as np  # noqa: E402  (the path above comes first)
from figures import recipe_table, recipes  # noqa: E402
from peers import ultralytics_classifier  # noqa: E402

from yolo_leuk import artifacts, pixels  # noqa: E402
from yolo_leuk.backends import ultralytics  # noqa: E402
from yolo_leuk.backends.net import open_net  # noqa: E402
from yolo_leuk.config import resolve  # noqa: E402
from yolo_leuk.records import Image  # noqa: E402
from yolo_leuk.train.cells import CellPicture, CellRecipe, load_cells  # noqa: E402
from yolo_leuk.train.config import TrainConfig  # noqa: E402
from yolo_leuk.train.dataset import TrainingData, checked_dataset  # noqa: E402
from yolo_leuk.train.run import run  # noqa: E402

SCHEMA = "yolo-leuk/recipes/1"
ARCH = "v11n"
RECIPE = CellRecipe()
_BATCH = 64


def main() -> None:
    """Train or take up, compare, print, write."""
    options = _options()
    data = checked_dataset(options.data, "classify")
    if data.level != "cell":
        raise SystemExit(f"{options.data} holds whole pictures; a data set of cells is needed")
    start = None if options.init is None else artifacts.sha256_of_file(options.init)
    runs = options.runs / "-".join(
        [data.manifest_sha256[:12], str(options.epochs), *([start[:12]] if start else [])]
    )
    training, validation = (
        load_cells(data.folder, data.part(name), data.scheme) for name in ("train", "val")
    )
    ours = _trained_by_ours(runs / "ours", data, options)
    theirs = _trained_by_theirs(runs / "theirs", {"train": training, "val": validation}, options)
    content = {
        "schema": SCHEMA,
        "data": data.folder.name,
        "manifest_sha256": data.manifest_sha256,
        "arch": ARCH,
        "input_px": RECIPE.size_px,
        "epochs": options.epochs,
        "starts_from_sha256": start,
        "training_cells": len(training),
        "ultralytics": ultralytics.quiet().__version__,
        "conditions": recipes.compared(
            validation,
            _caller_of_ours(ours),
            _caller_of_theirs(theirs, data.scheme.names),
            options.draws,
        ),
        "colour_alone": recipes.colour_alone(training, validation, RECIPE, options.draws),
    }
    artifacts.write_json(options.out, content)
    print(recipe_table.section(content))


def _trained_by_ours(folder: Path, data: TrainingData, options: argparse.Namespace) -> Path:
    net = folder / "weights" / "best.onnx"
    if net.with_suffix(".json").is_file():  # the last file that a run writes
        return net
    flags: dict[str, Any] = {"device": options.device}
    if (folder / "weights" / "last.pt").is_file():
        flags |= {"resume": folder}
    else:
        shutil.rmtree(folder, ignore_errors=True)  # stopped before its first epoch ended
        flags |= {
            "arch": ARCH,
            "data": data.folder,
            "epochs": options.epochs,
            "out": folder,
            "init": options.init or "none",
            "optimise": {"samples_per_epoch": len(data.training)},
        }
    return run(resolve(TrainConfig, flags=flags)).net


def _trained_by_theirs(
    folder: Path, parts: dict[str, Sequence[CellPicture]], options: argparse.Namespace
) -> Path:
    if not ultralytics_classifier.is_finished(folder, options.epochs):
        with tempfile.TemporaryDirectory(prefix="recipes-") as windows:
            for name, cells in parts.items():
                ultralytics_classifier.write_pictures(Path(windows) / name, cells, _window_of)
            ultralytics_classifier.train(
                Path(windows),
                folder,
                arch=ARCH,
                size_px=RECIPE.size_px,
                epochs=options.epochs,
                device=options.device,
                all_cores=True,
                **({} if options.init is None else {"pretrained": str(options.init)}),
            )
    return ultralytics_classifier.best(folder)


def _window_of(cell: CellPicture) -> Image:
    return pixels.window_of(cell.crop, cell.sample.px_per_rbc)


def _caller_of_ours(path: Path) -> recipes.Caller:
    """The exported net, on windows as ``detect`` hands them over."""
    net = open_net(path)

    def call(windows: Sequence[Image]) -> recipes.Calls:
        inputs = [pixels.classifier_input(window, net.card.input_px) for window in windows]
        logits = [
            net.run(np.stack(inputs[start : start + _BATCH]))["logits"]
            for start in range(0, len(inputs), _BATCH)
        ]
        return np.asarray(np.concatenate(logits).argmax(axis=1), np.int64)

    return call


def _caller_of_theirs(path: Path, class_names: Sequence[str]) -> recipes.Caller:
    """Ultralytics' net, on windows that go through what its own validation does to pictures."""
    net = ultralytics.load_checkpoint(path)
    import torch
    from PIL import Image as Pillow
    from ultralytics.data.augment import classify_transforms

    as_input = classify_transforms(RECIPE.size_px)
    own_ids = {name: number for number, name in net.names.items()}
    columns = [own_ids[name] for name in class_names]

    def call(windows: Sequence[Image]) -> recipes.Calls:
        probabilities = []
        with torch.inference_mode():
            for start in range(0, len(windows), _BATCH):
                some = [
                    as_input(Pillow.fromarray(window)) for window in windows[start : start + _BATCH]
                ]
                probabilities.append(net(torch.stack(some))[0].numpy())
        ids = np.concatenate(probabilities)[:, columns].argmax(axis=1)
        return np.asarray(ids, np.int64)

    return call


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="prepared data set of cells")
    parser.add_argument("--init", type=Path, help="a checkpoint that both start from")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--device", default="cpu", help="cpu, or the number of a GPU")
    parser.add_argument("--draws", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "recipes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "recipes.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
