"""The files of a run beside its checkpoints: configuration, environment, log, table of epochs."""

from __future__ import annotations

import contextlib
import csv
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.errors import UsageError

_SCHEMA = "yolo-leuk/train-run/1"
_CONFIG = "config.json"
_ENVIRONMENT = "environment.json"
_EPOCHS = "results.csv"
_LOG = "train.log"


def begin(
    folder: Path, config: dict[str, Any], init_sha256: str, environment: dict[str, Any]
) -> None:
    """Write the first files of a run.

    Args:
        folder: New or empty.
        config: With every default filled in.
        init_sha256: Of the checkpoint that the run starts from; empty where it starts from none.
        environment: Versions and machine.

    Raises:
        UsageError: The folder holds something.
        OutputError: It cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} already holds something; a run is written into a new or empty folder",
            hint=f"Go on with a run by --resume {folder}, or choose another folder with --out.",
        )
    # The configuration comes first; a folder without one was never a run.
    start = {"schema": _SCHEMA, "version": __version__, "config": config}
    artifacts.write_json(folder / _CONFIG, {**start, "init_sha256": init_sha256})
    artifacts.write_json(folder / _ENVIRONMENT, environment)


def stored_config(folder: Path) -> dict[str, Any]:
    """The configuration that a run was started with. Raises UsageError where there is none."""
    return dict(_start_of(folder)["config"])


def stored_init_sha256(folder: Path) -> str:
    """SHA-256 of the checkpoint that a run started from; empty where it started from none."""
    return str(_start_of(folder).get("init_sha256", ""))


def _start_of(folder: Path) -> dict[str, Any]:
    return artifacts.read_json(folder / _CONFIG, schema=_SCHEMA, error=UsageError)


def last_checkpoint(folder: Path) -> Path:
    """The checkpoint that a stopped run goes on from. Raises UsageError where there is none."""
    checkpoint = folder / "weights" / "last.pt"
    if not checkpoint.is_file():
        raise UsageError(
            f"{folder} has no weights/last.pt: it was stopped before its first epoch ended",
            hint="Start it anew in another folder.",
        )
    return checkpoint


def keep_epochs(folder: Path, count: int) -> None:
    """Drop from the table what was written of an epoch whose checkpoint was not."""
    table = folder / _EPOCHS
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    if len(lines) > 1 + count:
        artifacts.write_text(table, "".join(lines[: 1 + count]))


def seconds_spent(folder: Path) -> float:
    """What all epochs in the table took together; 0 before the first."""
    table = folder / _EPOCHS
    if not table.is_file():
        return 0.0
    with table.open(encoding="utf-8", newline="") as stream:
        times = [float(row["time"]) for row in csv.DictReader(stream)]
    return times[-1] if times else 0.0


@contextlib.contextmanager
def logger_of(folder: Path) -> Iterator[logging.Logger]:
    """A logger that writes to the run's log and to standard error while the block lasts."""
    logger = logging.getLogger("yolo_leuk.train")
    logger.setLevel(logging.INFO)
    handlers: list[logging.Handler] = [
        logging.FileHandler(folder / _LOG, encoding="utf-8"),
        logging.StreamHandler(),
    ]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
    try:
        yield logger
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
