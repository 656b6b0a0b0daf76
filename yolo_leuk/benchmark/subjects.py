"""What is timed: each model that was named, the parts of a pipeline, and a checkpoint beside it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.backends.net import open_net
from yolo_leuk.benchmark.config import BenchmarkConfig
from yolo_leuk.model_card import ModelCard
from yolo_leuk.model_file import ModelFile, model_file, telling_names
from yolo_leuk.pipeline import Pipeline, read_pipeline_file

_RUNTIMES = {".pt": "torch", ".engine": "tensorrt"}


@dataclass(frozen=True)
class Subject:
    """Something that is timed.

    Attributes:
        model: Its name.
        part: As in a row of the table.
        runtime: That it is run by.
        precision: Of its arithmetic.
        file: Of the net, the ensemble or the pipeline.
        batches: Sizes of the batches that it is shown.
    """

    model: str
    part: str
    runtime: str
    precision: str
    file: Path
    batches: tuple[int, ...]


def subjects_of(config: BenchmarkConfig) -> list[Subject]:
    """All that is to be timed.

    Every model is opened once, so that what cannot be run is refused before anything is timed.

    Raises:
        UsageError: A model is named twice, or a path is no model.
        ModelError: One cannot be opened.
    """
    files = [model_file(path) for path in config.models]
    names = telling_names([file.path for file in files])
    return [
        subject
        for file, name in zip(files, names, strict=True)
        for subject in _of_model(file, name, config)
    ]


def _of_model(file: ModelFile, name: str, config: BenchmarkConfig) -> Iterator[Subject]:
    if file.kind == "pipeline":
        yield from _of_pipeline(file.path, name, config)
        return
    card = open_net(file.path, trust=config.trust).card
    yield _of_net(file.path, name, "net", card, config)
    checkpoint = file.path.with_suffix(".pt")
    if file.path.suffix == ".onnx" and checkpoint.is_file() and _has_torch():
        yield _of_net(checkpoint, name, "net", card, config)


def _of_pipeline(path: Path, name: str, config: BenchmarkConfig) -> Iterator[Subject]:
    file = read_pipeline_file(path)
    pipeline = Pipeline.load(path, trust=config.trust)
    classifier = pipeline.classifier.card
    yield _of_net(file.detector, name, "detector", pipeline.detector.card, config)
    yield _of_net(file.classifier, name, "classifier", classifier, config)
    runtime = _runtime_of(file.classifier)
    yield Subject(name, "image", runtime, classifier.precision, path, (1,))


def _of_net(file: Path, name: str, part: str, card: ModelCard, config: BenchmarkConfig) -> Subject:
    batches = config.tiles if card.task == "detect" else config.batches
    return Subject(name, part, _runtime_of(file), card.precision, file, batches)


def _runtime_of(file: Path) -> str:
    return _RUNTIMES.get(file.suffix.lower(), "onnxruntime")


def _has_torch() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "ultralytics"))
