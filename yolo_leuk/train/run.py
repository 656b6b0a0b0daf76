"""A data set to a trained net: run folder, trainer, export."""

from __future__ import annotations

import datetime
import logging
import platform
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from yolo_leuk import __version__, artifacts
from yolo_leuk.backends import ultralytics
from yolo_leuk.config import as_plain, resolve
from yolo_leuk.errors import DataError, ModelError, UsageError
from yolo_leuk.labels import FIELD, MATURITY, LabelScheme
from yolo_leuk.manifest import FILE_NAME, read_manifest
from yolo_leuk.model_card import ModelCard
from yolo_leuk.train.architectures import architecture
from yolo_leuk.train.cells import CellRecipe
from yolo_leuk.train.fields import FieldRecipe

Task = Literal["classify", "detect"]

DATASETS = Path("datasets")
_DATASET_SCHEMA = "yolo-leuk/dataset/1"
_RUN_SCHEMA = "yolo-leuk/train-run/1"


@dataclass(frozen=True)
class Optimisation:
    """How the weights are moved. Zero means the task's own default.

    Attributes:
        learning_rate: Of AdamW, at the start; it falls along a cosine to a fiftieth.
        weight_decay: Of AdamW.
        batch: Samples per step.
        samples_per_epoch: Fields that are composed, or cells that are drawn, per epoch.
        label_smoothing: Of the classifier.
        dropout: Of the classifier.
    """

    learning_rate: float = 0.0
    weight_decay: float = 0.0
    batch: int = 0
    samples_per_epoch: int = 0
    label_smoothing: float = 0.05
    dropout: float = 0.2


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
        init: Checkpoint whose weights are taken over where name and shape agree.
        resume: Run folder of a killed run, which goes on from its last whole epoch.
        leave_out: Sources, for instance ``txl-pbc/BCCD``, that training does not see.
        seed: Of everything random.
        workers: Processes that make training samples.
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
    init: Path | None = None
    resume: Path | None = None
    leave_out: tuple[str, ...] = ()
    seed: int = 0
    workers: int = 1
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
    """Train a net, or go on with a killed run, and export it.

    Raises:
        MissingExtraError: Ultralytics is not installed.
        UsageError: There is no data set, or the run folder holds something else.
        DataError: The data set does not match its manifest.
        ModelError: The checkpoint to start from cannot be used.
    """
    ultralytics.quiet()
    if config.resume is not None:
        folder, config = config.resume, _config_of_run(config.resume)
    else:
        config = _with_defaults(config)
        folder = _new_folder(config)
    logger = _log_to(folder / "train.log")
    scheme = _checked_dataset(config)
    logger.info("training %s for %s on %s", config.arch, config.task, config.data)
    start = time.monotonic()
    trainer = _trainer(config, folder, scheme)
    started_with = _take_over(trainer, config, logger)
    trainer.train()
    hours = (time.monotonic() - start) / 3600
    facts = {**_facts(config, trainer), "init": started_with, "hours": round(hours, 3)}
    net, card = _export(config, folder, scheme, facts)
    logger.info("wrote %s after %.2f hours", net, hours)
    return TrainResult(folder, net, card)


def newest_dataset(task: str, root: Path = DATASETS) -> Path:
    """The data set of a task that was prepared last. Raises UsageError where there is none."""
    found = []
    for card in root.glob("*/dataset.json"):
        content = artifacts.read_json(card, schema=_DATASET_SCHEMA)
        if content["task"] == task:
            found.append((card.stat().st_mtime, card.parent))
    if not found:
        raise UsageError(
            f"no data set for {task} lies under {root}",
            hint=f"Make one with `yolo-leuk prepare SOURCE --task {task}`, or name one by --data.",
        )
    return max(found)[1]


def _with_defaults(config: TrainConfig) -> TrainConfig:
    """The configuration with every default filled in, so that its file says all."""
    architecture(config.arch, config.task)
    defaults = _DEFAULTS[config.task]
    chosen = {
        key: getattr(config.optimise, key) or value for key, value in defaults["optimise"].items()
    }
    return replace(
        config,
        data=config.data or newest_dataset(config.task),
        epochs=config.epochs or defaults["epochs"],
        optimise=replace(config.optimise, **chosen),
        device=config.device or ("0" if _has_cuda() else "cpu"),
    )


