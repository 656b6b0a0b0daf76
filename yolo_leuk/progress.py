"""One line on standard error that tells how far a run is, on a terminal only."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator

_BAR_COLUMNS = 24


@contextlib.contextmanager
def progress_bar(total: int, *, enabled: bool) -> Iterator[Callable[[int, str], None]]:
    """Hand out a function that shows how many of ``total`` are done and the name of the next.

    The line is gone when the block is left, so that an error begins on a line of its own.
    """
    if not (enabled and sys.stderr.isatty()):
        yield lambda _done, _name: None
        return

    def show(done: int, name: str) -> None:
        filled = _BAR_COLUMNS * done // total
        bar = "█" * filled + "░" * (_BAR_COLUMNS - filled)
        _rewrite_line(f"{bar} {done + 1}/{total} {name}")

    try:
        yield show
    finally:
        _rewrite_line("")


def _rewrite_line(text: str) -> None:
    columns = shutil.get_terminal_size().columns - 1
    # A terminal's encoding may lack the bar or a letter of a file's name.
    encoding = sys.stderr.encoding or "utf-8"
    shown = text[:columns].encode(encoding, "replace").decode(encoding)
    sys.stderr.write(f"\r{shown}\x1b[K")
    sys.stderr.flush()
