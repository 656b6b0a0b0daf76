"""Nets of random weights as runs of ``train`` leave them, and ensembles of them; needs torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.made_evaluation import ANYWHERE
from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.backends import ultralytics
from yolo_leuk.ensemble_file import FILE_NAME, Ensemble, Member, SearchedOn, write_ensemble
from yolo_leuk.ensemble_graph import write_vote
from yolo_leuk.labels import FIELD, MATURITY
from yolo_leuk.onnx_graph import export_classifier, export_detector
from yolo_leuk.train.architectures import architecture, description

_FEATURES = 3  # as many as the made statistics have


def run_folder(folder: Path, arch: str, task: str = "classify", input_px: int = 32) -> Path:
    """A run whose net has seen some noise, with ``weights/best.pt``, ``.onnx`` and ``.json``."""
    ultralytics.quiet()
    import torch

    torch.manual_seed(0)
    (folder / "weights").mkdir(parents=True)
    net = _experienced(_net(arch, task), input_px)
    checkpoint = folder / "weights" / "best.pt"
    torch.save({"model": net}, checkpoint)
    about = {"architecture": arch, "name": "best", "input_px": input_px}
    training = {"checkpoint_sha256": sha256_of_file(checkpoint)}
    target = checkpoint.with_suffix(".onnx")
    if task == "detect":
        card = dataclasses.replace(DETECTOR_CARD, training=training, **about)
        export_detector(net, target, card)
        return folder
    card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, training=training, **about)
    width = net.model[-1].linear.in_features
    projection = np.random.default_rng(0).standard_normal((_FEATURES, width)).astype(np.float32)
    export_classifier(net, projection, target, card)
    return folder


def ensemble_folder(
    folder: Path, members: Sequence[str] = ("v8n", "v11n", "v12n"), input_px: int = 96
) -> Path:
    """An ensemble of equal weights, with its graph; returns ``ensemble.json``."""
    runs = [run_folder(folder / "runs" / arch, arch, input_px=input_px) for arch in members]
    nets = [run / "weights" / "best.onnx" for run in runs]
    voters = tuple(
        Member(arch, arch, 1 / len(nets), 1.2, net, sha256_of_file(net))
        for arch, net in zip(members, nets, strict=True)
    )
    searched = SearchedOn("ab" * 32, ("val",), (0,), 10, 5)
    whole = Ensemble("vote", MATURITY, voters, 1.1, {"unidentified": 0.3}, searched)
    write_vote(folder / "vote", write_ensemble(folder / "vote", whole))
    return folder / "vote" / FILE_NAME


def _net(arch: str, task: str):
    from ultralytics.nn.tasks import ClassificationModel, DetectionModel

    yaml = description(architecture(arch, task).yamls[task])
    if task == "detect":
        return DetectionModel(yaml, nc=len(FIELD), verbose=False)
    return ClassificationModel(yaml, nc=len(MATURITY), verbose=False)


def _experienced(net, size: int):
    """Some steps in training mode, so that the layers of normalisation have seen something."""
    import torch

    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, 3, max(size, 64), max(size, 64)))
    return net.eval()
