"""The most memory that a process and its children held at one time. Linux only."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType

_INTERVAL_S = 0.2


class PeakMemory:
    """Measures, while its block runs, the proportional set size of this process and its children.

    Pages that processes share are counted once in sum.

    Attributes:
        mebibytes: The peak so far; 0 where the system does not tell.
        cpu_s: What the measuring itself took of this process's time.
    """

    def __init__(self) -> None:
        self.mebibytes = 0.0
        self.cpu_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_INTERVAL_S):
            kibibytes = sum(_pss_kib(pid) for pid in _family(os.getpid()))
            self.mebibytes = max(self.mebibytes, kibibytes / 1024)
        self.cpu_s = time.thread_time()


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:  # it has ended in the meantime
                continue
    return found


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
