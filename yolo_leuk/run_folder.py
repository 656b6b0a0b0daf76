"""Where a run writes: a folder of its own, and in it one folder per image."""

from __future__ import annotations

import contextlib
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from yolo_leuk.errors import OutputError

# What a run writes itself; an image called ``report.html.jpg`` gets another folder.
CONFIG_NAME = "config.json"
REPORT_NAME = "report.html"

_MAX_NAME_BYTES = 180  # file systems take 255, and a number may follow
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass
class RunFolder:
    """A folder that was empty or absent when the run began.

    Attributes:
        path: The folder; it exists. Leaving the ``with`` block takes it away if it is unused.
        created: Folders that were made for it, the innermost first.
    """

    path: Path
    created: tuple[Path, ...]
    _taken: set[str] = field(default_factory=lambda: {CONFIG_NAME, REPORT_NAME})

    def claim(self, stem: str) -> Path:
        """A path for an image's own folder, which no other image of the run has.

        Safe on every system: no letters that Windows forbids, and no two names that differ in
        case or Unicode form only.
        """
        name = safe_name(stem)
        candidates = (name if n == 1 else f"{name}-{n}" for n in itertools.count(1))
        free = next(c for c in candidates if _key(c) not in self._taken)
        self._taken.add(_key(free))
        return self.path / free

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        """Take away the folders made for a run that has done nothing but write its settings."""
        # A folder that somebody has put something into in the meantime stays.
        with contextlib.suppress(OSError):
            if all(entry.name == CONFIG_NAME for entry in self.path.iterdir()):
                (self.path / CONFIG_NAME).unlink(missing_ok=True)
                for folder in self.created:
                    folder.rmdir()


def open_run_folder(out: Path | None, runs: Path, name: str) -> RunFolder:
    """Make the folder of a run.

    Args:
        out: The folder asked for: it may exist, but must be empty, so that nothing is overwritten.
            None: ``<name>`` in ``runs``, or the first of ``<name>2``, ``<name>3`` … that is free.
        runs: Where the runs of a verb lie: ``runs/detect``.
        name: Only used where ``out`` is None.

    Raises:
        OutputError: The folder holds something already, or cannot be made.
    """
    return _open_given(out) if out is not None else _open_numbered(runs, safe_name(name))


def free_folder(folder: Path) -> Path:
    """``folder``, or the first of ``<folder>2``, ``<folder>3`` … that is not there yet."""
    return next(candidate for candidate in _numbered(folder) if not candidate.exists())


def safe_name(name: str) -> str:
    """``name`` as a file name that every system takes; letters of any script stay."""
    safe = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    safe = safe.encode()[:_MAX_NAME_BYTES].decode(errors="ignore").strip(". ")
    if _WINDOWS_DEVICES.fullmatch(safe):
        safe += "_"
    return safe or "image"


def _open_given(out: Path) -> RunFolder:
    try:
        created = _missing_folders(out)
        out.mkdir(parents=True, exist_ok=True)
        is_empty = next(out.iterdir(), None) is None
    except OSError as error:
        raise _cannot_make(out, error) from error
    if not is_empty:
        raise OutputError(
            f"expected a new or an empty folder for the results, {out} holds files already",
            hint="Choose another folder with --out, or leave --out away: runs are numbered.",
        )
    return RunFolder(out, created)


def _open_numbered(root: Path, name: str) -> RunFolder:
    created = _missing_folders(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        path = next(candidate for candidate in _numbered(root / name) if _makes(candidate))
    except OSError as error:
        raise _cannot_make(root, error) from error
    return RunFolder(path, (path, *created))


def _numbered(folder: Path) -> Iterator[Path]:
    yield folder
    for number in itertools.count(2):
        yield folder.with_name(f"{folder.name}{number}")


def _makes(path: Path) -> bool:
    """Make a folder; False if there is one, perhaps since a moment ago, by another run."""
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True


def _missing_folders(path: Path) -> tuple[Path, ...]:
    return tuple(itertools.takewhile(lambda p: not p.exists(), (path, *path.parents)))


def _cannot_make(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot make folder {path}: {error.strerror or error}",
        hint="Choose another folder with --out.",
    )


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