def _has_cuda() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _new_folder(config: TrainConfig) -> Path:
    folder = config.out or _numbered(Path("runs/train") / f"{config.arch}-{config.task}")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} already holds a run",
            hint=f"Go on with it by --resume {folder}, or choose another folder with --out.",
        )
    # The configuration is the first file of a run; a run without one was never started.
    artifacts.write_json(
        folder / "config.json",
        {"schema": _RUN_SCHEMA, "version": __version__, "config": as_plain(config, whole_paths=True)},
    )
    artifacts.write_json(folder / "environment.json", _environment())
    return folder


def _numbered(folder: Path) -> Path:
    number = 2
    candidate = folder
    while candidate.exists():
        candidate = folder.with_name(f"{folder.name}{number}")
        number += 1
    return candidate


def _config_of_run(folder: Path) -> TrainConfig:
    content = artifacts.read_json(folder / "config.json", schema=_RUN_SCHEMA, error=UsageError)
    if not (folder / "weights" / "last.pt").is_file():
        raise UsageError(
            f"{folder} has no weights/last.pt: it was stopped before its first epoch ended",
            hint="Start it anew.",
        )
    config = resolve(TrainConfig, flags=content["config"])
    return replace(config, resume=folder)


def _checked_dataset(config: TrainConfig) -> LabelScheme:
    """The classes of the data set, once its files are those of its manifest."""
    folder = _data(config)
    content = artifacts.read_json(folder / "dataset.json", schema=_DATASET_SCHEMA)
    if content["task"] != config.task:
        raise UsageError(f"{folder} is for {content['task']}, not for {config.task}")
    if content["manifest_sha256"] != artifacts.sha256_of_file(folder / FILE_NAME):
        raise DataError(
            f"{folder / FILE_NAME} is not the manifest that dataset.json speaks of",
            hint="Prepare the data set again.",
        )
    missing = [s.path for s in read_manifest(folder) if not (folder / s.path).is_file()]
    if missing:
        raise DataError(f"{folder}: {len(missing)} pictures are missing, the first is {missing[0]}")
    scheme = LabelScheme(tuple(content["classes"]), frozenset(content["blasts"]))
    for known in (FIELD, MATURITY):
        if scheme == known:
            return known
    return scheme


def _data(config: TrainConfig) -> Path:
    if config.data is None:
        raise UsageError("no data set was given")
    return config.data


def _trainer(config: TrainConfig, folder: Path, scheme: LabelScheme) -> Any:
    arguments = _arguments(config, folder)
    if config.task == "detect":
        from yolo_leuk.train.detect_trainer import FieldTrainer

        return FieldTrainer(
            arguments,
            _data(config),
            scheme,
            config.fields,
            config.optimise.samples_per_epoch,
            config.px_per_rbc,
            config.workers,
            config.leave_out,
        )
    from yolo_leuk.train.classify_trainer import CellTrainer

    return CellTrainer(
        arguments,
        _data(config),
        scheme,
        config.cells,
        config.optimise.samples_per_epoch,
        config.optimise.label_smoothing,
        config.workers,
        config.leave_out,
    )


