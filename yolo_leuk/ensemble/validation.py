"""What a net says of the validation split of a data set that it has not learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from yolo_leuk.backends.net import open_net
from yolo_leuk.dataset import DataSet, is_turned_copy
from yolo_leuk.errors import CardError, DataError, LeakageError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.probabilities import ProbabilityTable, table_of
from yolo_leuk.records import Sample
from yolo_leuk.sample_input import sample_input

_BATCH = 64


def validation_samples(data: DataSet) -> tuple[Sample, ...]:
    """Those of the validation split, as ``train`` takes them: without turned copies."""
    return tuple(s for s in data.samples if s.split == "val" and not is_turned_copy(s))


def validation_table(net_path: Path, data: DataSet) -> ProbabilityTable:
    """Run a net on the validation split.

    Raises:
        ModelError: The net cannot be opened or run.
        CardError: It is for other classes or another level than the data set.
        LeakageError: It has learnt from the split, or may have.
        DataError: The split is empty, or a picture is not what the manifest says.
    """
    samples = validation_samples(data)
    if not samples:
        raise DataError(
            f"{data.folder} has no samples in its validation split",
            hint="Prepare it with more --folds.",
        )
    net = open_net(net_path)
    _check_fits(net_path, net.card, data)
    _check_has_not_learnt(net_path, net.card, data)
    logits = []
    for start in range(0, len(samples), _BATCH):
        some = samples[start : start + _BATCH]
        batch = np.stack([sample_input(data.folder, sample, net.card) for sample in some])
        logits.append(net.run(batch)["logits"])
    return table_of(samples, net.card.scheme.names, np.concatenate(logits))


def _check_fits(net: Path, card: ModelCard, data: DataSet) -> None:
    if card.task != "classify" or card.level != data.level:
        raise CardError(
            f"{net} is to {card.task} the level {card.level}; "
            f"{data.folder} is to {data.task} the level {data.level}"
        )
    if card.scheme.names != data.scheme.names:
        raise CardError(
            f"the classes of {net} are {', '.join(card.scheme.names)}; "
            f"those of {data.folder} are {', '.join(data.scheme.names)}, in this order"
        )


def _check_has_not_learnt(net: Path, card: ModelCard, data: DataSet) -> None:
    known = card.training.get("manifest_sha256")
    if known != data.manifest_sha256:
        raise LeakageError(
            f"{net} was trained on the manifest of SHA-256 {known}; that of {data.folder} is "
            f"{data.manifest_sha256}: it may have learnt from the validation split",
            hint="Name the data set that it was trained on by --data.",
        )
    fold = card.training.get("config", {}).get("fold", 0)
    if fold != 0:
        raise LeakageError(
            f"{net} was validated on fold {fold}, so it has learnt from fold 0, the validation "
            "split",
            hint="Give a net of fold 0, or out-of-fold probabilities of all members.",
        )
