"""One line on standard error that tells how far a run is, on a terminal only."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from yolo_leuk.detect.inputs import display_name

_BAR_COLUMNS = 24


def with_progress(images: Sequence[Path], *, enabled: bool) -> Iterator[Path]:
    """The same images, one by one, with a bar while they are worked on."""
    if not (enabled and sys.stderr.isatty()):
        yield from images
        return
    try:
        for done, image in enumerate(images):
            _show(done, len(images), display_name(image))
            yield image
    finally:
        _rewrite_line("")


def _show(done: int, total: int, name: str) -> None:
    filled = _BAR_COLUMNS * done // total
    bar = "█" * filled + "░" * (_BAR_COLUMNS - filled)
    _rewrite_line(f"{bar} {done + 1}/{total} {name}")


def _rewrite_line(text: str) -> None:
    columns = shutil.get_terminal_size().columns - 1
    # A terminal's encoding may lack the bar or a letter of a file's name.
    encoding = sys.stderr.encoding or "utf-8"
    shown = text[:columns].encode(encoding, "replace").decode(encoding)
    sys.stderr.write(f"\r{shown}\x1b[K")
    sys.stderr.flush()
