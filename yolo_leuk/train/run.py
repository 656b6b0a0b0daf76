"""A data set to a trained net: run folder, trainer, export."""

from __future__ import annotations

import contextlib
import datetime
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from yolo_leuk import artifacts
from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.net import usable_cores
from yolo_leuk.config import as_plain, resolve
from yolo_leuk.errors import ConfigError, ModelError, UsageError
from yolo_leuk.field_detector import STRIDE
from yolo_leuk.model_card import ModelCard
from yolo_leuk.train import run_folder
from yolo_leuk.train.architectures import architecture
from yolo_leuk.train.cells import CellRecipe
from yolo_leuk.train.class_weights import ClassWeights, weights_of_classes
from yolo_leuk.train.dataset import TrainingData, checked_dataset, newest_dataset
from yolo_leuk.train.environment import device_name, environment
from yolo_leuk.train.fields import FieldRecipe
from yolo_leuk.train.learning_curves import write_learning_curves
from yolo_leuk.train.starting_weights import StartingWeights, starting_checkpoint
from yolo_leuk.train.weak_labels import WeakLabels

Task = Literal["classify", "detect"]


@dataclass(frozen=True)
class Optimisation:
    """How the weights are moved. Zero means the task's own default.

    Attributes:
        learning_rate: Of AdamW, at the start; it falls along a cosine to a fiftieth.
        weight_decay: Of AdamW.
        batch: Samples per step.
        samples_per_epoch: Fields that are composed, or cells that are drawn, per epoch.
        class_weights: Of the classifier's loss: ``balanced`` by what this run learns from,
            ``dataset`` as ``prepare`` wrote them, or ``none``.
        label_smoothing: Of the classifier.
        dropout: Of the classifier.
        patience: A run ends after so many epochs without a better one; 0 means never.
    """

    learning_rate: float = 0.0
    weight_decay: float = 0.0
    batch: int = 0
    samples_per_epoch: int = 0
    class_weights: ClassWeights = "balanced"
    label_smoothing: float = 0.05
    dropout: float = 0.2
    patience: int = 0


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
        device: ``cpu``, ``0``, …; empty takes a GPU where there is one.
        out: Run folder; ``runs/train/<arch>-<task>``, numbered, where None.
        init: Checkpoint whose weights are taken over where name and shape agree; ``official`` is
            Ultralytics' own of this net, under ``weights/pretrained``.
        resume: Run folder of a killed run, which goes on from its last whole epoch.
        fold: Of the manifest, to validate on; all other folds are learnt from. 0 is ``val``; with
            ``all`` each fold has its turn.
        leave_out: Sources, for instance ``txl-pbc/BCCD``, that training does not see.
        weak_labels: Which cells a second pass does not learn from.
        seed: Of everything random.
        workers: Processes that make training samples; 0 means one beside a CPU that trains, and
            beside a GPU one for each core but one.
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


@dataclass(frozen=True)
class TrainResult:
    """What came out.

    Attributes:
        folder: The run.
        net: Its ONNX file.
        card: Of the net.
    """

    folder: Path
    net: Path
    card: ModelCard


def run(config: TrainConfig) -> TrainResult:
    """Train a net on one fold, or go on with a killed run, and export it.

    Raises:
        MissingExtraError: Ultralytics is not installed.
        UsageError: There is no data set, the run folder holds something else, or a setting cannot
            work.
        DataError: The data set does not match its manifest, or a split or class of it is empty.
        ModelError: The checkpoint to start from, or to go on from, cannot be used.
    """
    ultralytics.quiet()
    config = with_defaults(config) if config.resume is None else _resumed(config, config.resume)
    data = data_of(config, _one_fold(config))
    donor = _donor(config)
    folder = folder_of(config, data)
    with run_folder.logger_of(folder) as logger:
        _log_start(config, data, logger)
        done = _epochs_done(config)
        if not _is_over(config, done):
            trainer = _trainer(config, folder, data)
            if donor is not None:
                _take_over(trainer, donor, config, logger)
            elif not done:
                logger.info("started from random weights")
            _go_on_counting(trainer, folder, done)
            _train(trainer, logger)
        write_learning_curves(folder, ultralytics.epochs_done(folder / "weights" / "best.pt"))
        net, card = _export(config, folder, data, _facts(config, folder, data))
        logger.info("wrote %s", net)
    return TrainResult(folder, net, card)


