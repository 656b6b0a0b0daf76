"""What runs in a process of its own: open a model, show it pictures, tell the time and the memory.

Called as ``python -m yolo_leuk.benchmark.one_row`` with a JSON object on standard input, the fields
of :class:`Task`; what it found, or the error, is a JSON object on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk.errors import UsageError, YoloLeukError


@dataclass(frozen=True)
class Task:
    """What one process measures.

    Attributes:
        file: Of the net, the ensemble or the pipeline.
        part: ``image`` runs a pipeline; anything else a net.
        batch: Pictures in a batch.
        runs: That are counted.
        warm_up: Runs before them.
        cores: That may be used; None: all.
        image: That a pipeline is shown.
        trust: Run a net although its hash differs from its card.
    """

    file: str
    part: str
    batch: int
    runs: int
    warm_up: int
    cores: int | None
    image: str
    trust: bool


def measured(task: Task) -> dict[str, Any]:
    """Open the model of a task and run it.

    Raises:
        UsageError: This system cannot leave cores aside.
        ModelError: The model cannot be opened or run.
    """
    _keep_to(task.cores)
    from yolo_leuk.backends.net import usable_cores

    begun = time.perf_counter()
    run = _image_runner(task) if task.part == "image" else _net_runner(task)
    load_ms = _since(begun)
    for _ in range(task.warm_up):
        run()
    latencies_ms = [_timed(run) for _ in range(task.runs)]
    return {
        "load_ms": load_ms,
        "latencies_ms": latencies_ms,
        "peak_mib": peak_mib(),
        "cores": usable_cores(),
    }


def peak_mib() -> float | None:
    """The most memory that this process held so far; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: its figure begins with what the parent process held.
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return None


def _net_runner(task: Task) -> Callable[[], object]:
    import numpy as np

    from yolo_leuk.backends.net import open_net

    net = open_net(Path(task.file), trust=task.trust)
    side = net.card.input_px
    shape = (task.batch, side, side, 3)
    batch = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return lambda: net.run(batch)


def _image_runner(task: Task) -> Callable[[], object]:
    from yolo_leuk.images import load_image
    from yolo_leuk.pipeline import Pipeline

    pipeline = Pipeline.load(Path(task.file), trust=task.trust)
    path = Path(task.image)
    loaded = load_image(path)
    return lambda: pipeline.run(loaded, path.name)


def _keep_to(cores: int | None) -> None:
    """Let this process use so many cores; the runtimes take a thread for each."""
    if cores is None:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise UsageError(
            "this system cannot keep a process to some of its cores",
            hint="Leave `cores` away.",
        )
    usable = sorted(os.sched_getaffinity(0))
    if cores > len(usable):
        raise UsageError(f"cores is {cores}; this process may use {len(usable)}")
    os.sched_setaffinity(0, usable[:cores])


def _timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return _since(begun)


def _since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Read a task, write what came of it."""
    task = Task(**json.loads(sys.stdin.read()))
    try:
        found = measured(task)
    except YoloLeukError as error:
        found = {"error": type(error).__name__, "message": str(error), "hint": error.hint}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
