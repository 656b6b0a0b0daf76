"""Which image files a run is about, and what they are called in its results."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from yolo_leuk.errors import DataError
from yolo_leuk.images import SUFFIXES

Failure = tuple[Path, DataError]
"""An input that could not be used, and why."""


def list_images(inputs: Iterable[Path]) -> tuple[list[Path], list[Failure]]:
    """Image files that ``inputs`` name, each once, in the order given.

    A folder stands for the pictures that lie in it (not in its subfolders), in natural order;
    hidden files and other suffixes are passed over. A path that is no folder is taken as it is:
    whether it is a picture is found when it is read.

    Returns:
        The files, and the folders without pictures or that cannot be read.
    """
    images: dict[Path, Path] = {}
    failures: list[Failure] = []
    for path in inputs:
        try:
            found = _pictures_in(path) if is_folder(path) else [path]
        except DataError as error:
            failures.append((path, error))
            continue
        for image in found:
            images.setdefault(image.absolute(), image)
    return list(images.values()), failures


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False where it cannot be told, which reading it will explain."""
    try:
        return path.is_dir()
    except OSError:
        return False


def display_name(path: Path) -> str:
    """A file's name without its folder, as text that can always be written.

    On Linux a name may hold bytes that are no UTF-8; they become replacement characters.
    """
    name = path.name or path.resolve().name
    return os.fsencode(name).decode("utf-8", "replace")


def run_name(first_input: Path) -> str:
    """What a run is called after the first thing that it is about."""
    name = display_name(first_input)
    return name if is_folder(first_input) else Path(name).stem


def is_synthetic(path: Path) -> bool:
    """Whether a truth file beside a picture (``<stem>.json``) says that a program drew it."""
    try:
        truth = json.loads(path.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        # No such file, or somebody's JSON that is none of ours: then nothing is known.
        return False
    return isinstance(truth, dict) and truth.get("synthetic") is True


def _pictures_in(folder: Path) -> list[Path]:
    try:
        files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot read folder {folder}: {error.strerror or error}") from error
    pictures = [p for p in files if p.suffix.lower() in SUFFIXES]
    if not pictures:
        raise DataError(
            f"no pictures in folder {folder}: expected {', '.join(sorted(SUFFIXES))}, "
            f"found {len(files)} other files",
            hint="Pictures in subfolders are not looked for: name those folders.",
        )
    return sorted(pictures, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts ``smear2`` before ``smear10``."""
    parts = re.findall(r"(\d+)|(\D+)", path.name.casefold())
    return [(int(number), "") if number else (0, text) for number, text in parts]
