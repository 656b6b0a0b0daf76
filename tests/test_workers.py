"""Work on several processes: in order, and gone when its parent is."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fresh_process import environment
from yolo_leuk.workers import Workers

PARENT = """
import os, sys, time
from yolo_leuk.workers import Workers

def noted(number):
    with open(f"{sys.argv[1]}/{os.getpid()}", "w"):
        pass
    time.sleep(0.2)

if __name__ == "__main__":
    with Workers(2) as workers:
        list(workers.in_order(noted, range(10_000)))
"""


def square(number: int) -> int:
    return number * number


def note(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def refuse(number: int) -> int:
    if number == 40:
        raise ValueError("forty")
    return number


@pytest.mark.parametrize("number", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(number):
    with Workers(number) as workers:
        assert list(workers.in_order(square, range(100))) == [n * n for n in range(100)]
        assert list(workers.in_order(square, range(3))) == [0, 1, 4]


@pytest.mark.parametrize("number", [1, 2])
def test_an_error_in_a_worker_is_an_error_here(number):
    with Workers(number) as workers, pytest.raises(ValueError, match="forty"):
        list(workers.in_order(refuse, range(100)))


def test_workers_do_not_run_ahead_of_whoever_takes_up_their_results(tmp_path):
    """What is done but not taken up is lost when the parent is killed."""
    with Workers(2) as workers:
        results = workers.in_order(functools.partial(note, tmp_path), range(200))
        taken = [next(results) for _ in range(20)]
        time.sleep(1)
        assert taken == list(range(20))
        assert 20 <= len(list(tmp_path.iterdir())) <= 20 + 2 * 8


def test_processes_at_rest_are_gone_and_others_do_what_comes_next():
    with Workers(2) as workers:
        before = set(workers.in_order(pid_of, range(40)))
        workers.rest()
        assert not any(is_alive(pid) for pid in before)
        assert list(workers.in_order(square, range(40))) == [n * n for n in range(40)]
        workers.rest()
        workers.rest()


def pid_of(_number: int) -> int:
    return os.getpid()


def test_workers_run_though_this_process_has_used_threads_of_opencv():
    picture = np.zeros((2000, 2000, 3), np.uint8)
    cv2.GaussianBlur(picture, (0, 0), 5)
    with Workers(2) as workers:
        assert list(workers.in_order(blurred, range(40))) == [0] * 40


def blurred(number: int) -> int:
    picture = np.zeros((500, 500, 3), np.uint8)
    return int(cv2.GaussianBlur(picture, (0, 0), 1 + number % 3).max())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_workers_of_a_killed_run_are_gone_soon(tmp_path):
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    script.write_text(PARENT)
    pids.mkdir()
    parent = subprocess.Popen([sys.executable, script, pids], env=environment(tmp_path))
    until(lambda: len(list(pids.iterdir())) == 2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not any(is_alive(int(p.name)) for p in pids.iterdir()))


def until(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process still runs; one that nobody has buried does not."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return state != "" and not state.startswith("Z")
