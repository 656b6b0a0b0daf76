"""A data set to a trained net: run folder, trainer, export."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts
from yolo_leuk.backends import ultralytics
from yolo_leuk.config import as_plain, resolve
from yolo_leuk.errors import ConfigError, UsageError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.run_folder import free_folder
from yolo_leuk.train import run_folder
from yolo_leuk.train.class_weights import weights_of_classes
from yolo_leuk.train.config import TrainConfig, check_batch, with_defaults
from yolo_leuk.train.dataset import TrainingData, checked_dataset, newest_dataset
from yolo_leuk.train.device import chosen_device, device_name, process_count
from yolo_leuk.train.environment import environment
from yolo_leuk.train.epochs import epochs_behind, starting_net, train_epochs
from yolo_leuk.train.learning_curves import write_learning_curves
from yolo_leuk.train.ranks import train_on_all
from yolo_leuk.train.starting_weights import starting_checkpoint


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
    starting_net(config)  # refused before a run is begun
    folder = folder_of(config, data)
    with run_folder.logger_of(folder) as logger:
        _log_start(config, data, logger)
        done = epochs_behind(config)
        if not _is_over(config, done):
            if done:
                run_folder.keep_epochs(folder, done)
            train = train_on_all if process_count(config.device) > 1 else train_epochs
            train(config, folder, data, logger)
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


def folder_of(config: TrainConfig, data: TrainingData) -> Path:
    """Begin the folder of a run, or find that of a run to go on with.

    Raises:
        UsageError: It holds something else.
        DataError: The run was begun with other data.
    """
    if config.resume is not None:
        run_folder.check_same_data(config.resume, data.manifest_sha256)
        return config.resume
    folder = config.out or free_folder(Path("runs/train") / f"{config.arch}-{config.task}")
    checkpoint = starting_checkpoint(config.init, config.arch, config.task)
    run_folder.begin(
        folder,
        as_plain(config, whole_paths=True),
        environment(config.device),
        manifest_sha256=data.manifest_sha256,
        init_sha256=artifacts.sha256_of_file(checkpoint) if checkpoint else "",
    )
    return folder


def _resumed(asked: TrainConfig, folder: Path) -> TrainConfig:
    """As :func:`started_with`, of a run that has an epoch behind it. Raises UsageError."""
    run_folder.last_checkpoint(folder)
    return started_with(asked, folder)


def started_with(asked: TrainConfig, folder: Path) -> TrainConfig:
    """The configuration that a run was started with; only the device may be another one.

    Raises:
        UsageError: The folder is no run, or something else was asked for.
        ConfigError: Its batch cannot be dealt out to these GPUs.
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
    device = chosen_device(asked.device or stored.device)
    check_batch(stored.optimise.batch, device)
    return replace(stored, resume=folder, device=device)


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


def _is_over(config: TrainConfig, done: int) -> bool:
    """Whether the last epoch is done, or no later one is to come because they grew no better."""
    patience = config.optimise.patience
    if config.resume is None or done >= config.epochs or not patience:
        return done >= config.epochs
    return ultralytics.epochs_since_best(run_folder.last_checkpoint(config.resume)) >= patience


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
        "checkpoint_sha256": artifacts.sha256_of_file(folder / "weights" / "best.pt"),
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
            field_pictures(data, data.validation),
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
