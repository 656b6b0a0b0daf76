"""INT8: a quarter of the weights' size, in the form that each runtime wants, the ends untouched."""

from __future__ import annotations

import weakref

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from tests.made_convolutions import answers, convolutions, pictures
from yolo_leuk.errors import ExportError
from yolo_leuk.export.graph_ends import head
from yolo_leuk.export.int8 import quantised
from yolo_leuk.shipped import weights_folder

BOTH = pytest.mark.parametrize("symmetric", [False, True], ids=["onnxruntime", "TensorRT"])


@pytest.fixture(scope="module")
def shipped():
    """The shipped classifier in both forms, by random pictures."""
    net = onnx.load(weights_folder() / "v11n-classify.onnx")
    batches = [pictures(4, side=96, seed=seed) for seed in range(2)]
    return {symmetric: quantised(net, batches, symmetric=symmetric) for symmetric in (False, True)}


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def of_kind(model: onnx.ModelProto, *kinds: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type in kinds]


@BOTH
def test_answers_stay_near_on_pictures_like_those_of_the_calibration(symmetric):
    model = convolutions()
    found = quantised(model, [pictures(16)], symmetric=symmetric).model
    before, after = (answers(one, pictures(8, seed=1)) for one in (model, found))
    for name, values in before.items():
        apart = np.abs(after[name] - values).max()
        assert 0 < apart < 0.05 * np.abs(values).max()


@BOTH
def test_the_file_is_a_third_of_its_size_and_its_ends_are_those_of_the_source(shipped, symmetric):
    net = onnx.load(weights_folder() / "v11n-classify.onnx")
    found = shipped[symmetric].model
    assert found.ByteSize() < 0.34 * net.ByteSize()
    assert list(found.graph.input) == list(net.graph.input)
    assert list(found.graph.output) == list(net.graph.output)
    onnx.checker.check_model(found, full_check=True)


@BOTH
def test_every_convolution_has_int8_weights_with_a_scale_per_output_channel(shipped, symmetric):
    found = shipped[symmetric].model
    makers = {node.output[0]: node for node in found.graph.node}
    stored = constants(found)
    convolutions = of_kind(found, "Conv")
    assert len(convolutions) == 39
    for node in convolutions:
        weights = makers[node.input[1]]
        assert weights.op_type == "DequantizeLinear"
        kernel, scale, zero = (stored[name] for name in weights.input)
        assert kernel.dtype == np.int8
        assert scale.shape == (len(kernel),)
        assert not zero.any()


def test_for_tensorrt_every_zero_point_is_zero_and_biases_are_float32(shipped):
    found = shipped[True].model
    stored = constants(found)
    for node in of_kind(found, "QuantizeLinear", "DequantizeLinear"):
        assert stored[node.input[2]].dtype == np.int8
        assert not stored[node.input[2]].any()
    for node in of_kind(found, "Conv"):
        assert stored[node.input[2]].dtype == np.float32


def test_for_onnxruntime_values_between_convolutions_are_uint8(shipped):
    found = shipped[False].model
    stored = constants(found)
    zeros = {stored[node.input[2]].dtype for node in of_kind(found, "QuantizeLinear")}
    assert zeros == {np.dtype(np.uint8)}


@pytest.mark.slow
@BOTH
def test_the_head_of_a_detector_is_left_as_it_is(symmetric):
    net = onnx.load(weights_folder() / "v11n-detect.onnx")
    found = quantised(net, [pictures(1, side=64)], symmetric=symmetric)
    inside = head(net.graph)
    before, after = (
        {n.name: (n.op_type, len(n.input)) for n in model.graph.node if n.name in inside}
        for model in (net, found.model)
    )
    assert after == before
    stored = {t.name: t.data_type for t in found.model.graph.initializer}
    kernels = [n.input[1] for n in of_kind(found.model, "Conv") if n.name in inside]
    assert {stored[name] for name in kernels} == {TensorProto.FLOAT}
    assert found.facts["kept_float32"]["Conv"] == len(kernels)


def test_one_batch_is_in_memory_at_a_time():
    living: list[weakref.ref] = []

    def batches():
        for seed in range(6):
            assert sum(one() is not None for one in living) <= 1
            batch = pictures(4, seed=seed)
            living.append(weakref.ref(batch))
            yield batch

    facts = quantised(convolutions(), batches()).facts
    assert len(living) == 6
    assert facts["calibrated_on"] == 24


@BOTH
def test_the_same_pictures_make_the_same_bytes(symmetric):
    first, second = (
        quantised(convolutions(), [pictures(8)], symmetric=symmetric).model for _ in range(2)
    )
    assert first.SerializeToString() == second.SerializeToString()


def test_the_model_given_and_what_it_says_of_itself_stay(capfd, caplog):
    model = convolutions()
    onnx.helper.set_model_props(model, {"key": "told"})
    before = model.SerializeToString()
    found = quantised(model, [pictures(2)]).model
    assert model.SerializeToString() == before
    assert [(prop.key, prop.value) for prop in found.metadata_props] == [("key", "told")]
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ExportError, match=r"made cannot be quantised: .*dimension"):
        quantised(convolutions(), [pictures(2, side=40)])


def test_no_pictures_at_all_are_refused():
    with pytest.raises(ExportError, match="made cannot be quantised: No data is collected"):
        quantised(convolutions(), [])


def test_a_graph_in_which_nothing_can_be_quantised_is_refused():
    model = convolutions(dense=np.ones((3, 5), np.float32), projection=np.eye(3, dtype=np.float32))
    del model.graph.node[3:8]
    model.graph.node[3].input[0] = "pixels"
    with pytest.raises(ExportError, match="has nothing that could be quantised"):
        quantised(model, [pictures(2)])
