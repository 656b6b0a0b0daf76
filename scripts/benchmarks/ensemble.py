"""The genetic search beside plain transcriptions of it, and a comparison of all methods by size.

The peers are one restart after the other, an individual at a time. They are timed over a few
generations and taken times what is left: each generation does the same work. What they would find
is found by running them to the end with our score, which gives the same fitness.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from peers import plain_genetic_search as peer

from benchmarks.memory import PeakMemory
from yolo_leuk.ensemble import genetic
from yolo_leuk.ensemble.comparison import Settings, compared
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.genetic import GeneticSearch
from yolo_leuk.ensemble.joined import Joined
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.probabilities import SampleRow, softmax

Floats = npt.NDArray[np.float64]

T = TypeVar("T")

_GROUPS_PER_CLASS = 20
_SETTINGS = GeneticSearch(
    individuals=100,
    generations=100,
    restarts=10,
    tournament=peer.TOURNAMENT,
    mutation=peer.MUTATION,
)


def benchmark(rounds: int, generations: int) -> None:
    """Print time and fitness of the search beside its peers, then what a large comparison takes."""
    _print_search(rounds, generations)
    _print_comparison()


def _print_search(rounds: int, generations: int) -> None:
    data = made_opinions(members=4, samples=2132, classes=2)
    probabilities, labels = softmax(data.logits), data.class_ids
    score = Scorer(probabilities, labels, fitness_of("weighted_f1", data.classes))
    evaluations = _SETTINGS.individuals * _SETTINGS.generations * _SETTINGS.restarts
    print(
        f"{_SETTINGS.individuals} individuals × {_SETTINGS.generations} generations × "
        f"{_SETTINGS.restarts} restarts, 4 members, {len(labels)} samples, 2 classes; medians of "
        f"{rounds} rounds, peers over {generations} generations of one restart"
    )
    search = partial(genetic.search, score, _SETTINGS)
    ours_s, (ours, _) = _median_cpu_time(lambda: search(np.random.default_rng(0)), rounds)
    reached = _fitness_of_peer(score)
    print(f"{'side':34} {'CPU s':>9} {'ours is 1 /':>12} {'aim':>6} {'fitness':>8}")
    for name, own_score, aim in (
        ("loops over samples", peer.score_by_loops(probabilities.tolist(), labels.tolist()), 500),
        ("a numpy vote", peer.score_by_numpy(probabilities, labels), 50),
    ):
        part = partial(peer.search, own_score, 4, _SETTINGS.individuals, generations, seed=0)
        part_s, _ = _median_cpu_time(part, rounds)
        whole_s = part_s * evaluations / (_SETTINGS.individuals * generations)
        print(f"{name:34} {whole_s:9.1f} {whole_s / ours_s:12.0f} {aim:6} {reached:8.5f}")
    print(f"{'ours':34} {ours_s:9.3f} {'':12} {'':6} {ours.fitness:8.5f}", flush=True)


def _fitness_of_peer(score: Scorer) -> float:
    """What the plain search finds in all its restarts."""

    def ours(weights: peer.Individual) -> float:
        return float(score(np.array([weights]))[0])

    found = [
        peer.search(ours, score.members, _SETTINGS.individuals, _SETTINGS.generations, seed)
        for seed in range(_SETTINGS.restarts)
    ]
    return max(one.fitness for one in found)


def _print_comparison() -> None:
    data = made_opinions(members=5, samples=10_000, classes=5)
    print("10,000 samples × 5 members, 5 classes: all methods, 2,000 draws for each interval")
    print(f"{'what':34} {'CPU s':>9} {'s':>9} {'aim':>6} {'MiB':>6} {'aim':>6}")
    for name, folds, aim in (
        ("search and comparison", 0, 60),
        ("with nested cross-validation", 5, 300),
    ):
        settings = Settings(
            fitness_of("weighted_f1", data.classes), _SETTINGS, folds, draws=2000, seed=0
        )
        start = time.perf_counter()
        with PeakMemory() as peak:
            cpu_s, _ = _cpu_time_of(partial(compared, data, settings))
        print(
            f"{name:34} {cpu_s:9.1f} {time.perf_counter() - start:9.1f} {aim:6} "
            f"{peak.mebibytes:6.0f} {1000:6}",
            flush=True,
        )


def made_opinions(members: int, samples: int, classes: int) -> Joined:
    """What nets of some skill say of samples; they err on the same ones, as nets do."""
    generator = np.random.default_rng(0)
    labels = np.arange(samples) % classes
    evidence = generator.normal(0, 1, (samples, classes)) + 2.5 * np.eye(classes)[labels]
    logits = evidence + generator.normal(0, 0.7, (members, samples, classes))
    names = tuple(f"class {number}" for number in range(classes))
    rows = tuple(
        SampleRow(
            f"{number:06}",
            f"{label}-{number // classes % _GROUPS_PER_CLASS}",
            "val",
            0,
            names[label],
        )
        for number, label in enumerate(labels.tolist())
    )
    return Joined(tuple(f"net {number}" for number in range(members)), names, rows, logits)


def _median_cpu_time(work: Callable[[], T], rounds: int) -> tuple[float, T]:
    """Median over rounds, and what the last one gave."""
    found = [_cpu_time_of(work) for _ in range(rounds)]
    return statistics.median(seconds for seconds, _ in found), found[-1][1]


def _cpu_time_of(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of this process, which a busy machine changes little, and what came of it."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found