def data_of(config: TrainConfig, fold: int) -> TrainingData:
    """What a run of this configuration learns from with this fold to validate on.

    Raises:
        UsageError, DataError: As :func:`checked_dataset` and :func:`weights_of_classes` do.
    """
    folder = config.data or newest_dataset(config.task)
    data = checked_dataset(folder, config.task, config.leave_out, fold, config.weak_labels)
    if config.task == "classify":
        weights_of_classes(data, config.optimise.class_weights)  # refused before a run is begun
    return data


def _one_fold(config: TrainConfig) -> int:
    if config.fold == "all":
        raise ConfigError(
            "expected one fold, got all of them",
            hint="Train all folds by yolo_leuk.train.all_folds, or on the command line.",
        )
    return config.fold


def with_defaults(config: TrainConfig) -> TrainConfig:
    """The configuration with every default filled in, so that its file says all.

    Raises:
        UsageError: There is no data set for the task, or not the device that was asked for.
        ConfigError: The net is not known, or cannot take fields of this size.
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
    device = _device(config.device)
    return replace(
        config,
        data=config.data or newest_dataset(config.task),
        epochs=config.epochs or defaults["epochs"],
        optimise=replace(config.optimise, **chosen),
        device=device,
        workers=config.workers or _workers(device),
    )


def _workers(device: str) -> int:
    """One where the net itself needs the cores; with a GPU the samples are what it waits for."""
    return 1 if device == "cpu" else max(1, usable_cores() - 1)


def _device(wanted: str) -> str:
    """The device to train on. Raises UsageError where this machine does not have it."""
    import torch

    gpus = [str(number) for number in range(torch.cuda.device_count())]
    if not wanted:
        return gpus[0] if gpus else "cpu"
    if wanted not in (*gpus, "cpu"):
        raise UsageError(
            f"torch finds no device {wanted!r}; it finds {', '.join([*gpus, 'cpu'])}",
            hint="Leave --device out to take a GPU where there is one.",
        )
    return wanted


def folder_of(config: TrainConfig, data: TrainingData) -> Path:
    """Begin the folder of a run, or find that of a run to go on with.

    Raises:
        UsageError: It holds something else.
        DataError: The run was begun with other data.
    """
    if config.resume is not None:
        run_folder.check_same_data(config.resume, data.manifest_sha256)
        return config.resume
    folder = config.out or _numbered(Path("runs/train") / f"{config.arch}-{config.task}")
    checkpoint = starting_checkpoint(config.init, config.arch, config.task)
    run_folder.begin(
        folder,
        as_plain(config, whole_paths=True),
        environment(config.device),
        manifest_sha256=data.manifest_sha256,
        init_sha256=artifacts.sha256_of_file(checkpoint) if checkpoint else "",
    )
    return folder


def _numbered(folder: Path) -> Path:
    number = 2
    candidate = folder
    while candidate.exists():
        candidate = folder.with_name(f"{folder.name}{number}")
        number += 1
    return candidate


def _resumed(asked: TrainConfig, folder: Path) -> TrainConfig:
    """As :func:`started_with`, of a run that has an epoch behind it. Raises UsageError."""
    run_folder.last_checkpoint(folder)
    return started_with(asked, folder)


def started_with(asked: TrainConfig, folder: Path) -> TrainConfig:
    """The configuration that a run was started with; only the device may be another one.

    Raises:
        UsageError: The folder is no run, or something else was asked for.
    """
    stored = resolve(TrainConfig, flags=run_folder.stored_config(folder))
    others = _differences(
        as_plain(replace(asked, device="", resume=None), whole_paths=True),
        as_plain(stored, whole_paths=True),
        as_plain(TrainConfig(), whole_paths=True),
    )
    if others:
        raise UsageError(
            f"{folder} was started with another value of {', '.join(others)}",
            hint="Leave it out, or start a new run.",
        )
    return replace(stored, resume=folder, device=_device(asked.device or stored.device))


def _differences(
    asked: Mapping[str, Any], stored: Mapping[str, Any], default: Mapping[str, Any]
) -> list[str]:
    """Keys whose value was asked for, that is, is not the default, and is not the stored one."""
    found = []
    for key, value in asked.items():
        if isinstance(value, Mapping):
            found += [f"{key}.{inner}" for inner in _differences(value, stored[key], default[key])]
        elif value not in (default[key], stored[key]):
            found.append(key)
    return found


def _log_start(config: TrainConfig, data: TrainingData, logger: logging.Logger) -> None:
    logger.info("training %s for %s on %s", config.arch, config.task, data.folder)
    logger.info(
        "%d samples to learn from, %d to be measured on", len(data.training), len(data.validation)
    )
    if data.doubted:
        logger.info("left out %d samples for their weak labels", data.doubted)


def _epochs_done(config: TrainConfig) -> int:
    if config.resume is None:
        return 0
    return ultralytics.epochs_done(run_folder.last_checkpoint(config.resume))


def _is_over(config: TrainConfig, done: int) -> bool:
    """Whether the last epoch is done, or no later one is to come because they grew no better."""
    patience = config.optimise.patience
    if config.resume is None or done >= config.epochs or not patience:
        return done >= config.epochs
    return ultralytics.epochs_since_best(run_folder.last_checkpoint(config.resume)) >= patience


def _trainer(config: TrainConfig, folder: Path, data: TrainingData) -> Any:
    arguments = _arguments(config, folder, data)
    if config.task == "detect":
        from yolo_leuk.train.detect_trainer import FieldTrainer

        return FieldTrainer(
            arguments,
            data,
            config.fields,
            config.optimise.samples_per_epoch,
            config.px_per_rbc,
            config.workers,
        )
    from yolo_leuk.train.classify_trainer import CellTrainer

    return CellTrainer(
        arguments,
        data,
        config.cells,
        weights_of_classes(data, config.optimise.class_weights),
        config.optimise.samples_per_epoch,
        config.optimise.label_smoothing,
        config.workers,
    )


def _arguments(config: TrainConfig, folder: Path, data: TrainingData) -> dict[str, Any]:
    """Our recipe in the words of Ultralytics."""
    optimise = config.optimise
    arguments: dict[str, Any] = {
        "task": config.task,
        "model": architecture(config.arch, config.task).yamls[config.task],
        "epochs": config.epochs,
        "batch": optimise.batch,
        "nbs": optimise.batch,  # no accumulation: a step is a batch
        "imgsz": config.fields.size_px
        if config.task == "detect"
        else config.cells.view(data.level).size_px,
        "optimizer": "AdamW",
        "lr0": optimise.learning_rate,
        "lrf": 0.02,
        "cos_lr": True,
        "warmup_epochs": 1,
        # Fast biases shorten the start from scratch, but throw a net that is fine-tuned far off.
        "warmup_bias_lr": 0.0 if config.init != "none" else 0.1,
        "weight_decay": optimise.weight_decay,
        "dropout": optimise.dropout if config.task == "classify" else 0.0,
        "patience": optimise.patience,
        "conf": 0.01,  # in validation; a crowded field has tens of thousands of boxes below it
        "close_mosaic": 0,
        # From a YAML nothing is loaded; False would only draw the weights anew, in another way than
        # nets such as VGG16 need.
        "pretrained": True,
        # The check before mixed precision downloads a model; bfloat16 needs no check.
        "amp": "bf16" if config.device != "cpu" and _has_bfloat16() else False,
        "device": config.device,
        "seed": config.seed,
        "deterministic": True,
        "plots": False,
        "verbose": False,
        "save_dir": str(folder),
    }
    if config.resume is not None:
        last = str(run_folder.last_checkpoint(folder))
        arguments |= {"model": last, "resume": last}
    return arguments


def _has_bfloat16() -> bool:
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _donor(config: TrainConfig) -> Any:
    """The net to start from; None where there is none, or where the run goes on from its own."""
    if config.resume is not None:
        return None
    checkpoint = starting_checkpoint(config.init, config.arch, config.task)
    return ultralytics.load_checkpoint(checkpoint) if checkpoint else None


def _take_over(trainer: Any, donor: Any, config: TrainConfig, logger: logging.Logger) -> None:
    """Start from those tensors of another net whose name and shape agree."""
    checkpoint = starting_checkpoint(config.init, config.arch, config.task)
    trainer.setup_model()
    own = trainer.model.state_dict()
    twins = {k: v for k, v in donor.state_dict().items() if k in own and own[k].shape == v.shape}
    if not twins:
        raise ModelError(f"{checkpoint} shares no tensor with {config.arch} for {config.task}")
    trainer.model.load_state_dict(twins, strict=False)
    logger.info("started from %d of the %d tensors of %s", len(twins), len(own), checkpoint)


def _go_on_counting(trainer: Any, folder: Path, done: int) -> None:
    """Let the table of epochs, and the clock in it, go on after the last whole epoch."""
    if not done:
        return
    run_folder.keep_epochs(folder, done)
    spent = run_folder.seconds_spent(folder)

    def set_back(trainer: Any) -> None:
        trainer.train_time_start -= spent

    trainer.add_callback("on_train_start", set_back)


def _train(trainer: Any, logger: logging.Logger) -> None:
    batch = trainer.batch_size

    def log_batch(trainer: Any) -> None:
        nonlocal batch
        if trainer.batch_size != batch:
            logger.info("out of memory: batch %d instead of %d", trainer.batch_size, batch)
            batch = trainer.batch_size

    def log_epoch(trainer: Any) -> None:
        figures = {k.partition("/")[2]: v for k, v in trainer.metrics.items() if "metrics/" in k}
        told = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        logger.info("epoch %d of %d: %s", trainer.epoch + 1, trainer.epochs, told)

    trainer.add_callback("on_train_epoch_start", log_batch)
    trainer.add_callback("on_fit_epoch_end", log_epoch)
    # Ultralytics draws its progress bar on standard output, which is for the result alone.
    with contextlib.redirect_stdout(sys.stderr):
        trainer.train()
    if trainer.epoch + 1 < trainer.epochs:
        logger.info("stopped: the last %d epochs were no better", trainer.args.patience)


def _facts(config: TrainConfig, folder: Path, data: TrainingData) -> dict[str, Any]:
    """What a card says of a training, with no path of this machine in it."""
    return {
        "data": data.folder.name,
        "sources": list(data.sources),
        "left_out": list(config.leave_out),
        "samples": len(data.training),
        "doubted": data.doubted,
        "manifest_sha256": data.manifest_sha256,
        "split": f"thresholds and choice of epoch on fold {config.fold}; test never seen",
        "warnings": list(data.warnings),
        "config": as_plain(replace(config, resume=None), whole_paths=False),
        "init_sha256": run_folder.stored_init_sha256(folder),
        "machine": device_name(config.device),
        "hours": round(run_folder.seconds_spent(folder) / 3600, 3),
    }


def _export(
    config: TrainConfig, folder: Path, data: TrainingData, facts: dict[str, Any]
) -> tuple[Path, ModelCard]:
    net = ultralytics.load_checkpoint(folder / "weights" / "best.pt")
    path = folder / "weights" / "best.onnx"
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    if config.task == "detect":
        from yolo_leuk.train.field_dataset import field_pictures
        from yolo_leuk.train.finish_detector import export_with_thresholds

        return path, export_with_thresholds(
            net,
            path,
            field_pictures(data.folder, data.validation),
            architecture=config.arch,
            scheme=data.scheme,
            px_per_rbc=config.px_per_rbc,
            date=date,
            training=facts,
        )
    from yolo_leuk.train.finish_classifier import export_calibrated

    return path, export_calibrated(
        net,
        path,
        data,
        tables=folder,
        recipe=config.cells,
        architecture=config.arch,
        date=date,
        training=facts,
        seed=config.seed,
    )
