"""The place where a data set is made: beside its own, locked, and taken up again after a kill."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk import artifacts
from yolo_leuk.errors import DataError, OutputError
from yolo_leuk.prepare.journal import Journal

# Workers of a killed run hold its lock for the moment that they take to notice.
_WAIT_S = 5.0


@dataclass(frozen=True)
class Stage:
    """A data set in the making.

    Attributes:
        data: What becomes the data set.
        waiting: Where samples lie whose place in it is not known yet, with a folder per task.
        made: Journal of the pictures whose samples are made.
    """

    data: Path
    waiting: Path
    made: Journal


@contextlib.contextmanager
def staged(out: Path, fingerprint: str) -> Iterator[Stage]:
    """Hand out the stage of a data set, which becomes ``out`` when the block ends.

    It lies in ``.partial-<name>`` beside ``out``. A killed run leaves it, and so does one that ran
    out of room: the next run with the same fingerprint goes on in it, one with another fingerprint
    starts anew. Data that cannot be used leave nothing.

    Args:
        out: Must not exist, or be an empty folder.
        fingerprint: Of all that decides what comes out.

    Raises:
        OutputError: Something stands at ``out``, another run is at it, or it cannot be written.
    """
    from filelock import FileLock, Timeout

    _check_free(out)
    place = out.parent / f"{artifacts.PARTIAL}{out.name}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / "lock", timeout=_WAIT_S):
            _check_free(out)
            _begin(place, fingerprint)
            try:
                with Journal(place / "made.jsonl") as made:
                    yield Stage(place / "data", place / "waiting", made)
            except DataError:
                _remove(place)
                raise
            if out.exists():
                out.rmdir()
            (place / "data").replace(out)
            _remove(place)
    except Timeout as error:
        raise OutputError(
            f"another run is making {out}",
            hint="Wait until it is done, or choose another folder with --out.",
        ) from error
    except OSError as error:
        raise OutputError(
            f"cannot write {out}: {error.strerror or error}",
            hint="Make room or rights there, and run the same command again: it goes on.",
        ) from error


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(
            f"{out} already holds something; a new or empty folder is needed",
            hint="Choose another folder with --out, or remove that one yourself.",
        )


def _begin(place: Path, fingerprint: str) -> None:
    """Take up what a run of the same fingerprint left, or start with an empty stage."""
    stamp = place / "fingerprint"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != fingerprint:
        for left in ("data", "waiting"):
            shutil.rmtree(place / left, ignore_errors=True)
        (place / "made.jsonl").unlink(missing_ok=True)
        artifacts.write_text(stamp, fingerprint)
    (place / "data").mkdir(exist_ok=True)
    for task in ("classify", "detect"):
        (place / "waiting" / task).mkdir(parents=True, exist_ok=True)
    for torn in (place / "data").rglob(f"{artifacts.PARTIAL}*"):
        torn.unlink()


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
