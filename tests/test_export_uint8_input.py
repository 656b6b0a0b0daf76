"""A UINT8 input is cast before it is transposed, and nothing else changes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from yolo_leuk.export.uint8_input import cast_first
from yolo_leuk.shipped import weights_folder


def kinds(model):
    return [node.op_type for node in model.graph.node]


def answers(model, batch):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: batch})


def graph(*nodes, outputs=("y",)):
    made = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


TURN = helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 3, 1, 2])
CAST = helper.make_node("Cast", ["turned"], ["real"], to=TensorProto.FLOAT)
RELU = helper.make_node("Relu", ["real"], ["y"])


def test_the_cast_comes_first_and_the_answers_stay_the_same_to_the_last_bit():
    model = graph(TURN, CAST, RELU)
    changed = cast_first(model)
    assert kinds(model) == ["Transpose", "Cast", "Relu"]
    assert kinds(changed) == ["Cast", "Transpose", "Relu"]
    onnx.checker.check_model(changed, full_check=True)
    batch = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), np.uint8)
    np.testing.assert_array_equal(answers(changed, batch), answers(model, batch))


@pytest.mark.parametrize("name", ["v11n-detect", "v11n-classify"])
def test_a_shipped_net_answers_the_same(name):
    model = onnx.load(weights_folder() / f"{name}.onnx")
    batch = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), np.uint8)
    for before, after in zip(answers(model, batch), answers(cast_first(model), batch), strict=True):
        np.testing.assert_array_equal(after, before)


def test_a_graph_that_casts_first_is_left_as_it_is():
    model = graph(
        helper.make_node("Cast", ["x"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["real"], ["y"], perm=[0, 3, 1, 2]),
    )
    assert cast_first(model) == model


def test_two_that_look_at_the_transposed_pixels_are_left_to_the_check_of_operators():
    other = helper.make_node("Cast", ["turned"], ["z"], to=TensorProto.FLOAT)
    model = graph(TURN, CAST, RELU, other, outputs=("y", "z"))
    assert cast_first(model) == model
