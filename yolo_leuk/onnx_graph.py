"""A trained net as an ONNX graph with its pre-processing inside, and its card beside it.

The graph takes uint8 pictures, shape (n, height, width, 3), RGB, and does cast, transpose and scale
itself, so that every runtime sees the same numbers. A detector's answers are boxes, a classifier's
logits and features.
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts
from yolo_leuk.errors import ExportError
from yolo_leuk.model_card import ModelCard, write_card

OPSET = 17

DETECTOR_STEPS = (
    (
        "resample the field so that a red cell is px_per_rbc pixels wide "
        "(float32, box means by a whole factor, then linear, rounded to uint8)"
    ),
    "cut tiles of at most input_px, sides a multiple of 32, grey 114 beyond the edge",
    "in the graph: uint8 RGB (n, h, w, 3) to float32 (n, 3, h, w), divided by 255",
)

CLASSIFIER_STEPS = (
    "reduce the field by the largest whole factor that leaves 20 px per red cell (box means)",
    (
        "cut a square window of 3 red-cell widths around the centre of the box; "
        "beyond the edge the median colour of the field's most frequent brightness"
    ),
    (
        "resample the window to px_per_rbc pixels per red cell if it has more, then to input_px "
        "(float32, box means by a whole factor, then linear, rounded to uint8)"
    ),
    "in the graph: uint8 RGB (n, S, S, 3) to float32 (n, 3, S, S), divided by 255",
)

PICTURE_STEPS = (
    "paint out the scale bar in the lower right corner, where there is one",
    (
        "make the picture square: it stays in the middle, beside it comes the median colour of its "
        "most frequent brightness; nothing is cut off"
    ),
    (
        "resample it to input_px "
        "(float32, box means by a whole factor, then linear, rounded to uint8)"
    ),
    "in the graph: uint8 RGB (n, S, S, 3) to float32 (n, 3, S, S), divided by 255",
)


def export_detector(net: Any, path: Path, card: ModelCard) -> ModelCard:
    """Write a trained detector to ``path`` and its card beside it; returns the hashed card.

    Raises:
        ExportError: torch cannot export the net.
        OutputError: The files cannot be written.
    """
    net = copy.deepcopy(net)
    head = net.model[-1]
    head.export, head.dynamic, head.format = True, True, "onnx"
    head.end2end = False  # a head that also answers without suppression gives all its boxes, too
    example = np.zeros((2, 64, 96, 3), np.uint8)
    axes = {"images": {0: "n", 1: "height", 2: "width"}, "boxes": {0: "n", 2: "anchors"}}
    _export(_detector_module(net), example, path, ["boxes"], axes)
    return _with_card(path, card)


def export_classifier(
    net: Any, projection: npt.NDArray[np.float32], path: Path, card: ModelCard
) -> ModelCard:
    """Write a trained classifier to ``path`` and its card beside it; returns the hashed card.

    Args:
        net: A classification net of Ultralytics.
        projection: Shape (d, features of the net): the features that come out are these rows'
            combinations of the pooled features before the last layer.
        path: Of the ONNX file.
        card: Its ``sha256`` is filled in.
    """
    example = np.zeros((2, card.input_px, card.input_px, 3), np.uint8)
    axes = {"images": {0: "n"}, "logits": {0: "n"}, "features": {0: "n"}}
    module = classifier_module(net, projection)
    _export(module, example, path, ["logits", "features"], axes)
    return _with_card(path, card)


def _detector_module(net: Any) -> Any:
    import torch

    class Detector(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, images: Any) -> Any:
            return self.net(images.permute(0, 3, 1, 2).float() / 255.0)

    return Detector().eval()


def classifier_module(net: Any, projection: npt.NDArray[np.float32] | None = None) -> Any:
    """A torch module: uint8 (n, S, S, 3) to logits and features, as the ONNX graph will be.

    With no projection the features are the pooled ones themselves.
    """
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net
            self.projection: Any = None
            if projection is not None:
                self.register_buffer("matrix", torch.from_numpy(projection))
                self.projection = self.matrix

        def forward(self, images: Any) -> Any:
            x = images.permute(0, 3, 1, 2).float() / 255.0
            for layer in self.net.model[:-1]:
                x = layer(x)
            head = self.net.model[-1]
            if isinstance(head, torch.nn.Linear):
                pooled, linear = x, head
            else:
                pooled, linear = head.pool(head.conv(x)).flatten(1), head.linear
            features = pooled if self.projection is None else pooled @ self.projection.T
            return linear(pooled), features

    return Classifier().eval()


def _export(
    module: Any,
    example: npt.NDArray[np.uint8],
    path: Path,
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    import onnx
    import onnxslim
    import torch

    with artifacts.replaced(path) as partial:
        try:
            with warnings.catch_warnings(), torch.no_grad():
                # Tracing warns of each shape that it takes as fixed; the parity test would tell.
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    module,
                    (torch.from_numpy(example),),
                    str(partial),
                    input_names=["images"],
                    output_names=outputs,
                    dynamic_axes=axes,
                    opset_version=OPSET,
                    dynamo=False,
                )
            onnx.save(onnxslim.slim(onnx.load(str(partial))), str(partial))
        except (RuntimeError, ValueError, TypeError) as error:
            raise ExportError(f"{path.name} cannot be exported to ONNX: {error}") from error


def _with_card(path: Path, card: ModelCard) -> ModelCard:
    hashed = dataclasses.replace(card, sha256=artifacts.sha256_of_file(path))
    write_card(path.with_suffix(".json"), hashed)
    return hashed
