"""An epoch of our classification training beside one of Ultralytics' own, on the same pictures.

The same net, input size, batch and device; each side sees every picture once in an epoch. The time
is that of the whole epoch, validation and checkpoint included, as each side's table of epochs tells
it. The first epoch of a training, in which workers start, is left out.

There are two peers: Ultralytics as it comes, which reads its pictures anew in each epoch and on a
CPU leaves one core free; and Ultralytics with its pictures in memory and on all cores, as ours is.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from peers import ultralytics_classifier

from yolo_leuk import artifacts
from yolo_leuk.config import resolve
from yolo_leuk.manifest import FILE_NAME, write_manifest
from yolo_leuk.records import Sample
from yolo_leuk.train import run_folder
from yolo_leuk.train.appearance import Camera, Light, Stain
from yolo_leuk.train.cells import CellRecipe
from yolo_leuk.train.config import TrainConfig
from yolo_leuk.train.dataset import checked_dataset
from yolo_leuk.train.run import run

STILL: dict[str, Any] = {
    "sharpness_px_per_rbc": (20.0, 20.0),
    "zoom": 0.0,
    "shift": 0.0,
    "colour_swap": 0.0,
    "uneven_light": 0.0,
    "stain": Stain(probability=0.0),
    "light": Light(probability=0.0),
    "camera": Camera(blur=0.0, noise=0.0, jpeg=0.0),
    "turned": False,
}
"""Settings of :class:`CellRecipe` with which training sees what ``detect`` would see."""

_ARCH = "v11n"
_BATCH = 64
_EPOCHS = 3
_VALIDATION = 4
"""There is one cell to validate on for so many to learn from."""

PEER, PEER_AT_ITS_BEST = "Ultralytics", "– in memory, all cores"

Training = Callable[[Path], None]
"""Trains in a folder, which holds a table of epochs when it is done."""


@dataclass(frozen=True)
class _Augmentation:
    """What is done to pictures on either side, and the ratio of times that was aimed at."""

    name: str
    ours: dict[str, Any]
    theirs: dict[str, Any]
    aim: float


_AUGMENTATIONS = (
    _Augmentation("off", STILL, ultralytics_classifier.NO_AUGMENTATION, aim=1.05),
    _Augmentation("each its own", {}, {}, aim=1.3),
)


def benchmark(data: Path, rounds: int, cells: int, device: str) -> None:
    """Print, with augmentation and without, the time of an epoch on each side, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        part = Path(name) / "data"
        counts = _write_part(data, part, cells)
        print(
            f"{_ARCH} at {CellRecipe().size_px} px, batch {_BATCH}, on {device}; {counts[0]} cells "
            f"to learn from, {counts[1]} to validate on; medians of {rounds * (_EPOCHS - 1)} epochs"
        )
        print(
            f"{'augmentation':13} {'peer':23} {'peer s':>7} {'ours s':>7} {'ratio':>6} {'aim':>5}"
        )
        for augmentation in _AUGMENTATIONS:
            _compare(augmentation, _trainings(augmentation, part, device), rounds, Path(name))


def _compare(
    augmentation: _Augmentation, trainings: dict[str, Training], rounds: int, scratch: Path
) -> None:
    """Measure and print one kind of augmentation, all that is compared in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(rounds):
        for name, train in trainings.items():
            folder = scratch / "run"
            train(folder)
            seconds[name] += np.diff(run_folder.epochs(folder)["time"]).tolist()
            shutil.rmtree(folder)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    for peer in (PEER, PEER_AT_ITS_BEST):
        print(
            f"{augmentation.name:13} {peer:23} {median[peer]:7.3f} {median['ours']:7.3f} "
            f"{median['ours'] / median[peer]:6.2f} {augmentation.aim:5.2f}",
            flush=True,
        )


def _trainings(augmentation: _Augmentation, data: Path, device: str) -> dict[str, Training]:
    theirs = partial(
        ultralytics_classifier.train,
        data,
        arch=_ARCH,
        size_px=CellRecipe().size_px,
        epochs=_EPOCHS,
        device=device,
        batch=_BATCH,
        **augmentation.theirs,
    )
    return {
        PEER: theirs,
        PEER_AT_ITS_BEST: partial(theirs, all_cores=True, cache=True),
        "ours": partial(_train, data, device, augmentation.ours),
    }


def _train(data: Path, device: str, recipe: dict[str, Any], folder: Path) -> None:
    flags = {
        "arch": _ARCH,
        "data": data,
        "epochs": _EPOCHS,
        "device": device,
        "out": folder,
        "init": "none",
        "optimise": {"batch": _BATCH},
        "cells": recipe,
    }
    run(resolve(TrainConfig, flags=flags))


def _write_part(data: Path, folder: Path, count: int) -> tuple[int, int]:
    """A data set of some of another one's cells; how many there are to learn from, to validate on.

    Prepared data sets lie in folders as Ultralytics looks for them, so it serves both sides.
    """
    whole = checked_dataset(data, "classify")
    if whole.level != "cell":
        raise SystemExit(f"{data} holds whole pictures; a data set of cells is needed")
    training = _spread(whole.training, count)
    validation = _spread(whole.validation, max(1, count // _VALIDATION))
    for sample in [*training, *validation]:
        (folder / sample.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / sample.path, folder / sample.path)
    write_manifest(folder / FILE_NAME, [*training, *validation])
    card = "dataset.json"
    content = artifacts.read_json(data / card, schema="yolo-leuk/dataset/1")
    content["manifest_sha256"] = artifacts.sha256_of_file(folder / FILE_NAME)
    artifacts.write_json(folder / card, content)
    return len(training), len(validation)


def _spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """So many of them, evenly spread, so that each class keeps its share."""
    places = np.linspace(0, len(samples) - 1, min(count, len(samples)), dtype=int)
    return [samples[int(place)] for place in places]
