"""Models and pictures for tests of ``explain``: nets that are known to look at one place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import IR_VERSION, OPSET, detector_file
from yolo_leuk import artifacts
from yolo_leuk.ensemble_file import FILE_NAME, Ensemble, Member, SearchedOn, write_ensemble
from yolo_leuk.ensemble_graph import write_vote
from yolo_leuk.labels import MATURITY
from yolo_leuk.model_card import FeatureStatistics, ModelCard, write_card
from yolo_leuk.pipeline import SCHEMA

SIDE = CLASSIFIER_CARD.input_px
CARD = dataclasses.replace(
    CLASSIFIER_CARD, features=FeatureStatistics(np.zeros((1, 3)), np.eye(3), farthest=1e9)
)
GLASS = (240, 246, 248)
NUCLEUS = (90, 50, 140)


def looking_at(
    path: Path, rows: slice, columns: slice, *, card: ModelCard = CARD, strength: float = 0.05
) -> Path:
    """A net that calls a window Early the surer, the darker it is in one place."""
    mask = np.zeros((1, SIDE, SIDE, 1), np.float32)
    mask[:, rows, columns] = 1 / mask[:, rows, columns].size
    weights = np.zeros((3, len(MATURITY)), np.float32)
    weights[:, MATURITY.id_of("Early")] = -strength
    bias = np.array([0, 450 * strength, 0, 0, 0], np.float32)
    return _written(path, card, {"mask": mask, "weights": weights, "bias": bias})


def of_noise(path: Path, seed: int) -> Path:
    """A net that looks at a few places, drawn at random."""
    generator = np.random.default_rng(seed)
    constants = {
        "mask": (generator.random((1, SIDE, SIDE, 1)) > 0.995).astype(np.float32) / 5,
        "weights": generator.normal(0, 0.1, (3, len(MATURITY))).astype(np.float32),
        "bias": np.zeros(len(MATURITY), np.float32),
    }
    return _written(path, CARD, constants)


def _written(path: Path, card: ModelCard, constants: dict[str, np.ndarray]) -> Path:
    """Logits are the mean colour under a mask, by weights, and a bias."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "mask"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "axes"], ["features"], keepdims=0),
        helper.make_node("MatMul", ["features", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in (("logits", len(MATURITY)), ("features", 3))
    ]
    for node in nodes:
        node.name = node.output[0]
    constants = {**constants, "axes": np.array([1, 2], np.int64)}
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, [images], outputs, stored)
    opset = helper.make_opsetid("", OPSET)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION), path)
    card = dataclasses.replace(card, name=path.stem, sha256=artifacts.sha256_of_file(path))
    write_card(path.with_suffix(".json"), card)
    return path


def upper_left(path: Path, **changes: object) -> Path:
    """A net that looks at the upper left quarter alone."""
    return looking_at(path, slice(0, SIDE // 2), slice(0, SIDE // 2), **changes)


def middle(path: Path, **changes: object) -> Path:
    """A net that looks at the middle alone, where the cell is."""
    part = slice(3 * SIDE // 8, 5 * SIDE // 8)
    return looking_at(path, part, part, **changes)


def ensemble(folder: Path, nets: list[Path], weights: list[float]) -> Path:
    """An ensemble of nets, with its graph."""
    members = tuple(
        Member(net.stem, "made", weight, 1.0, net, artifacts.sha256_of_file(net))
        for net, weight in zip(nets, weights, strict=True)
    )
    searched_on = SearchedOn("", ("val",), (0,), 10, 5)
    about = {"searched_on": searched_on, "thresholds": {"unidentified": 0.3}}
    write_vote(folder, write_ensemble(folder, Ensemble("made", MATURITY, members, 1.0, **about)))
    return folder / FILE_NAME


def pipeline(folder: Path, net: Path, boxes: list[tuple[float, ...]]) -> Path:
    """A pipeline file of a net, and a detector that finds these boxes in pictures of one tile."""
    folder.mkdir(parents=True, exist_ok=True)
    card = detector_file(folder / "finds.onnx", boxes)
    content = {
        "schema": SCHEMA,
        "name": "made",
        "detector": {"file": "finds.onnx", "sha256": card.sha256},
        "classifier": {"file": str(net), "sha256": artifacts.sha256_of_file(net)},
        "cell_diameter_rbc": 1.6,
    }
    artifacts.write_json(folder / "pipeline.json", content)
    return folder / "pipeline.json"


def cell_picture(path: Path, side: int = 96) -> Path:
    """One violet cell in the middle, on glass."""
    rgb = np.full((side, side, 3), GLASS, np.uint8)
    cv2.circle(rgb, (side // 2, side // 2), side // 5, NUCLEUS, cv2.FILLED)
    return _saved(path, rgb)


def dark_picture(path: Path, side: int = 96) -> Path:
    """A cell that fills most of the picture, so that a net finds dark wherever it looks."""
    rgb = np.full((side, side, 3), GLASS, np.uint8)
    rgb[side // 12 : -side // 12, side // 12 : -side // 12] = NUCLEUS
    return _saved(path, rgb)


def field_picture(path: Path, centres: list[tuple[int, int]]) -> Path:
    """Violet cells on glass, of 120 × 100 px."""
    rgb = np.full((100, 120, 3), GLASS, np.uint8)
    for centre in centres:
        cv2.circle(rgb, centre, 9, NUCLEUS, cv2.FILLED)
    return _saved(path, rgb)


def _saved(path: Path, rgb: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), rgb[..., ::-1])
    return path
