"""The table of samples of a data set: read, write, check.

``manifest.csv`` lies beside the pictures it speaks of. Its rows say where each picture comes from,
which group it belongs to, and which split it may be used in.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts
from yolo_leuk.errors import LeakageError, ManifestError
from yolo_leuk.records import Sample

COLUMNS = tuple(f.name for f in dataclasses.fields(Sample))
SPLITS = ("train", "val", "test")
FILE_NAME = "manifest.csv"
CONTACT_SHEET = "contact-sheet.jpg"
"""A page of some pictures that lies beside a manifest and is none of them."""

_PARSERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str}


def write_manifest(path: Path, samples: Sequence[Sample]) -> None:
    """Check the samples and write them, sorted by id, so that the same samples give the same bytes.

    Raises:
        ManifestError: A row breaks the schema.
        LeakageError: A group or a source file stands in two splits.
    """
    check_samples(samples, str(path))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sample in sorted(samples, key=lambda s: s.sample_id):
        writer.writerow([_as_text(value) for value in vars(sample).values()])
    artifacts.write_text(path, stream.getvalue())


def read_manifest(path: Path) -> list[Sample]:
    """Read and check a manifest.

    Args:
        path: The file, or the folder that holds ``manifest.csv``.

    Raises:
        ManifestError: The file is missing or breaks the schema.
        LeakageError: A group or a source file stands in two splits.
    """
    file = path / FILE_NAME if path.is_dir() else path
    rows = _rows_of(file)
    if not rows or tuple(rows[0]) != COLUMNS:
        found = ", ".join(rows[0]) if rows else "none"
        raise ManifestError(f"{file}: expected the columns {', '.join(COLUMNS)}, found {found}")
    samples = [_parse(row, f"{file}, line {number}") for number, row in enumerate(rows[1:], 2)]
    check_samples(samples, str(file))
    return samples


def check_samples(samples: Sequence[Sample], where: str) -> None:
    """Check the schema of every row and that no group and no file stands in two splits."""
    seen: set[str] = set()
    for sample in samples:
        if sample.sample_id in seen:
            raise ManifestError(f"{where}: sample_id {sample.sample_id!r} stands twice")
        seen.add(sample.sample_id)
        if sample.split not in SPLITS:
            raise ManifestError(
                f"{where}: split of {sample.sample_id} is {sample.split!r}, not one of {SPLITS}"
            )
        if not sample.group:
            raise ManifestError(f"{where}: {sample.sample_id} has no group")
        if not (math.isfinite(sample.px_per_rbc) and sample.px_per_rbc > 0):
            raise ManifestError(
                f"{where}: px_per_rbc of {sample.sample_id} is {sample.px_per_rbc}, not above 0"
            )
        expected = {"test": sample.fold == -1, "val": sample.fold == 0, "train": sample.fold > 0}
        if not expected[sample.split]:
            raise ManifestError(
                f"{where}: {sample.sample_id} is in split {sample.split} and fold {sample.fold}; "
                "test is −1, val is 0, train is above 0"
            )
    for what, key in (("group", "group"), ("file", "sha256")):
        _check_in_one_split(samples, what, key, where)


def _rows_of(file: Path) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    except OSError as error:
        raise ManifestError(
            f"cannot read the manifest {file}: {error.strerror or error}",
            hint="Give the folder that `yolo-leuk prepare` wrote.",
        ) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise ManifestError(f"{file} is no table: {error}") from error


def _check_in_one_split(samples: Sequence[Sample], what: str, key: str, where: str) -> None:
    home: dict[str, Sample] = {}
    for sample in samples:
        first = home.setdefault(getattr(sample, key), sample)
        if first.split != sample.split:
            raise LeakageError(
                f"{where}: one {what} in two splits: {first.sample_id} is in {first.split}, "
                f"{sample.sample_id} in {sample.split} ({key} {getattr(sample, key)})"
            )


def _parse(row: list[str], where: str) -> Sample:
    if len(row) != len(COLUMNS):
        raise ManifestError(f"{where}: expected {len(COLUMNS)} values, found {len(row)}")
    values = {}
    for field, text in zip(dataclasses.fields(Sample), row, strict=True):
        try:
            values[field.name] = _PARSERS[str(field.type)](text)
        except ValueError as error:
            raise ManifestError(f"{where}: {field.name} is {text!r}, not {field.type}") from error
    return Sample(**values)


def _as_text(value: object) -> str:
    # Every digit: a window that is rebuilt from a rounded ruler can be a pixel too wide.
    return repr(value) if isinstance(value, float) else str(value)
