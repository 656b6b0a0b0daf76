"""A large table of probabilities, evaluated, beside drawing its rows and asking scikit-learn.

The peer computes four of the figures on the rows of each draw. It is timed over a few draws and
taken times what is left: each draw does the same work.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from sklearn import metrics

from benchmarks.memory import PeakMemory
from yolo_leuk import artifacts
from yolo_leuk.dataset import CARD, SCHEMA
from yolo_leuk.evaluate.run import EvaluateConfig, run
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import FILE_NAME, write_manifest
from yolo_leuk.probabilities import ProbabilityTable, table_of, write_probabilities
from yolo_leuk.records import Sample

DRAWS = 1000

_PX = 90
_CELLS_OF_A_PICTURE = 8
_PICTURES_OF_A_GROUP = 12


def benchmark(samples: int, peer_draws: int) -> None:
    """Print what a whole run takes, beside the peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = made_data(folder / "cells", samples)
        write_probabilities(folder / "table.csv", table)
        config = EvaluateConfig(
            (folder / "table.csv",), folder / "cells", out=folder / "out", draws=DRAWS
        )
        begun, begun_cpu = time.perf_counter(), time.process_time()
        with PeakMemory() as memory:
            run(config)
        ours_s, ours_cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    peer_s = _peer_s(table, peer_draws) * DRAWS / peer_draws
    print(f"{samples:,} probabilities of {len(MATURITY)} classes, {DRAWS:,} draws of groups")
    print(f"{'side':44} {'s':>9} {'CPU s':>9} {'MiB':>7}")
    print(f"{'evaluate: all figures, pictures and the page':44} ", end="")
    print(f"{ours_s:9.1f} {ours_cpu_s:9.1f} {memory.mebibytes:7.0f}")
    told = f"four figures by scikit-learn (of {peer_draws} draws)"
    print(f"{told:44} {peer_s:9.1f}", flush=True)


def made_data(folder: Path, samples: int) -> ProbabilityTable:
    """A data set of cells that all show one picture, and what a net of some skill says of them."""
    generator = np.random.default_rng(0)
    class_ids = generator.integers(len(MATURITY), size=samples)
    rows = [_sample(number, MATURITY.names[int(c)]) for number, c in enumerate(class_ids)]
    for label in MATURITY.names:
        (folder / "test" / label).mkdir(parents=True)
    picture = folder / rows[0].path
    cv2.imwrite(str(picture), np.full((_PX, _PX, 3), 200, np.uint8))
    for row in rows[1:]:
        (folder / row.path).symlink_to(picture)
    write_manifest(folder / FILE_NAME, rows)
    content = {
        "schema": SCHEMA,
        "task": "classify",
        "classes": list(MATURITY.names),
        "blasts": sorted(MATURITY.blasts),
        "sources": [],
        "warnings": [],
        "manifest_sha256": artifacts.sha256_of_file(folder / FILE_NAME),
    }
    artifacts.write_json(folder / CARD, content)
    logits = generator.normal(size=(samples, len(MATURITY)))
    logits[np.arange(samples), class_ids] += 2
    return table_of(rows, MATURITY.names, logits)


def _sample(number: int, label: str) -> Sample:
    """Cells of a picture follow each other but for those of other classes."""
    picture = f"{label}-{number // (_CELLS_OF_A_PICTURE * len(MATURITY))}"
    group = f"{label}-{number // (_CELLS_OF_A_PICTURE * _PICTURES_OF_A_GROUP * len(MATURITY))}"
    return Sample(
        sample_id=f"cell{number:06}",
        path=f"test/{label}/cell{number:06}.png",
        source="made",
        sha256=f"{picture:0>64}",
        width=_PX,
        height=_PX,
        label=label,
        subject="",
        group=group,
        split="test",
        fold=-1,
        px_per_rbc=20.0,
        steps="",
    )


def _peer_s(table: ProbabilityTable, draws: int) -> float:
    """Seconds that so many draws of four figures take."""
    labels, p = table.class_ids, table.probabilities
    rows_of: dict[str, list[int]] = {}
    for row, sample in enumerate(table.samples):
        rows_of.setdefault(sample.group, []).append(row)
    groups = [np.array(rows) for rows in rows_of.values()]
    generator = np.random.default_rng(0)
    begun = time.perf_counter()
    for _ in range(draws):
        chosen = generator.integers(len(groups), size=len(groups))
        drawn = np.concatenate([groups[int(number)] for number in chosen])
        _figures(labels[drawn], p[drawn])
    return time.perf_counter() - begun


def _figures(labels: npt.NDArray[np.int64], p: npt.NDArray[np.float64]) -> tuple[float, ...]:
    calls = p.argmax(axis=1)
    return (
        float(metrics.f1_score(labels, calls, average="weighted")),
        float(metrics.f1_score(labels, calls, average="macro")),
        float(metrics.balanced_accuracy_score(labels, calls)),
        float(metrics.roc_auc_score(labels, p, multi_class="ovr")),
    )
