"""One picture to a SmearResult by a net that classifies it whole, with no cells in between.

The net is that of a run on pictures that ``prepare --level image`` made; a pipeline file may name
it as its ``picture``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from yolo_leuk import artifacts, pixels
from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.cell_classifier import classify
from yolo_leuk.errors import CardError, HashError, UsageError
from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import LabelScheme
from yolo_leuk.model_card import ModelCard
from yolo_leuk.model_file import PIPELINE_SCHEMA, model_file
from yolo_leuk.pipeline import calls_of, counts_of, voters_of
from yolo_leuk.records import Detections, Image, ImageFacts, Scale, SmearResult
from yolo_leuk.shipped import weights_folder

_NO_FRACTION = "the picture was classified whole, so no cells were counted"


class PicturePipeline:
    """A classifier of whole pictures, ready to run.

    Args:
        classifier: Says what a picture shows.
        name: Goes into the results.
        sha256: Of the file that names the net, or of the net itself; goes into the results.

    Raises:
        CardError: The net is none of whole pictures.
    """

    def __init__(self, classifier: Net, *, name: str = "", sha256: str = "") -> None:
        card = classifier.card
        if card.task != "classify" or card.level != "image":
            raise CardError(
                f"{card.name} is to {card.task} the level {card.level}; "
                "expected a classifier of whole pictures",
                hint="Prepare pictures with --level image and train on them.",
            )
        self._classifier = classifier
        self._name = name
        self._sha256 = sha256

    @classmethod
    def load(cls, path: Path | None = None) -> PicturePipeline:
        """Open a net of whole pictures.

        Args:
            path: The net itself, ``<name>.onnx``, an ``ensemble.json``, a folder that holds one of
                these, or a pipeline file; the shipped one where None.

        Raises:
            UsageError: The path is nothing of the kind.
            ModelError: A file is missing, breaks its schema, or is not the one that is meant.
        """
        named = model_file(path or weights_folder() / "default.json")
        sha256 = artifacts.sha256_of_file(named.path)
        if named.kind != "pipeline":
            net = open_net(named.path)
            name = named.path.parent.name if named.kind == "ensemble" else net.card.name
            return cls(net, name=name, sha256=sha256)
        content = artifacts.read_json(named.path, schema=PIPELINE_SCHEMA, error=CardError)
        name = str(content.get("name", named.path.stem))
        return cls(_named_by(named.path, content), name=name, sha256=sha256)

    @property
    def labels(self) -> LabelScheme:
        """The classifier's classes."""
        return self._classifier.card.scheme

    @property
    def classifier(self) -> Net:
        """What says what a picture shows."""
        return self._classifier

    def run(
        self,
        loaded: LoadedImage,
        name: str,
        *,
        view: str | None = "image",
        scale: str | float = "auto",
    ) -> SmearResult:
        """Suggest what a picture shows.

        Args:
            loaded: The picture.
            name: Its file name, for the result.
            view: ``image``.
            scale: ``auto`` or ``none``; the whole of a picture is brought to no scale.

        Raises:
            UsageError: It is something else.
        """
        if view != "image":
            raise UsageError(f"expected the view image of a net of whole pictures, got {view!r}")
        if scale not in ("auto", "none"):
            raise UsageError(
                f"--scale {scale} says nothing of a picture that is classified whole",
                hint="Leave --scale out.",
            )
        started = time.perf_counter()
        answers = classify(self._classifier, picture_crop(loaded.rgb, self._classifier.card)[None])
        spent_ms = 1000 * (time.perf_counter() - started)
        height, width = loaded.rgb.shape[:2]
        calls = calls_of(_whole(width, height), answers, self.labels)
        return SmearResult(
            image=ImageFacts(name, width, height, loaded.sha256),
            scale=Scale(None, "none", 0.0),
            cells=calls,
            counts=counts_of(calls, self.labels),
            blast_fraction=None,
            blast_fraction_reason=_NO_FRACTION,
            warnings=(),
            model=self._model(),
            timing_ms={"read": 0.0, "detect": 0.0, "classify": spent_ms},
            view="image",
        )

    def _model(self) -> dict[str, Any]:
        return {
            "pipeline": self._name,
            "sha256": self._sha256,
            **voters_of(self._classifier.card),
        }


def picture_crop(rgb: Image, card: ModelCard) -> Image:
    """A picture as the net of ``card`` sees it, as in training: ``onnx_graph.PICTURE_STEPS``."""
    square = pixels.squared(pixels.without_scale_bar(rgb))
    return pixels.picture_input(square, card.input_px)


def _named_by(path: Path, content: dict[str, Any]) -> Net:
    """The ``picture`` of a pipeline file. Raises ModelError."""
    named = content.get("picture")
    if named is None:
        raise CardError(
            f"{path} names no net that classifies whole pictures",
            hint="Give one by --model: weights/best.onnx of a run on pictures that "
            "`prepare --level image` made.",
        )
    try:
        file, expected = path.parent / str(named["file"]), str(named["sha256"])
    except (KeyError, TypeError) as error:
        raise CardError(f"{path} breaks the schema {PIPELINE_SCHEMA}: {error!r}") from error
    net = open_net(file)
    if net.card.sha256 != expected:
        raise HashError(
            f"{path}: the net {file} has SHA-256 {net.card.sha256}, expected {expected}",
            hint="The pipeline and its net do not belong together.",
        )
    return net


def _whole(width: int, height: int) -> Detections:
    """One box around all of a picture."""
    box = np.array([[0, 0, width, height]], np.float32)
    return Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64))
