"""``yolo-leuk detect`` beside ``yolo predict`` from a cold start, and beside its own bare parts.

From a cold start: a process each, from the call to its end, on the same image with the same
detector. Ours measures the scale, classifies the white cells, draws and writes the report, too; the
peer writes its boxes, and draws nothing.

An image more in one run: what a run on three images takes beyond a run on one, halved, beside the
bare parts of one image: reading it, running the nets on what they were shown, writing the picture.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from peers import ultralytics_checkpoint

from benchmarks import random_nets
from yolo_leuk import artifacts
from yolo_leuk.backends.net import Arrays, Net, open_net
from yolo_leuk.detect.run import DetectConfig, run
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.images import load_image
from yolo_leuk.jpeg import encode_jpeg
from yolo_leuk.model_card import ModelCard
from yolo_leuk.pipeline import SCHEMA, Pipeline
from yolo_leuk.shipped import samples_folder, weights_folder

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = "smear.jpg"
COLD_AIM = 1 / 3
WARM_AIM = 1.10

_CLASSIFIER = "v11n-classify"
_DETECTOR = "v11n-detect"


@dataclass(frozen=True)
class Spent:
    """Time that something took.

    Attributes:
        wall_s: By the clock.
        cpu_s: Of all cores; a busy machine changes it less.
    """

    wall_s: float
    cpu_s: float


def benchmark(rounds: int, run_folder: Path | None) -> None:
    """Print both comparisons.

    Args:
        rounds: Of which medians are taken.
        run_folder: Of a detector that ``train`` made; None: one with random weights.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint, pipeline = _made(folder, run_folder)
        print(f"a cold start on {SAMPLE}; medians of {rounds} rounds")
        _print(_cold(checkpoint, pipeline, folder, rounds), "yolo predict", COLD_AIM)
        print(f"an image more in one run; medians of {rounds} rounds")
        _print(_warm(pipeline, folder, rounds), "its bare parts", WARM_AIM)


def _print(found: Mapping[str, Spent], peer: str, aim: float) -> None:
    print(f"{'side':24} {'s':>8} {'CPU s':>8} {'ratio':>7} {'of CPU':>7} {'aim':>6}")
    for name, spent in found.items():
        other = found[peer]
        print(
            f"{name:24} {spent.wall_s:8.2f} {spent.cpu_s:8.2f} {spent.wall_s / other.wall_s:7.2f} "
            f"{spent.cpu_s / other.cpu_s:7.2f} {1.0 if name == peer else aim:6.2f}",
            flush=True,
        )


def _made(folder: Path, run_folder: Path | None) -> tuple[Path, Path]:
    """A checkpoint for the peer, and a pipeline with the same detector for us."""
    weights = folder / "weights"
    weights.mkdir()
    checkpoint, detector = weights / "detector.pt", weights / "detector.onnx"
    if run_folder is not None:
        for source, target in (("best.pt", checkpoint), ("best.onnx", detector)):
            shutil.copyfile(run_folder / "weights" / source, target)
        shutil.copyfile(run_folder / "weights" / "best.json", detector.with_suffix(".json"))
    else:
        field = load_image(samples_folder() / SAMPLE).rgb
        net = random_nets.net("v11n", "detect", 0, random_nets.crops_of(field, 4, 320))
        ultralytics_checkpoint.write(net, checkpoint)
        random_nets.exported_detector(net, detector, open_net(_shipped(_DETECTOR)).card)
    classifier = _shipped(_CLASSIFIER)
    for suffix in (".onnx", ".json"):
        shutil.copyfile(classifier.with_suffix(suffix), weights / f"classifier{suffix}")
    content = {
        "schema": SCHEMA,
        "name": "benchmark",
        **{
            role: {
                "file": f"{role}.onnx",
                "sha256": artifacts.sha256_of_file(weights / f"{role}.onnx"),
            }
            for role in ("detector", "classifier")
        },
        "cell_diameter_rbc": 1.6,
    }
    artifacts.write_json(weights / "pipeline.json", content)
    return checkpoint, weights / "pipeline.json"


def _shipped(name: str) -> Path:
    return weights_folder() / f"{name}.onnx"


# --- a process each ------------------------------------------------------------------------------


def _cold(checkpoint: Path, pipeline: Path, folder: Path, rounds: int) -> dict[str, Spent]:
    image = samples_folder() / SAMPLE
    out = folder / "cold"
    sides = {
        "yolo predict": ultralytics_checkpoint.predict_command(checkpoint, image, out),
        "yolo-leuk detect": [
            *(sys.executable, "-m", "yolo_leuk", "detect", str(image)),
            *("--model", str(pipeline), "--out", str(out)),
        ],
    }
    found: dict[str, list[Spent]] = {name: [] for name in sides}
    for number in range(1 + rounds):  # the first one fetches the files from the disk
        for name, command in sides.items():
            shutil.rmtree(out, ignore_errors=True)
            spent = _of_process(command)
            if number:
                found[name].append(spent)
    return {name: _median(values) for name, values in found.items()}


def _of_process(command: list[str]) -> Spent:
    begun, before = time.perf_counter(), os.times()
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    wall_s, after = time.perf_counter() - begun, os.times()
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stderr}")
    cpu_s = after.children_user + after.children_system
    return Spent(wall_s, cpu_s - before.children_user - before.children_system)


# --- one process ---------------------------------------------------------------------------------


def _warm(pipeline: Path, folder: Path, rounds: int) -> dict[str, Spent]:
    image = samples_folder() / SAMPLE
    copies = folder / "copies"
    copies.mkdir()
    files = [copies / f"{number}.jpg" for number in range(3)]
    for file in files:
        shutil.copyfile(image, file)
    parts = _bare_parts(pipeline, image, folder)
    more: list[Spent] = []
    bare: list[Spent] = []
    for number in range(1 + rounds):
        one, three = (
            _timed(partial(_detect, files[:count], pipeline, folder / "warm")) for count in (1, 3)
        )
        own = _timed(parts)
        if number:
            more.append(Spent((three.wall_s - one.wall_s) / 2, (three.cpu_s - one.cpu_s) / 2))
            bare.append(own)
    return {"its bare parts": _median(bare), "an image more": _median(more)}


def _detect(files: list[Path], pipeline: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    run(DetectConfig(tuple(files), out=out, model=pipeline, progress=False))


def _bare_parts(pipeline: Path, image: Path, folder: Path) -> Callable[[], None]:
    """Reading, the nets on what the pipeline shows them, writing; and nothing between."""
    nets = [
        _Recorded(open_net(pipeline.with_name(f"{r}.onnx"))) for r in ("detector", "classifier")
    ]
    detector, classifier = nets
    Pipeline(FieldDetector(detector), classifier).run(load_image(image), image.name)
    shown = [(net, list(net.batches)) for net in nets]

    def run_parts() -> None:
        rgb = load_image(image).rgb
        for net, batches in shown:
            for batch in batches:
                net.net.run(batch)
        artifacts.write_bytes(folder / "annotated.jpg", encode_jpeg(rgb, 92))

    return run_parts


class _Recorded:
    """A net that keeps what it is shown."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.card: ModelCard = net.card
        self.batches: list[npt.NDArray[np.uint8]] = []

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """As the net itself."""
        self.batches.append(batch)
        return self.net.run(batch)


def _timed(work: Callable[[], None]) -> Spent:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - begun, time.process_time() - begun_cpu)


def _median(values: list[Spent]) -> Spent:
    return Spent(
        statistics.median(one.wall_s for one in values),
        statistics.median(one.cpu_s for one in values),
    )
