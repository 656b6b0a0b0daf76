"""What TensorRT's parser takes: the nets that ship and that can be trained, and what it refuses."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.ensemble_file import Ensemble, Member, SearchedOn
from yolo_leuk.ensemble_graph import merged, vote_card
from yolo_leuk.errors import ExportError
from yolo_leuk.export import half, int8
from yolo_leuk.export.operators import check, misfits
from yolo_leuk.export.uint8_input import cast_first
from yolo_leuk.model_card import read_card
from yolo_leuk.shipped import weights_folder


def graph(nodes, *, constants=None, given=TensorProto.FLOAT, opset=17, shape=("n", 3, 8, 8)):
    """A graph from ``x`` to ``y``."""
    made = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", given, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def node(operator, *inputs, name="the node", outputs=("y",), **attributes):
    return helper.make_node(operator, list(inputs), list(outputs), name=name, **attributes)


def reasons(model):
    return [str(misfit) for misfit in misfits(model)]


# --- what fits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v11n-detect", "v11n-classify"])
def test_every_shipped_net_fits_when_its_input_is_cast_first(name):
    model = onnx.load(weights_folder() / f"{name}.onnx")
    assert reasons(cast_first(model)) == []


@pytest.mark.parametrize("name", ["v11n-detect", "v11n-classify"])
def test_every_shipped_net_fits_in_half_precision(name):
    model = cast_first(onnx.load(weights_folder() / f"{name}.onnx"))
    assert reasons(half.converted(model).model) == []


def test_a_shipped_net_fits_in_symmetric_int8_and_in_no_other():
    model = cast_first(onnx.load(weights_folder() / "v11n-classify.onnx"))
    crops = [np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)]
    assert reasons(int8.quantised(model, crops, symmetric=True).model) == []
    assert any("UINT8" in reason for reason in reasons(int8.quantised(model, crops).model))


def test_the_graph_of_an_ensemble_fits():
    path = weights_folder() / "v11n-classify.onnx"
    members = tuple(Member(name, "v11n", 1 / 3, 1.0, path, sha256_of_file(path)) for name in "abc")
    searched = SearchedOn("ab" * 32, ("val",), (0,), 10, 5)
    thresholds = {"unidentified": 0.3}
    ensemble = Ensemble(
        "made", read_card(path.with_suffix(".json")).scheme, members, 1.0, thresholds, searched
    )
    graph = merged([path.read_bytes()] * 3, vote_card("vote", ensemble))
    assert reasons(cast_first(onnx.load_from_string(graph))) == []


def test_a_plain_graph_fits():
    assert reasons(graph([node("Relu", "x")])) == []


def test_symmetric_int8_by_q_and_dq_fits():
    constants = {"scale": np.float32(0.1), "zero": np.int8(0)}
    nodes = [
        node("QuantizeLinear", "x", "scale", "zero", outputs=["q"]),
        node("DequantizeLinear", "q", "scale", "zero"),
    ]
    assert reasons(graph(nodes, constants=constants)) == []


# --- what does not -----------------------------------------------------------------------------


def test_an_operator_that_is_not_in_the_table_is_refused_by_the_name_of_its_node():
    model = graph([node("Unique", "x", name="find all")])
    with pytest.raises(ExportError) as caught:
        check(model, "made.onnx")
    assert "made.onnx" in str(caught.value)
    assert "Unique find all: the operator is not supported" in str(caught.value)


def test_an_operator_of_another_domain_is_refused():
    model = graph([node("FusedConv", "x", domain="com.microsoft")])
    assert "com.microsoft" in reasons(model)[0]


def test_an_output_whose_size_depends_on_the_data_is_refused():
    nodes = [node("NonZero", "x", outputs=["found"]), node("Cast", "found", to=TensorProto.FLOAT)]
    assert any("size of its output" in reason for reason in reasons(graph(nodes)))


def test_double_is_refused_where_it_comes_in():
    nodes = [
        node("Cast", "x", name="widen", outputs=["wide"], to=TensorProto.DOUBLE),
        node("Relu", "wide", outputs=["r"]),
        node("Cast", "r", to=TensorProto.FLOAT),
    ]
    found = reasons(graph(nodes))
    assert any("Cast widen: wide is DOUBLE" in reason for reason in found)
    assert any("Relu the node: wide is DOUBLE" in reason for reason in found)


def test_strings_are_refused():
    model = graph([node("Cast", "x", to=TensorProto.FLOAT)], given=TensorProto.STRING)
    assert any("x is STRING" in reason for reason in reasons(model))


def test_uint8_that_is_not_cast_at_once_is_refused():
    nodes = [
        node("Transpose", "x", name="turn", outputs=["turned"], perm=[0, 3, 1, 2]),
        node("Cast", "turned", to=TensorProto.FLOAT),
    ]
    found = reasons(graph(nodes, given=TensorProto.UINT8))
    assert any("Transpose turn: x is UINT8" in r and "straight into a Cast" in r for r in found)


@pytest.mark.parametrize("to", [TensorProto.INT64, TensorProto.BOOL])
def test_uint8_that_becomes_no_floating_point_number_is_refused(to):
    nodes = [node("Cast", "x", outputs=["z"], to=to), node("Cast", "z", to=TensorProto.FLOAT)]
    found = reasons(graph(nodes, given=TensorProto.UINT8))
    assert any("UINT8 can become FLOAT or FLOAT16 only" in reason for reason in found)


def test_uint8_in_the_middle_is_refused():
    nodes = [
        node("Cast", "x", outputs=["small"], to=TensorProto.UINT8),
        node("Cast", "small", to=TensorProto.FLOAT),
    ]
    assert any("only an output of the graph" in reason for reason in reasons(graph(nodes)))


@pytest.mark.parametrize(
    ("zero", "expected"),
    [
        (np.uint8(0), "INT8 is supported"),
        (np.int8(3), "must be a constant of zeros"),
    ],
)
def test_quantisation_that_is_not_symmetric_int8_is_refused(zero, expected):
    constants = {"scale": np.float32(0.1), "zero": zero}
    nodes = [
        node("QuantizeLinear", "x", "scale", "zero", outputs=["q"]),
        node("DequantizeLinear", "q", "scale", "zero"),
    ]
    assert any(expected in reason for reason in reasons(graph(nodes, constants=constants)))


def test_a_quantised_bias_of_int32_is_refused():
    constants = {"bias": np.zeros(3, np.int32), "scale": np.float32(0.1), "zero": np.int32(0)}
    nodes = [node("DequantizeLinear", "bias", "scale", "zero")]
    found = reasons(graph(nodes, constants=constants))
    assert any("bias is INT32; supported: INT8" in reason for reason in found)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (graph([node("Relu", "x")], opset=8), "opset 8"),
        (graph([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])]), "dilations"),
        (
            graph([node("MaxPool", "x", outputs=["y", "at"], kernel_shape=[2, 2])]),
            "output of indices",
        ),
        (
            graph(
                [node("Resize", "x", "", "scales", mode="cubic")],
                constants={"scales": np.array([1, 1, 2, 2], np.float32)},
            ),
            "mode cubic",
        ),
        (
            graph([node("Relu", "x")], shape=(1,) * 9),
            "9 dimensions",
        ),
        (
            graph(
                [node("Conv", "x", "w")],
                constants={"w": np.ones((3, 3, 3), np.float32)},
                shape=("n", 3, 8),
            ),
            "3 dimensions; 4 or 5",
        ),
    ],
)
def test_what_the_table_restricts_is_refused(model, expected):
    assert any(expected in reason for reason in reasons(model))


def test_all_that_is_wrong_is_said_at_once():
    nodes = [node("Unique", "x", name="a", outputs=["u"]), node("Det", "u", name="b")]
    with pytest.raises(ExportError, match=r"(?s)2 of its parts.*Unique a.*Det b"):
        check(graph(nodes), "made.onnx")


def test_of_very_many_the_first_are_listed():
    nodes = [node("Unique", "x", name=f"n{i}", outputs=[f"u{i}"]) for i in range(40)]
    with pytest.raises(ExportError, match=r"(?s)40 of its parts.*Unique n9.*and 30 more") as caught:
        check(graph([*nodes, node("Relu", "x")]), "made.onnx")
    assert "n10" not in str(caught.value)
