"""The epochs of a run, in this process: all of them, or its share where several train together."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path
from typing import Any

from yolo_leuk.backends import ultralytics
from yolo_leuk.errors import ModelError
from yolo_leuk.train import run_folder
from yolo_leuk.train.config import TrainConfig
from yolo_leuk.train.dataset import TrainingData
from yolo_leuk.train.starting_weights import starting_checkpoint
from yolo_leuk.train.trainer import trainer_of


def train_epochs(
    config: TrainConfig,
    folder: Path,
    data: TrainingData,
    logger: logging.Logger,
    batch: int | None = None,
) -> None:
    """Train until the last epoch, or until they grow no better.

    Args:
        config: With every default filled in.
        folder: Of the run; its table holds the epochs that are done, and no other.
        data: What it learns from.
        logger: Is told of each epoch.
        batch: As :func:`trainer_of` takes it.

    Raises:
        DataError: A picture cannot be read.
        ModelError: The checkpoint to start from shares nothing with the net.
    """
    trainer = trainer_of(config, folder, data, batch)
    donor = starting_net(config)
    if donor is not None:
        _take_over(trainer, donor, config, logger)
    elif not epochs_behind(config):
        logger.info("started from random weights")
    _set_clock_back(trainer, run_folder.seconds_spent(folder))
    _train(trainer, logger)


def epochs_behind(config: TrainConfig) -> int:
    """Whole epochs that a run to go on with has behind it; 0 of a new one."""
    if config.resume is None:
        return 0
    return ultralytics.epochs_done(run_folder.last_checkpoint(config.resume))


def starting_net(config: TrainConfig) -> Any:
    """The net to start from; None where there is none, or where the run goes on from its own.

    Raises:
        UsageError, ModelError: There is no such checkpoint, or it cannot be loaded.
    """
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


def _set_clock_back(trainer: Any, seconds: float) -> None:
    """Let the clock in the table of epochs go on after the last whole one."""

    def set_back(trainer: Any) -> None:
        trainer.train_time_start -= seconds

    trainer.add_callback("on_train_start", set_back)


def _train(trainer: Any, logger: logging.Logger) -> None:
    batch = trainer.batch_size

    def log_batch(trainer: Any) -> None:
        nonlocal batch
        if trainer.batch_size != batch:
            logger.info("out of memory: batch %d instead of %d", trainer.batch_size, batch)
            batch = trainer.batch_size

    def log_epoch(trainer: Any) -> None:
        found = trainer.metrics or {}  # the first of several processes validates alone
        figures = {k.partition("/")[2]: v for k, v in found.items() if "metrics/" in k}
        told = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        logger.info("epoch %d of %d: %s", trainer.epoch + 1, trainer.epochs, told)

    trainer.add_callback("on_train_epoch_start", log_batch)
    trainer.add_callback("on_fit_epoch_end", log_epoch)
    # Ultralytics draws its progress bar on standard output, which is for the result alone.
    with contextlib.redirect_stdout(sys.stderr):
        trainer.train()
    if trainer.epoch + 1 < trainer.epochs:
        logger.info("stopped: the last %d epochs were no better", trainer.args.patience)
