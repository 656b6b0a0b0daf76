"""A run's configuration to its trainer: our recipe in the words of Ultralytics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yolo_leuk.train import run_folder
from yolo_leuk.train.architectures import architecture
from yolo_leuk.train.class_weights import weights_of_classes
from yolo_leuk.train.config import TrainConfig
from yolo_leuk.train.dataset import TrainingData
from yolo_leuk.train.device import has_bfloat16


def trainer_of(
    config: TrainConfig, folder: Path, data: TrainingData, batch: int | None = None
) -> Any:
    """The trainer of a run.

    Args:
        config: With every default filled in.
        folder: Of the run.
        data: What it learns from.
        batch: Samples at once, where those of the configuration do not fit; they are added up to as
            many before a step.
    """
    arguments = _arguments(config, folder, data)
    if batch is not None:
        arguments["batch"] = batch
    trainer = _trainer(config, arguments, data)
    trainer.keeps_last = config.optimise.keep == "last"
    return trainer


def _trainer(config: TrainConfig, arguments: dict[str, Any], data: TrainingData) -> Any:
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
        "amp": "bf16" if has_bfloat16(config.device) else False,
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
