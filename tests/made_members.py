"""Members of an ensemble for tests: what nets say of drawn samples, and runs that hold it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file
from yolo_leuk import artifacts
from yolo_leuk.ensemble.joined import Joined, joined
from yolo_leuk.labels import MATURITY, LabelScheme
from yolo_leuk.model_card import ModelCard
from yolo_leuk.probabilities import ProbabilityTable, SampleRow, softmax, write_probabilities

MANIFEST_SHA256 = "5a" * 32


def table(
    classes: Sequence[str] = MATURITY.names,
    *,
    per_class: int = 12,
    groups_per_class: int = 4,
    skill: float = 1.5,
    seed: int = 0,
    folds: Sequence[int] = (0, 1, 2),
) -> ProbabilityTable:
    """What a net of some skill says of samples that are the same for every seed."""
    rows, class_ids = [], []
    for class_id, label in enumerate(classes):
        for number in range(per_class):
            group = number % groups_per_class
            fold = folds[group % len(folds)]
            split = "train" if fold else "val"
            rows.append(SampleRow(f"{label}-{number}", f"{label}-g{group}", split, fold, label))
            class_ids.append(class_id)
    logits = np.random.default_rng(seed).normal(0, 1, (len(rows), len(classes)))
    logits[np.arange(len(rows)), class_ids] += skill
    return ProbabilityTable(tuple(rows), tuple(classes), softmax(logits))


def opinions(members: int = 3, classes: Sequence[str] = MATURITY.names, **about: Any) -> Joined:
    """What several nets say of the same samples."""
    return joined({f"net{n}": table(classes, seed=n, **about) for n in range(members)})


def card_of(
    name: str, classes: Sequence[str] = MATURITY.names, *, fold: int | str = 0, **changes: Any
) -> ModelCard:
    """Card of a net that was trained on the manifest."""
    blasts = MATURITY.blasts & set(classes)
    training = {"manifest_sha256": MANIFEST_SHA256, "config": {"fold": fold}}
    return dataclasses.replace(
        CLASSIFIER_CARD,
        name=name,
        architecture=name,
        scheme=LabelScheme(tuple(classes), blasts),
        **{"training": training, **changes},
    )


def run_folder(
    folder: Path,
    found: ProbabilityTable | None,
    *,
    fold: int | str = 0,
    task: str = "classify",
    manifest_sha256: str = MANIFEST_SHA256,
    card: ModelCard | None = None,
    weights: np.ndarray | None = None,
) -> Path:
    """A folder as ``train`` leaves it; of all folds it has a net in ``fold0`` and ``fold1``."""
    artifacts.write_json(
        folder / "config.json",
        {
            "schema": "yolo-leuk/train-run/1",
            "config": {"arch": "v11n", "task": task, "fold": fold},
            "manifest_sha256": manifest_sha256,
        },
    )
    if found is not None:
        write_probabilities(folder / "probabilities.csv", found)
    homes = [folder / "fold0", folder / "fold1"] if fold == "all" else [folder]
    for number, home in enumerate(homes):
        (home / "weights").mkdir(parents=True)
        own = weights if weights is not None else np.full((3, 5), number, np.float32)
        classifier_file(home / "weights" / "best.onnx", card or card_of("best"), own)
    return folder
