"""Many items on all cores, results in the order of the items, and no process left behind."""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType
from typing import TypeVar

import cv2

# Fewer are done sooner than processes start.
_LEAST_ITEMS = 16

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Items that go to a worker at once, and how many such chunks are under way for each worker. What is
# done but not yet taken up is lost when the run is killed: at most eight items per worker.
_CHUNK = 4
_CHUNKS_UNDER_WAY = 2


# Of glibc's malloc.h; the largest threshold that it takes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 32 << 20


class Workers:
    """Processes that do one thing after the other; they start when there is enough to do.

    They are spawned, not forked: a fork copies the locks of OpenCV's threads without the threads,
    and waits for ever.

    Args:
        number: How many; 1 means this process itself.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._pool: ProcessPoolExecutor | None = None

    def in_order(
        self, function: Callable[[_Item], _Result], items: Sequence[_Item]
    ) -> Iterator[_Result]:
        """Results of a function that can be pickled, one by one.

        Workers do not run further ahead than a few items of whoever takes up their results.
        """
        if self._number == 1 or len(items) < _LEAST_ITEMS:
            return map(function, items)
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._number, context, initializer=_begin_worker)
        return self._in_order(self._pool, function, items)

    def _in_order(
        self,
        pool: ProcessPoolExecutor,
        function: Callable[[_Item], _Result],
        items: Sequence[_Item],
    ) -> Iterator[_Result]:
        under_way: deque[Future[list[_Result]]] = deque()
        for start in range(0, len(items), _CHUNK):
            if len(under_way) == self._number * _CHUNKS_UNDER_WAY:
                yield from under_way.popleft().result()
            under_way.append(pool.submit(_results, function, items[start : start + _CHUNK]))
        while under_way:
            yield from under_way.popleft().result()

    def rest(self) -> None:
        """End the processes until there is work again: even idle ones hold memory."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes; after an error without doing what is left."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _results(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    return [function(item) for item in items]


def _begin_worker() -> None:
    # As many workers as cores leave nothing for OpenCV's own threads.
    cv2.setNumThreads(1)
    _keep_freed_memory()
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _keep_freed_memory() -> None:
    """Have glibc keep what pictures leave for those that follow.

    It gives large arrays back to the system, which clears them anew: a fifth of the time in which
    cells are found.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _die_with_parent() -> None:
    """End when the main process is killed: a worker would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
