"""What a training can be told, and what it takes where it is told nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from yolo_leuk.errors import ConfigError
from yolo_leuk.field_detector import STRIDE
from yolo_leuk.train.architectures import architecture
from yolo_leuk.train.cells import CellRecipe
from yolo_leuk.train.class_weights import ClassWeights
from yolo_leuk.train.dataset import newest_dataset
from yolo_leuk.train.device import chosen_device, process_count, workers_of
from yolo_leuk.train.fields import FieldRecipe
from yolo_leuk.train.starting_weights import StartingWeights
from yolo_leuk.train.weak_labels import WeakLabels

Task = Literal["classify", "detect"]


@dataclass(frozen=True)
class Optimisation:
    """How the weights are moved. Zero means the task's own default.

    Attributes:
        learning_rate: Of AdamW, at the start; it falls along a cosine to a fiftieth.
        weight_decay: Of AdamW.
        batch: Samples per step, of all GPUs together.
        samples_per_epoch: Fields that are composed, or cells that are drawn, per epoch.
        class_weights: Of the classifier's loss: ``balanced`` by what this run learns from,
            ``dataset`` as ``prepare`` wrote them, or ``none``.
        label_smoothing: Of the classifier.
        dropout: Of the classifier.
        patience: A run ends after so many epochs without a better one; 0 means never.
        keep: The epoch that becomes the net: ``best`` on the validation samples, or ``last``. Where
            nothing is said it is the best one, and in a run of all folds the last one, because
            there the validation samples are what the net is asked about.
    """

    learning_rate: float = 0.0
    weight_decay: float = 0.0
    batch: int = 0
    samples_per_epoch: int = 0
    class_weights: ClassWeights = "balanced"
    label_smoothing: float = 0.05
    dropout: float = 0.2
    patience: int = 0
    keep: Literal["", "best", "last"] = ""


_DEFAULTS: dict[str, dict[str, Any]] = {
    "detect": {
        "epochs": 40,
        "optimise": {
            "learning_rate": 0.002,
            "weight_decay": 0.0005,
            "batch": 16,
            "samples_per_epoch": 512,
        },
    },
    "classify": {
        "epochs": 30,
        "optimise": {
            "learning_rate": 0.0015,
            "weight_decay": 0.01,
            "batch": 64,
            "samples_per_epoch": 8000,
        },
    },
}


@dataclass(frozen=True)
class TrainConfig:
    """What ``train`` trains, on what, and how.

    Attributes:
        arch: Name of the net.
        data: Folder that ``prepare`` wrote; the newest one of the task where None.
        task: ``classify`` or ``detect``.
        epochs: 0 means the task's default.
        device: ``cpu``, ``0``, or several GPUs of one machine, ``0,1``; empty takes a GPU where
            there is one.
        out: Run folder; ``runs/train/<arch>-<task>``, numbered, where None.
        init: Checkpoint whose weights are taken over where name and shape agree; ``official`` is
            Ultralytics' own of this net, under ``weights/pretrained``.
        resume: Run folder of a killed run, which goes on from its last whole epoch.
        fold: Of the manifest, to validate on; all other folds are learnt from. 0 is ``val``; with
            ``all`` each fold has its turn.
        leave_out: Sources, for instance ``txl-pbc/BCCD``, that training does not see.
        weak_labels: Which cells a second pass does not learn from.
        seed: Of everything random.
        workers: Processes that make training samples, for each GPU; 0 means one beside a CPU that
            trains, and beside a GPU one for each core of its share but one.
        px_per_rbc: Scale that a detector works at.
        optimise: How the weights are moved.
        fields: How a detector's fields are made.
        cells: How a classifier's cells are varied.
    """

    arch: str = "v11n"
    data: Path | None = None
    task: Task = "classify"
    epochs: int = 0
    device: str = ""
    out: Path | None = None
    init: StartingWeights = "none"
    resume: Path | None = None
    fold: int | Literal["all"] = 0
    leave_out: tuple[str, ...] = ()
    weak_labels: WeakLabels = field(default_factory=WeakLabels)
    seed: int = 0
    workers: int = 0
    px_per_rbc: float = 40.0
    optimise: Optimisation = field(default_factory=Optimisation)
    fields: FieldRecipe = field(default_factory=FieldRecipe)
    cells: CellRecipe = field(default_factory=CellRecipe)


def with_defaults(config: TrainConfig) -> TrainConfig:
    """The configuration with every default filled in, so that its file says all.

    Raises:
        UsageError: There is no data set for the task, or not the device that was asked for.
        ConfigError: The net is not known, or cannot take fields of this size, or the batch cannot
            be dealt out to the GPUs.
    """
    architecture(config.arch, config.task)
    if config.task == "detect" and config.fields.size_px % STRIDE:
        raise ConfigError(
            f"fields.size_px is {config.fields.size_px}; expected a multiple of {STRIDE}"
        )
    if config.task == "detect" and config.optimise.class_weights != "balanced":
        raise ConfigError(
            "optimise.class_weights are those of cells to classify; the task is detect"
        )
    defaults = _DEFAULTS[config.task]
    chosen = {
        key: getattr(config.optimise, key) or value for key, value in defaults["optimise"].items()
    }
    device = chosen_device(config.device)
    keep = config.optimise.keep or ("last" if config.fold == "all" else "best")
    optimise = replace(config.optimise, **chosen, keep=keep)
    check_batch(optimise.batch, device)
    return replace(
        config,
        data=config.data or newest_dataset(config.task),
        epochs=config.epochs or defaults["epochs"],
        optimise=optimise,
        device=device,
        workers=config.workers or workers_of(device),
    )


def check_batch(batch: int, device: str) -> None:
    """Each of several GPUs gets the same part of a batch. Raises ConfigError where it cannot."""
    if batch % process_count(device):
        raise ConfigError(
            f"optimise.batch is {batch}; expected a multiple of the {process_count(device)} GPUs"
        )
