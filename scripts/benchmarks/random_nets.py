"""Nets with random weights: as fast as trained ones, and there are some of every architecture."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.backends import ultralytics
from yolo_leuk.ensemble_file import FILE_NAME, Ensemble, Member, SearchedOn, write_ensemble
from yolo_leuk.ensemble_graph import write_vote
from yolo_leuk.labels import FIELD, MATURITY
from yolo_leuk.model_card import FeatureStatistics, ModelCard
from yolo_leuk.onnx_graph import export_classifier, export_detector
from yolo_leuk.train.architectures import architecture, description

_FEATURES = 32


def net(arch: str, task: str, seed: int, shown: npt.NDArray[np.uint8]) -> Any:
    """A net of Ultralytics.

    Args:
        arch: As given to ``yolo-leuk train``.
        task: ``classify`` or ``detect``.
        seed: Of the weights.
        shown: Pictures that its layers of normalisation learn from, RGB (n, height, width, 3).
    """
    ultralytics.quiet()
    import torch
    from ultralytics.nn import tasks

    scheme = MATURITY if task == "classify" else FIELD
    kind = tasks.ClassificationModel if task == "classify" else tasks.DetectionModel
    torch.manual_seed(seed)
    made = kind(description(architecture(arch, task).yamls[task]), nc=len(scheme), verbose=False)
    made.names = dict(enumerate(scheme.names))
    for layer in made.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0  # of what it is shown last; else nothing would reach the end
    with torch.no_grad():
        made.train()(_as_tensor(shown))
    if task == "classify":
        _spread_answers(made.eval(), shown)
    return made.eval()


def _spread_answers(made: Any, shown: npt.NDArray[np.uint8]) -> None:
    """Change the last layer so that all classes are called alike often, not always the same one."""
    import torch

    last = made.model[-1].linear
    with torch.no_grad():
        _, logits = made(_as_tensor(shown))
        spread = logits.std(dim=0)
        last.bias.sub_(logits.mean(dim=0)).div_(spread)
        last.weight.div_(spread[:, None])


def _as_tensor(shown: npt.NDArray[np.uint8]) -> Any:
    import torch

    return torch.from_numpy(shown).permute(0, 3, 1, 2) / 255


def vote_of(nets: dict[str, Any], folder: Path, size_px: int) -> Path:
    """``ensemble.json`` of classifiers with equal weights; exports and the graph lie beside it."""
    files = [_exported(made, name, folder / "members", size_px) for name, made in nets.items()]
    members = tuple(
        Member(file.stem, file.stem, 1 / len(files), 1.0, file, sha256_of_file(file))
        for file in files
    )
    made = Ensemble(
        name="random",
        scheme=MATURITY,
        members=members,
        temperature=1.0,
        thresholds={"unidentified": 0.0},
        searched_on=SearchedOn("", ("val",), (0,), 0, 0),
    )
    write_vote(folder, write_ensemble(folder, made))
    return folder / FILE_NAME


def exported_detector(made: Any, path: Path, like: ModelCard) -> ModelCard:
    """Export a detector with the thresholds and the scale of another one's card."""
    return export_detector(made, path, dataclasses.replace(like, name=path.stem, training={}))


def crops_of(field: npt.NDArray[np.uint8], count: int, size_px: int) -> npt.NDArray[np.uint8]:
    """Windows at random places of a field."""
    generator = np.random.default_rng(0)
    height, width = field.shape[:2]
    places = zip(
        generator.integers(0, height - size_px, count),
        generator.integers(0, width - size_px, count),
        strict=True,
    )
    return np.stack([field[y : y + size_px, x : x + size_px] for y, x in places])


def _exported(made: Any, name: str, folder: Path, size_px: int) -> Path:
    width = made.model[-1].linear.in_features
    generator = np.random.default_rng(0)
    projection = generator.normal(size=(_FEATURES, width)).astype(np.float32) / np.sqrt(width)
    card = ModelCard(
        name=name,
        task="classify",
        architecture=name,
        scheme=MATURITY,
        px_per_rbc=20.0,
        input_px=size_px,
        preprocessing=(),
        thresholds={"unidentified": 0.0},
        sha256="",
        date="2025-01-31",
        features=FeatureStatistics(np.zeros((1, _FEATURES)), np.eye(_FEATURES), farthest=1e9),
    )
    path = folder / f"{name}.onnx"
    export_classifier(made, np.asarray(projection, np.float32), path, card)
    return path