def _arguments(config: TrainConfig, folder: Path) -> dict[str, Any]:
    """Our recipe in the words of Ultralytics."""
    optimise = config.optimise
    last = folder / "weights" / "last.pt"
    arguments: dict[str, Any] = {
        "task": config.task,
        "model": architecture(config.arch, config.task).yamls[config.task],
        "epochs": config.epochs,
        "batch": optimise.batch,
        "nbs": optimise.batch,  # no accumulation: a step is a batch
        "imgsz": config.fields.size_px if config.task == "detect" else config.cells.size_px,
        "optimizer": "AdamW",
        "lr0": optimise.learning_rate,
        "lrf": 0.02,
        "cos_lr": True,
        "warmup_epochs": 1,
        "weight_decay": optimise.weight_decay,
        "dropout": optimise.dropout if config.task == "classify" else 0.0,
        "patience": config.epochs,
        "close_mosaic": 0,
        "pretrained": False,
        # The check before mixed precision downloads a model; bfloat16 needs no check.
        "amp": "bf16" if config.device != "cpu" and _has_bfloat16() else False,
        "device": config.device,
        "seed": config.seed,
        "deterministic": True,
        "plots": False,
        "verbose": False,
        "save_dir": str(folder),
        "project": str(folder.parent),
        "name": folder.name,
        "exist_ok": True,
    }
    if config.resume is not None:
        arguments |= {"model": str(last), "resume": str(last)}
    return arguments


def _has_bfloat16() -> bool:
    import torch

    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())


def _take_over(trainer: Any, config: TrainConfig, logger: logging.Logger) -> str:
    """Start from the weights of ``config.init``; returns what was taken over, in words."""
    if config.init is None or config.resume is not None:
        return "none" if config.init is None else f"resumed from {config.init.name}"
    donor = ultralytics.load_checkpoint(config.init).state_dict()
    trainer.setup_model()
    own = trainer.model.state_dict()
    twins = {k: v for k, v in donor.items() if k in own and own[k].shape == v.shape}
    if not twins:
        raise ModelError(f"{config.init} shares no tensor with {config.arch} for {config.task}")
    trainer.model.load_state_dict(twins, strict=False)
    text = f"{len(twins)} of {len(own)} tensors of {config.init.name}"
    logger.info("started from %s", text)
    return text


def _facts(config: TrainConfig, trainer: Any) -> dict[str, Any]:
    """What a card says of a training, with no path of this machine in it."""
    folder = _data(config)
    content = artifacts.read_json(folder / "dataset.json", schema=_DATASET_SCHEMA)
    return {
        "data": folder.name,
        "sources": [source["title"] for source in content["sources"]],
        "left_out": list(config.leave_out),
        "manifest_sha256": content["manifest_sha256"],
        "split": "train; thresholds and choice of epoch on val; test never seen",
        "warnings": content["warnings"],
        "config": as_plain(config, whole_paths=False),
        "machine": _environment()["device"],
        "epochs_run": int(trainer.epoch) + 1,
    }


def _export(
    config: TrainConfig, folder: Path, scheme: LabelScheme, facts: dict[str, Any]
) -> tuple[Path, ModelCard]:
    net = ultralytics.load_checkpoint(folder / "weights" / "best.pt")
    path = folder / "weights" / "best.onnx"
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    if config.task == "detect":
        from yolo_leuk.train.field_dataset import field_pictures
        from yolo_leuk.train.finish_detector import export_with_thresholds

        validation = [
            picture
            for picture in field_pictures(_data(config), "val")
            if picture.source not in config.leave_out
        ]
        return path, export_with_thresholds(
            net,
            path,
            validation,
            architecture=config.arch,
            scheme=scheme,
            px_per_rbc=config.px_per_rbc,
            date=date,
            training=facts,
        )
    from yolo_leuk.train.cells import load_cells
    from yolo_leuk.train.finish_classifier import export_calibrated

    return path, export_calibrated(
        net,
        path,
        load_cells(_data(config), "train", scheme, config.leave_out),
        load_cells(_data(config), "val", scheme, config.leave_out),
        recipe=config.cells,
        architecture=config.arch,
        scheme=scheme,
        date=date,
        training=facts,
        seed=config.seed,
    )


def _environment() -> dict[str, Any]:
    import torch

    cuda = torch.cuda.is_available()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ultralytics": ultralytics.quiet().__version__,
        "device": torch.cuda.get_device_name(0) if cuda else f"CPU, {torch.get_num_threads()} threads",
    }


def _log_to(file: Path) -> logging.Logger:
    logger = logging.getLogger("yolo_leuk.train")
    logger.setLevel(logging.INFO)
    logger.handlers = [logging.FileHandler(file), logging.StreamHandler()]
    for handler in logger.handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    return logger
