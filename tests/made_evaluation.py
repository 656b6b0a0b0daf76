"""Models and data for tests of ``evaluate``: nets that know the drawn cells by their colour."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.dataset import DataSet
from yolo_leuk.ensemble_file import FILE_NAME, Ensemble, Member, SearchedOn, write_ensemble
from yolo_leuk.ensemble_graph import write_vote
from yolo_leuk.model_card import FeatureStatistics
from yolo_leuk.probabilities import table_of, write_probabilities

# A nucleus is the larger the higher the class, and the mean colour the darker.
DARKER = np.array([[-0.05] * 3, [-0.02] * 3, [0.0] * 3, [0.02] * 3, [0.05] * 3], np.float32).T
ANYWHERE = FeatureStatistics(np.zeros((1, 3)), np.eye(3), farthest=1e9)


def net(folder: Path, name: str, *, weights: np.ndarray = DARKER, **changes) -> Path:
    """A net that calls cells by their mean colour."""
    folder.mkdir(parents=True, exist_ok=True)
    card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, **changes)
    classifier_file(folder / f"{name}.onnx", card, -weights)
    return folder / f"{name}.onnx"


def table_file(path: Path, data: DataSet, splits: tuple[str, ...], *, seed: int = 0) -> Path:
    """A table of probabilities of the samples of some splits."""
    samples = [sample for sample in data.samples if sample.split in splits]
    logits = np.random.default_rng(seed).normal(size=(len(samples), len(data.scheme)))
    for row, sample in enumerate(samples):
        logits[row, data.scheme.id_of(sample.label)] += 1
    write_probabilities(path, table_of(samples, data.scheme.names, logits))
    return path


def ensemble_file(
    folder: Path, data: DataSet, nets: list[Path], *, splits: tuple[str, ...] = ("val",), **changes
) -> Path:
    """An ensemble of nets with equal weights, searched on some splits of a data set."""
    members = tuple(
        Member(path.stem, "made", 1 / len(nets), 1.0, path, sha256_of_file(path)) for path in nets
    )
    searched_on = SearchedOn(data.manifest_sha256, splits, (0,), 10, 5)
    about = {"searched_on": searched_on, "thresholds": {"unidentified": 0.3}, **changes}
    made = write_ensemble(folder, Ensemble("made", data.scheme, members, 1.0, **about))
    write_vote(folder, made)
    return folder / FILE_NAME
