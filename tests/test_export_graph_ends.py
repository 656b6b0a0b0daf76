"""Which nodes of a graph stand before its convolutions, and which behind them."""

from __future__ import annotations

import onnx
import pytest

from tests.made_convolutions import convolutions
from yolo_leuk.export.graph_ends import (
    before_convolutions,
    behind_convolutions,
    head,
    kinds,
    named,
)
from yolo_leuk.shipped import weights_folder


@pytest.fixture(scope="module")
def detector():
    return onnx.load(weights_folder() / "v11n-detect.onnx").graph


def test_what_makes_numbers_of_pixels_stands_before_the_first_convolution():
    assert before_convolutions(convolutions().graph) == {
        "/nchw/Transpose",
        "/floats/Cast",
        "/pixels/Div",
    }


def test_all_from_the_last_convolution_on_stands_behind():
    assert behind_convolutions(convolutions().graph) == {
        "/pooled/GlobalAveragePool",
        "/flat/Flatten",
        "/weighed/Mul",
        "/logits/MatMul",
        "/features/MatMul",
    }


def test_a_graph_without_convolutions_has_all_of_it_behind_and_nothing_before():
    model = convolutions()
    for node in model.graph.node:
        if node.op_type == "Conv":
            node.op_type = "Pretend"
    assert before_convolutions(model.graph) == set()
    assert len(behind_convolutions(model.graph)) == len(model.graph.node)


def test_nodes_get_names_of_their_own_and_the_model_given_keeps_its():
    model = convolutions(named=False)
    model.graph.node[3].name = "Sigmoid_4"  # one that would be given
    found = [node.name for node in named(model).graph.node]
    assert len(set(found)) == len(found)
    assert all(found)
    assert {node.name for node in model.graph.node} == {"", "Sigmoid_4"}


def test_the_mean_over_bins_of_a_detector_is_no_convolution_of_the_net(detector):
    (mean,) = (node for node in detector.node if node.op_type == "Conv" and len(node.input) == 2)
    assert mean.name in behind_convolutions(detector)


def test_pixels_of_boxes_stand_behind_the_convolutions(detector):
    behind = behind_convolutions(detector)
    ranges = {node.name for node in detector.node if node.op_type == "Range"}
    assert ranges
    assert ranges <= behind
    assert kinds(detector, behind)["Conv"] == 1


def test_the_head_of_a_detector_is_its_last_module_with_its_convolutions(detector):
    found = head(detector)
    assert found == {node.name for node in detector.node if node.name.startswith("/net/model.23/")}
    assert 1 < kinds(detector, found)["Conv"] < sum(n.op_type == "Conv" for n in detector.node) / 2


def test_the_head_of_a_classifier_is_what_stands_behind_its_convolutions():
    graph = onnx.load(weights_folder() / "v11n-classify.onnx").graph
    assert head(graph) == behind_convolutions(graph)
    assert "Conv" not in kinds(graph, head(graph))
