"""The files of a run beside its checkpoints: configuration, environment, log, table of epochs."""

from __future__ import annotations

import contextlib
import csv
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.errors import DataError, UsageError

_SCHEMA = "yolo-leuk/train-run/1"
_CONFIG = "config.json"
_ENVIRONMENT = "environment.json"
_EPOCHS = "results.csv"
_LOG = "train.log"


def begin(
    folder: Path,
    config: dict[str, Any],
    environment: dict[str, Any],
    *,
    manifest_sha256: str,
    init_sha256: str,
) -> None:
    """Write the first files of a run.

    Args:
        folder: New or empty.
        config: With every default filled in.
        environment: Versions and machine.
        manifest_sha256: Of the data set.
        init_sha256: Of the checkpoint that the run starts from; empty where it starts from none.

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
    start = {
        "schema": _SCHEMA,
        "version": __version__,
        "config": config,
        "manifest_sha256": manifest_sha256,
        "init_sha256": init_sha256,
    }
    artifacts.write_json(folder / _CONFIG, start)
    artifacts.write_json(folder / _ENVIRONMENT, environment)


def stored_config(folder: Path) -> dict[str, Any]:
    """The configuration that a run was started with. Raises UsageError where there is none."""
    return dict(_start_of(folder)["config"])


def stored_init_sha256(folder: Path) -> str:
    """SHA-256 of the checkpoint that a run started from; empty where it started from none."""
    return str(_start_of(folder).get("init_sha256", ""))


def check_same_data(folder: Path, manifest_sha256: str) -> None:
    """A run goes on with the data that it began with: another split would leak.

    Raises:
        DataError: The data set was prepared anew.
    """
    begun_with = _start_of(folder).get("manifest_sha256", manifest_sha256)  # older runs tell none
    if begun_with != manifest_sha256:
        raise DataError(
            f"{folder} was begun with the manifest of SHA-256 {begun_with}; "
            f"that of its data set is {manifest_sha256} now",
            hint="Prepare the data set as it was, or start a new run.",
        )


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


def epochs(folder: Path) -> dict[str, list[float]]:
    """The table of epochs, by column; empty before the first."""
    table = folder / _EPOCHS
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {column: [float(row[column]) for row in rows] for column in rows[0]} if rows else {}


def seconds_spent(folder: Path) -> float:
    """What all epochs in the table took together; 0 before the first."""
    return epochs(folder).get("time", [0.0])[-1]


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
