"""ONNX files for tests: tiny graphs whose answers can be worked out by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, as_output
from yolo_leuk import artifacts
from yolo_leuk.model_card import ModelCard, write_card

OPSET = 17
IR_VERSION = 8


def detector_file(path: Path, boxes=()) -> ModelCard:
    """A net that finds these boxes in every picture, and its card."""
    boxes = as_output(boxes)[None]
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Squeeze", ["mean", "last"], ["level"]),
        helper.make_node("Mul", ["level", "nought"], ["nothing"]),
        helper.make_node("Add", ["found", "nothing"], ["boxes"]),
    ]
    constants = {
        "last": np.array([3], np.int64),
        "nought": np.zeros(1, np.float32),
        "found": boxes.astype(np.float32),
    }
    return _written(path, DETECTOR_CARD, nodes, constants, {"boxes": 3})


def classifier_file(
    path: Path, card: ModelCard = CLASSIFIER_CARD, weights: np.ndarray | None = None
) -> ModelCard:
    """A net whose features are the mean colour; and its card.

    Its logits are the features by the weights, (3, 5), and 5 more for the third class; without
    weights they are fixed.
    """
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x"], ["features"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["features", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
    ]
    constants = {
        "weights": np.zeros((3, 5), np.float32) if weights is None else weights,
        "bias": np.array([0, 0, 5, 0, 0], np.float32),
    }
    return _written(path, card, nodes, constants, {"logits": 2, "features": 2})


def _written(path, card, nodes, constants, outputs) -> ModelCard:
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])
    graph = helper.make_graph(
        nodes,
        path.stem,
        [images],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank)
            for name, rank in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.save(model, path)
    card = dataclasses.replace(card, name=path.stem, sha256=artifacts.sha256_of_file(path))
    write_card(path.with_suffix(".json"), card)
    return card
