"""`prepare` beside plain reading, decoding and writing with OpenCV by as many processes.

There are two peers. One writes every picture that it reads. The other writes as many files of the
same sizes as ``prepare`` does: at cell level it cuts so many windows out of each picture. At image
level both are one.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.memory import PeakMemory
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.images import SUFFIXES
from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.run import run
from yolo_leuk.records import Image
from yolo_leuk.workers import Workers

_CNMC_SIZED = 2000
_SUBJECTS = 40

Sizes = Sequence[tuple[int, int]]
"""Width and height of each file that is written of a picture."""


@dataclass(frozen=True)
class _Cost:
    """What something took.

    Attributes:
        wall_s: Seconds that passed.
        cpu_s: Seconds of all processes together: what a busy machine changes little.
    """

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class _Copy:
    """One picture to read, and where it goes: whole, or as windows of these sizes."""

    source: Path
    to: Path
    windows: Sizes | None = None


def benchmark(data: Path, rounds: int, workers: int) -> None:
    """Print, per source, level and peer, the times, their ratios, and the most memory held."""
    number = workers or os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        cells = _cells_on_black(Path(name) / "cnmc")
        print(f"{number} processes, medians of {rounds} rounds")
        print(
            f"{'source':8} {'level':6} {'peer writes':18} {'peer s':>7} {'prepare s':>9} "
            f"{'ratio':>6} {'of CPU':>6} {'MiB':>5}"
        )
        for source in (data / "all4", cells):
            for level in ("image", "cell"):
                _compare(source, level, rounds, number, Path(name))


def _compare(source: Path, level: str, rounds: int, workers: int, scratch: Path) -> None:
    """Measure and print one level of one source, with all that is compared in every round."""
    config = PrepareConfig(
        sources=(source,),
        level="image" if level == "image" else "cell",
        out=scratch / "ours",
        workers=workers,
    )
    whole = [_Copy(path, scratch / "peer") for path in _labelled_pictures(source)]
    peers: dict[str, list[_Cost]] = {"the pictures": []}
    ours: list[_Cost] = []
    memory = 0.0
    for _ in range(rounds):
        with PeakMemory() as peak:
            cost = _cost(lambda: run(config))
        ours.append(_Cost(cost.wall_s, cost.cpu_s - peak.cpu_s))
        memory = max(memory, peak.mebibytes)
        peers["the pictures"].append(_peer(whole, workers))
        if level == "cell":
            same = _windows(whole, scratch / "ours")
            peers.setdefault("files like prepare", []).append(_peer(same, workers))
        shutil.rmtree(scratch / "ours")
    for what, costs in peers.items():
        peer_s, ours_s = (statistics.median(cost.wall_s for cost in both) for both in (costs, ours))
        peer_cpu, ours_cpu = (
            statistics.median(cost.cpu_s for cost in both) for both in (costs, ours)
        )
        print(
            f"{source.name:8} {level:6} {what:18} {peer_s:7.1f} {ours_s:9.1f} "
            f"{ours_s / peer_s:6.2f} {ours_cpu / peer_cpu:6.2f} {memory:5.0f}",
            flush=True,
        )


def _cost(work: Callable[[], object]) -> _Cost:
    wall, cpu = time.perf_counter(), _cpu_seconds()
    work()
    return _Cost(time.perf_counter() - wall, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended. Not on Windows."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peer(copies: Sequence[_Copy], workers: int) -> _Cost:
    folder = copies[0].to

    def work() -> None:
        folder.mkdir()
        with Workers(workers) as pool:
            for _ in pool.in_order(_copied, copies):
                pass

    cost = _cost(work)
    shutil.rmtree(folder)
    return cost


def _labelled_pictures(source: Path) -> Sequence[Path]:
    """Those that ``prepare`` takes: ALL-4's masks are not among them."""
    root = source / "Original" if (source / "Original").is_dir() else source
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)


def _windows(whole: Sequence[_Copy], prepared: Path) -> list[_Copy]:
    """The same pictures, of each of which as much is written as ``prepare`` has written of it."""
    sizes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for sample in read_manifest(prepared):
        sizes[sample.sha256].append((sample.width, sample.height))
    # Of two copies of a file, prepare has used one.
    return [
        _Copy(copy.source, copy.to, sizes.pop(sha256_of_file(copy.source), [])) for copy in whole
    ]


def _copied(copy: _Copy) -> None:
    """Read, decode and write one picture, with nothing but OpenCV."""
    picture = cv2.imread(str(copy.source))
    if picture is None:
        raise SystemExit(f"cannot read {copy.source}")
    decoded = np.asarray(picture, np.uint8)
    parts = [decoded] if copy.windows is None else _spread_windows(decoded, copy.windows)
    for number, part in enumerate(parts):
        to = copy.to / f"{copy.source.stem}-{number}.png"
        if not cv2.imwrite(str(to), part):
            raise SystemExit(f"cannot write {to}")


def _spread_windows(picture: Image, sizes: Sizes) -> list[Image]:
    """Windows along the diagonal, which runs over cells and over what lies between them."""
    windows = []
    for place, (width, height) in zip(np.linspace(0, 1, len(sizes)), sizes, strict=True):
        x = int(place * max(picture.shape[1] - width, 0))
        y = int(place * max(picture.shape[0] - height, 0))
        windows.append(picture[y : y + height, x : x + width])
    return windows


def _cells_on_black(root: Path) -> Path:
    """Pictures of the size, layout and look of C-NMC's: a textured cell on black, 450×450 BMP."""
    for number in range(_CNMC_SIZED):
        generator = np.random.default_rng(number)
        cell = np.zeros((450, 450, 3), np.uint8)
        cv2.circle(cell, (225, 225), int(generator.integers(80, 115)), (120, 60, 170), cv2.FILLED)
        grain = generator.integers(0, 40, cell.shape, np.uint8)
        label, prefix = ("hem", "H") if number % 2 else ("all", "")
        subject = number % _SUBJECTS
        name = f"UID_{prefix}{subject}_{number}_1_{label}.bmp"
        path = root / "training_data" / f"fold_{subject % 3}" / label / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".bmp", np.where(cell > 0, cell + grain, 0))[1].tobytes())
    return root
