"""A trained net as an ONNX graph with its pre-processing and its card inside.

The graph takes uint8 pictures, shape (n, height, width, 3), RGB, and does cast, transpose and scale
itself, so that every runtime sees the same numbers. A detector's answers are boxes, a classifier's
logits and features.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.checkpoint import classifier_module, detector_module
from yolo_leuk.errors import ExportError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.net_file import write_net

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
    """Write a trained detector to ``path``, its card in it and beside it; returns the hashed card.

    Raises:
        ExportError: torch cannot export the net.
        OutputError: The files cannot be written.
    """
    return write_net(path, detector_graph(net, path.name), card)


def export_classifier(
    net: Any, projection: npt.NDArray[np.float32], path: Path, card: ModelCard
) -> ModelCard:
    """Write a trained classifier to ``path``, its card in it and beside it.

    Args:
        net: A classification net of Ultralytics.
        projection: Shape (d, features of the net): the features that come out are these rows'
            combinations of the pooled features before the last layer.
        path: Of the ONNX file.
        card: Its ``sha256`` is filled in.

    Returns:
        The hashed card.

    Raises:
        ExportError: torch cannot export the net.
        OutputError: The files cannot be written.
    """
    return write_net(path, classifier_graph(net, projection, card.input_px, path.name), card)


def detector_graph(net: Any, name: str) -> bytes:
    """A trained detector as an ONNX file; ``name`` is for the error alone. Raises ExportError."""
    example = np.zeros((2, 64, 96, 3), np.uint8)
    axes = {"images": {0: "n", 1: "height", 2: "width"}, "boxes": {0: "n", 2: "anchors"}}
    return _graph(detector_module(net), example, name, ["boxes"], axes)


def classifier_graph(
    net: Any, projection: npt.NDArray[np.float32], input_px: int, name: str
) -> bytes:
    """A trained classifier as an ONNX file; see :func:`export_classifier`. Raises ExportError."""
    example = np.zeros((2, input_px, input_px, 3), np.uint8)
    axes = {"images": {0: "n"}, "logits": {0: "n"}, "features": {0: "n"}}
    module = classifier_module(net, projection)
    return _graph(module, example, name, ["logits", "features"], axes)


def _graph(
    module: Any,
    example: npt.NDArray[np.uint8],
    name: str,
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> bytes:
    """The ONNX file of a module, simplified."""
    import onnx
    import onnxslim
    import torch

    stream = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # Tracing warns of each shape that it takes as fixed; the parity test would tell.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                (torch.from_numpy(example),),
                stream,
                input_names=["images"],
                output_names=outputs,
                dynamic_axes=axes,
                opset_version=OPSET,
                dynamo=False,
            )
        graph = onnxslim.slim(onnx.load_model_from_string(stream.getvalue()))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ExportError(f"{name} cannot be exported to ONNX: {error}") from error
    return bytes(graph.SerializeToString())
