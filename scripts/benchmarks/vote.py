"""The vote of three nets as one graph beside other ways to ask the same three.

All sides see the same crops and call the same classes; that is checked before anything is timed.
They run in turn, in one process: each round a pause, in which threads of the side before stop
spinning, a call that is not counted, then some that are. The figure of a side is the median of the
calls of all rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from peers import ultralytics_predict

from benchmarks import random_nets
from yolo_leuk.backends.net import open_net, usable_cores
from yolo_leuk.backends.onnx import quiet_onnxruntime
from yolo_leuk.ensemble_file import read_ensemble
from yolo_leuk.images import load_image
from yolo_leuk.probabilities import softmax
from yolo_leuk.shipped import samples_folder

NETS = ("v8n", "v11n", "v12n")
SIZE_PX = 96
BATCH = 16

OURS = "one graph"

_PAUSE_S = 0.5

Calls = npt.NDArray[np.int64]
Side = Callable[[npt.NDArray[np.uint8]], Calls]


@dataclass(frozen=True)
class Aim:
    """What a peer is.

    Attributes:
        name: For people.
        least: How many times the cells per second we are to reach.
    """

    name: str
    least: float


AIMS = (
    Aim("Ultralytics predict, a crop per call", 4.0),
    Aim("Ultralytics predict, on the list", 1.3),
    Aim("three sessions, default settings", 1.8),
    Aim("three sessions, tuned", 1.0),
)


def benchmark(rounds: int, calls: int) -> None:
    """Print cells per second of all sides."""
    field = load_image(samples_folder() / "smear.jpg").rgb
    crops = random_nets.crops_of(field, BATCH, SIZE_PX)
    with tempfile.TemporaryDirectory() as name:
        sides = made_sides(Path(name), field)
        check_same_calls(sides, random_nets.crops_of(field, 8 * BATCH, SIZE_PX))
        seconds = measured(sides, crops, rounds, calls)
    print(
        f"{', '.join(NETS)} at {SIZE_PX} px, batches of {BATCH}, {usable_cores()} cores; medians "
        f"of {rounds} rounds of {calls} calls; all sides call the same classes"
    )
    print(f"{'side':40} {'ms':>8} {'cells/s':>8} {'ours is ×':>10} {'aim':>5}")
    for aim in (*AIMS, Aim(OURS, 1.0)):
        taken = seconds[aim.name]
        ratio = taken / seconds[OURS]
        print(
            f"{aim.name:40} {1000 * taken:8.1f} {BATCH / taken:8.0f} "
            f"{ratio:10.2f} {aim.least:5.1f}",
            flush=True,
        )


def made_sides(folder: Path, field: npt.NDArray[np.uint8]) -> dict[str, Side]:
    """The three nets, asked in each of the ways."""
    shown = random_nets.crops_of(field, 64, SIZE_PX)
    nets = {arch: random_nets.net(arch, "classify", seed, shown) for seed, arch in enumerate(NETS)}
    file = random_nets.vote_of(nets, folder, SIZE_PX)
    whole = open_net(file)
    members = read_ensemble(file).nets
    voters = ultralytics_predict.Voters(list(nets.values()), SIZE_PX)
    ways: Sequence[Side] = (
        voters.one_by_one,
        voters.as_list,
        _sessions([_session(path, tuned=False) for path in members]),
        _sessions([_session(path, tuned=True) for path in members]),
    )
    peers = {aim.name: way for aim, way in zip(AIMS, ways, strict=True)}
    return {**peers, OURS: lambda crops: _called(whole.run(crops)["probabilities"])}


def check_same_calls(sides: Mapping[str, Side], crops: npt.NDArray[np.uint8]) -> None:
    """Raise SystemExit where two sides call a crop differently, or all call every crop the same."""
    expected = sides[OURS](crops)
    if len(np.unique(expected)) < 2:
        raise SystemExit("the nets call every crop the same; that tells nothing")
    for name, side in sides.items():
        if not np.array_equal(found := side(crops), expected):
            wrong = int((found != expected).sum())
            raise SystemExit(f"{name} calls {wrong} of {len(crops)} crops otherwise")


def measured(
    sides: Mapping[str, Side], crops: npt.NDArray[np.uint8], rounds: int, calls: int
) -> dict[str, float]:
    """Seconds of a batch, by side."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            time.sleep(_PAUSE_S)
            side(crops)
            for _ in range(calls):
                begun = time.perf_counter()
                side(crops)
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _session(path: Path, *, tuned: bool) -> Any:
    """A session of onnxruntime, as it comes, or with the settings that suit three in turn.

    Tuned: a thread per core that this process may use, which stops to spin when a run is over.
    """
    onnxruntime = quiet_onnxruntime()
    options = onnxruntime.SessionOptions()
    if tuned:
        options.intra_op_num_threads = usable_cores()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _sessions(sessions: Sequence[Any]) -> Side:
    def run(crops: npt.NDArray[np.uint8]) -> Calls:
        logits = [session.run(["logits"], {"images": crops})[0] for session in sessions]
        return _called(np.mean([softmax(one) for one in logits], axis=0))

    return run


def _called(probabilities: npt.NDArray[Any]) -> Calls:
    return np.asarray(probabilities.argmax(axis=1), np.int64)
