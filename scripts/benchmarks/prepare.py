"""`prepare` beside plain reading, decoding and writing of the same files by as many processes."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.memory import PeakMemory
from yolo_leuk.images import SUFFIXES
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.run import run
from yolo_leuk.workers import Workers

_CNMC_SIZED = 2000
_SUBJECTS = 40

Work = tuple[Path, Path]


def benchmark(data: Path, rounds: int, workers: int) -> None:
    """Print, per source and level, both times and their ratio, and the most memory held."""
    number = workers or os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        cells = _cells_on_black(Path(name) / "cnmc")
        print(f"{number} processes, median of {rounds} rounds")
        print(f"{'source':10} {'level':6} {'plain s':>8} {'prepare s':>10} {'ratio':>6} {'MiB':>6}")
        for source in (data / "all4", cells):
            for level in ("image", "cell"):
                plain, ours, memory = _measured(source, level, rounds, number, Path(name))
                print(
                    f"{source.name:10} {level:6} {plain:8.1f} {ours:10.1f} {ours / plain:6.2f} "
                    f"{memory:6.0f}",
                    flush=True,
                )


def _measured(
    source: Path, level: str, rounds: int, workers: int, scratch: Path
) -> tuple[float, float, float]:
    """Median seconds of the plain way and of ours, and our peak of memory in MiB."""
    plain, ours, memory = [], [], []
    for number in range(rounds):
        plain.append(_plain_seconds(source, scratch / f"plain{number}", workers))
        config = PrepareConfig(
            sources=(source,),
            level="image" if level == "image" else "cell",
            out=scratch / f"ours{number}",
            workers=workers,
        )
        begin = time.perf_counter()
        with PeakMemory() as peak:
            run(config)
        ours.append(time.perf_counter() - begin)
        memory.append(peak.mebibytes)
        for made in ("plain", "ours"):
            shutil.rmtree(scratch / f"{made}{number}")
    return statistics.median(plain), statistics.median(ours), max(memory)


def _plain_seconds(source: Path, out: Path, workers: int) -> float:
    begin = time.perf_counter()
    out.mkdir()
    work = [
        (path, out / f"{number:06d}.png") for number, path in enumerate(_labelled_pictures(source))
    ]
    with Workers(workers) as pool:
        for _ in pool.in_order(_copied, work):
            pass
    return time.perf_counter() - begin


def _labelled_pictures(source: Path) -> Sequence[Path]:
    """Those that ``prepare`` takes: ALL-4's masks are not among them."""
    root = source / "Original" if (source / "Original").is_dir() else source
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)


def _copied(work: Work) -> None:
    """Read, decode and write one picture, with nothing but OpenCV."""
    source, to = work
    picture = cv2.imread(str(source))
    if picture is None or not cv2.imwrite(str(to), picture):
        raise SystemExit(f"cannot copy {source} to {to}")


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
