"""Each fold of a data set in turn: as many nets, and an answer of one of them for every sample.

The run folder holds a run per fold, ``fold0`` and on, and the out-of-fold probabilities of all. A
killed run goes on with the fold that it was in.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_leuk import probabilities
from yolo_leuk.backends import ultralytics
from yolo_leuk.manifest import read_manifest
from yolo_leuk.model_card import read_card
from yolo_leuk.train import run_folder
from yolo_leuk.train.cell_figures import figures
from yolo_leuk.train.config import TrainConfig, with_defaults
from yolo_leuk.train.finish_classifier import PROBABILITIES, SWAPPED
from yolo_leuk.train.folds import folds_of
from yolo_leuk.train.run import TrainResult, data_of, folder_of, run, started_with


@dataclass(frozen=True)
class FoldsResult:
    """What came out.

    Attributes:
        folder: The run.
        folds: What came out of each fold, in order.
        probabilities: Table of the out-of-fold probabilities; None for a detector.
    """

    folder: Path
    folds: tuple[TrainResult, ...]
    probabilities: Path | None


def is_of_all_folds(config: TrainConfig) -> bool:
    """Whether all folds are asked for, or a run of all folds is to go on."""
    if config.resume is None:
        return config.fold == "all"
    return run_folder.stored_config(config.resume).get("fold") == "all"


def run_all_folds(config: TrainConfig) -> FoldsResult:
    """Train a net for each fold, or go on with a killed run, and gather what they say.

    Raises:
        YoloLeukError: As :func:`yolo_leuk.train.run.run` does.
    """
    ultralytics.quiet()
    if config.resume is None:
        config = with_defaults(config)
    else:
        config = replace(started_with(config, config.resume), resume=config.resume)
    data = data_of(config, 0)
    numbers = _checked_folds(config, data.folder)
    folder = folder_of(config, data)
    results = tuple(_fold(config, folder / f"fold{number}", number) for number in numbers)
    table = _gather(folder, results) if config.task == "classify" else None
    return FoldsResult(folder, results, table)


def _checked_folds(config: TrainConfig, data: Path) -> tuple[int, ...]:
    """The folds; the last one cannot fail for its data after hours spent on the others."""
    numbers = folds_of(read_manifest(data))
    for number in numbers:
        data_of(config, number)
    return numbers


def _fold(config: TrainConfig, folder: Path, number: int) -> TrainResult:
    net = folder / "weights" / "best.onnx"
    card = net.with_suffix(".json")
    if card.is_file():  # the last file that a run writes
        return TrainResult(folder, net, read_card(card))
    if (folder / "weights" / "last.pt").is_file():
        return run(TrainConfig(resume=folder, device=config.device))
    # Stopped before its first epoch ended, if it is there at all: nothing in it is worth keeping.
    shutil.rmtree(folder, ignore_errors=True)
    return run(replace(config, fold=number, out=folder, resume=None))


def _gather(folder: Path, results: tuple[TrainResult, ...]) -> Path:
    """Write the out-of-fold probabilities, and tell what they amount to."""
    with run_folder.logger_of(folder) as logger:
        for name in (PROBABILITIES, SWAPPED):
            table = probabilities.gathered(
                [probabilities.read_probabilities(result.folder / name) for result in results]
            )
            probabilities.write_probabilities(folder / name, table)
            found = figures(table.probabilities, table.class_ids)
            told = ", ".join(f"{key} {value:.3f}" for key, value in found.items())
            logger.info("%s, %d samples out of fold: %s", name, len(table.samples), told)
    return folder / PROBABILITIES
