"""Several GPUs of one machine: a process for each, which train one net together.

Ultralytics can start such processes itself, but it deletes the run folder first, rebuilds the
trainer from its arguments alone, and installs a package to hand over the rest. So they are started
here. Each is told its number as Ultralytics would tell it, gets the whole configuration, and trains
on its share of every batch; the first one alone validates and writes.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.net import usable_cores
from yolo_leuk.errors import ModelError, YoloLeukError
from yolo_leuk.train import run_folder
from yolo_leuk.train.config import TrainConfig
from yolo_leuk.train.dataset import TrainingData
from yolo_leuk.train.device import process_count
from yolo_leuk.train.epochs import train_epochs

_Failures = SimpleQueue[Exception]


def train_on_all(
    config: TrainConfig, folder: Path, data: TrainingData, logger: logging.Logger
) -> None:
    """As :func:`train_epochs`, on all GPUs of the configuration.

    A batch that does not fit in the first epoch is halved, which Ultralytics does on one GPU only.

    Raises:
        YoloLeukError: What a process ended with.
        ModelError: Not even one sample fits on each GPU, memory ran out in a later epoch, or a
            process was killed.
    """
    import torch

    ranks, batch = process_count(config.device), config.optimise.batch
    begun_with = _epochs_written(folder)
    while True:
        try:
            _train_together(config, folder, data, batch)
        except torch.OutOfMemoryError as error:
            if batch == ranks or _epochs_written(folder) > begun_with:
                raise ModelError(
                    f"a GPU ran out of memory with a batch of {batch}: {error}",
                    hint="Start a new run with a smaller optimise.batch, or on larger GPUs.",
                ) from error
            smaller = ranks * (batch // ranks // 2)
            logger.info("out of memory: batch %d instead of %d", smaller, batch)
            batch = smaller
        else:
            return


def _epochs_written(folder: Path) -> int:
    return len(run_folder.epochs(folder).get("epoch", ()))


def _train_together(config: TrainConfig, folder: Path, data: TrainingData, batch: int) -> None:
    """One try; raises what the first process that failed had raised."""
    from torch import multiprocessing as together
    from ultralytics.utils.dist import find_free_network_port

    failures: _Failures = multiprocessing.get_context("spawn").SimpleQueue()
    arguments = (config, folder, data, batch, find_free_network_port(), failures)
    try:
        together.spawn(_rank, arguments, nprocs=process_count(config.device))
    except (together.ProcessExitedException, together.ProcessRaisedException) as error:
        if not failures.empty():
            raise failures.get() from None
        if isinstance(error, together.ProcessRaisedException):
            raise
        raise ModelError(
            f"of the processes that train together, {error}",
            hint=f"Go on with the run by --resume {folder}.",
        ) from error


def _rank(
    number: int,
    config: TrainConfig,
    folder: Path,
    data: TrainingData,
    batch: int,
    port: int,
    failures: _Failures,
) -> None:
    """What each process does. Ultralytics looks for these names when it is imported."""
    # The kernel sends it when the parent is gone; a shell lets what it starts in the background
    # ignore it, and the ranks would train on alone.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ranks = process_count(config.device)
    os.environ.update(
        {
            "RANK": str(number),
            "LOCAL_RANK": str(number),
            "WORLD_SIZE": str(ranks),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
    )
    ultralytics.quiet()
    import torch

    torch.set_num_threads(max(1, usable_cores() // ranks))
    try:
        with _logger_of(number, folder) as logger:
            train_epochs(config, folder, data, logger, batch)
    except (YoloLeukError, torch.OutOfMemoryError) as error:
        failures.put(error)
        raise SystemExit(1) from error
    torch.distributed.destroy_process_group()


def _logger_of(number: int, folder: Path) -> contextlib.AbstractContextManager[logging.Logger]:
    """The run's log for the first process; a logger that tells nobody for the others."""
    if number == 0:
        return run_folder.logger_of(folder)
    logging.getLogger("ultralytics").setLevel(logging.ERROR)
    return contextlib.nullcontext(logging.getLogger("yolo_leuk.train"))
