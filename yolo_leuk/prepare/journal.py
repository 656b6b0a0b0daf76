"""What of a run is done already: one line of JSON per item, so that a killed run goes on there."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from yolo_leuk.errors import OutputError


class Journal:
    """A file of (key, JSON value) that only grows.

    A line that a kill tore in two is dropped when the file is opened again: what it spoke of is
    done anew.

    Args:
        path: The file; made if it is not there.

    Attributes:
        done: What earlier runs have written, by key.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: dict[str, Any] = {}
        whole = self._read()
        try:
            self._stream = path.open("ab")
            self._stream.truncate(whole)
        except OSError as error:
            raise self._cannot_write(error) from error

    def add(self, key: str, value: Any) -> None:
        """Write down that ``key`` is done. Raises OutputError."""
        line = json.dumps([key, value], ensure_ascii=False, separators=(",", ":"))
        try:
            self._stream.write(line.encode() + b"\n")
            # To the system, not to the disk: it outlives this process, which is what can be killed.
            self._stream.flush()
        except OSError as error:
            raise self._cannot_write(error) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def _read(self) -> int:
        """Take in all whole lines; returns how many bytes they are."""
        if not self._path.is_file():
            return 0
        whole = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                key, value = json.loads(line)
            except ValueError:
                break
            self.done[key] = value
            whole += len(line)
        return whole

    def _cannot_write(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write {self._path}: {error.strerror or error}",
            hint="Make room or rights there, and run the same command again: it goes on.",
        )
