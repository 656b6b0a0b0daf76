"""Samples that wait to the place that their split gives them, and to rows of the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.errors import OutputError
from yolo_leuk.prepare.samples import NewSample
from yolo_leuk.prepare.split.splits import Placement
from yolo_leuk.records import Sample


@dataclass(frozen=True)
class Origin:
    """What a sample has from the picture that it was made of."""

    source: str
    sha256: str
    subject: str
    group: str
    place: Placement


def placed(new: NewSample, origin: Origin, waiting: Path, folder: Path) -> Sample:
    """Move a sample from the waiting room into its data set, unless an earlier run did.

    Raises:
        OutputError: The folder cannot be written, or the sample is at neither place.
    """
    split = origin.place.split
    here = waiting / new.task
    if new.task == "classify":
        path = Path(split) / new.label / f"{new.name}.png"
    else:
        path = Path("images") / split / f"{new.name}.png"
        _move(here / f"{new.name}.txt", folder / "labels" / split / f"{new.name}.txt")
    _move(here / f"{new.name}.png", folder / path)
    return Sample(
        sample_id=new.name,
        path=path.as_posix(),
        source=origin.source,
        sha256=origin.sha256,
        width=new.width,
        height=new.height,
        label=new.label,
        subject=origin.subject,
        group=origin.group,
        split=split,
        fold=origin.place.fold,
        px_per_rbc=new.px_per_rbc,
        steps=new.steps,
    )


def drop(new: NewSample, waiting: Path) -> None:
    """Remove a sample that has no place: its picture is a copy of another."""
    for suffix in ("png", "txt"):
        (waiting / new.task / f"{new.name}.{suffix}").unlink(missing_ok=True)


def _move(source: Path, to: Path) -> None:
    try:
        source.replace(to)
    except FileNotFoundError:
        _move_with_care(source, to)
    except OSError as error:
        raise _cannot_write(to, error) from error


def _move_with_care(source: Path, to: Path) -> None:
    """Where ``to`` is the first of its folder, or an earlier run has moved it."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.exists():
            source.replace(to)
    except OSError as error:
        raise _cannot_write(to, error) from error
    if not to.exists():
        raise OutputError(
            f"{source} is gone, which this run had written",
            hint=f"Remove {source.parent.parent.parent}, and run the same command again.",
        )


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}")
