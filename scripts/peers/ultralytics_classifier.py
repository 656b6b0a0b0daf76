"""Ultralytics' own training of a classifier: its trainer, its data set, its recipe.

What reaches beyond the run is switched off: network, settings in the user's home, plots (they need
a font), and the check before mixed precision (it downloads a model). All else is as it comes.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2

from yolo_leuk import artifacts
from yolo_leuk.backends import ultralytics
from yolo_leuk.records import Image
from yolo_leuk.train.architectures import architecture
from yolo_leuk.train.cells import CellPicture

NO_AUGMENTATION: dict[str, Any] = {
    "scale": 0.0,
    "fliplr": 0.0,
    "hsv_h": 0.0,
    "hsv_s": 0.0,
    "hsv_v": 0.0,
    "auto_augment": None,
    "erasing": 0.0,
}
"""Settings with which training sees what validation sees."""


def write_pictures(
    folder: Path, cells: Iterable[CellPicture], shown: Callable[[CellPicture], Image]
) -> None:
    """Write what is shown of cells where Ultralytics looks for it: ``<class>/<sample>.png``."""
    for cell in cells:
        _, png = cv2.imencode(".png", cv2.cvtColor(shown(cell), cv2.COLOR_RGB2BGR))
        path = folder / cell.sample.label / f"{cell.sample.sample_id}.png"
        artifacts.write_bytes(path, png.tobytes())


def train(
    data: Path,
    run: Path,
    *,
    arch: str,
    size_px: int,
    epochs: int,
    device: str,
    all_cores: bool = False,
    **settings: Any,
) -> None:
    """Train from random weights, or as ``settings`` say, or go on with a run that was killed.

    Args:
        data: Holds ``train`` and ``val``, each with a folder per class; caches are written there.
        run: The folder of the run.
        arch: As given to ``yolo-leuk train``.
        size_px: Side of the input.
        epochs: In each, every picture is seen once.
        device: ``cpu`` or the number of a GPU.
        all_cores: On a CPU, take all cores; Ultralytics leaves one free.
        settings: What is not as it comes.
    """
    ultralytics.quiet()
    import torch
    from ultralytics.models.yolo.classify import ClassificationTrainer

    arguments = {
        "model": architecture(arch, "classify").yamls["classify"],
        "data": str(data),
        "imgsz": size_px,
        "epochs": epochs,
        "device": device,
        "amp": False if device == "cpu" else "bf16",
        "plots": False,
        "verbose": False,
        "save_dir": str(run),
        **settings,
    }
    if (last := _last(run)).is_file():
        arguments |= {"model": str(last), "resume": str(last)}
    threads = torch.get_num_threads()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            trainer = ClassificationTrainer(overrides=arguments)
            if all_cores:
                torch.set_num_threads(threads)
            trainer.train()
    finally:
        torch.set_num_threads(threads)  # Ultralytics sets its own number for the whole process


def is_finished(run: Path, epochs: int) -> bool:
    """Whether a run is over; Ultralytics then strips its checkpoints, and their epoch with it."""
    return _last(run).is_file() and ultralytics.epochs_done(_last(run)) in (0, epochs)


def best(run: Path) -> Path:
    """The checkpoint of the epoch with the best accuracy on ``val``."""
    return run / "weights" / "best.pt"


def _last(run: Path) -> Path:
    return run / "weights" / "last.pt"
