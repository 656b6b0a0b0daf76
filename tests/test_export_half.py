"""FP16: half the size, nearly the same answers, and float32 where half precision would not do."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.made_convolutions import SIDE, answers, convolutions, pictures
from yolo_leuk.errors import ExportError
from yolo_leuk.export.graph_ends import behind_convolutions
from yolo_leuk.export.half import converted
from yolo_leuk.probabilities import softmax
from yolo_leuk.shipped import samples_folder, weights_folder

TOLERANCE = 2e-2


@pytest.fixture(scope="module")
def halves():
    """The shipped nets, and what is made of them, by task."""
    nets = {
        task: onnx.load(weights_folder() / f"v11n-{task}.onnx") for task in ("classify", "detect")
    }
    return {task: (net, converted(net)) for task, net in nets.items()}


def smear() -> np.ndarray:
    bgr = cv2.imread(str(samples_folder() / "smear.jpg"))
    return np.ascontiguousarray(bgr[..., ::-1])


def test_a_classifier_of_half_the_size_gives_nearly_its_probabilities(halves):
    net, half = halves["classify"]
    rgb = smear()
    crops = np.stack([rgb[y : y + 96, x : x + 96] for y in (0, 200, 400) for x in (0, 300, 600)])
    before, after = (answers(model, crops) for model in (net, half.model))
    apart = softmax(before["logits"]) - softmax(after["logits"])
    assert 0 < np.abs(apart).max() < TOLERANCE
    assert half.model.ByteSize() < 0.6 * net.ByteSize()


def test_a_detector_finds_nearly_its_boxes_beyond_pixel_512_too(halves):
    net, half = halves["detect"]
    field = cv2.resize(smear(), (640, 96))[None]
    before, after = (answers(model, field)["boxes"][0] for model in (net, half.model))
    assert np.abs(before[4:] - after[4:]).max() < TOLERANCE
    sure = before[4:].max(axis=0) > 0.1
    assert before[0, sure].max() > 512
    assert np.abs(before[:4, sure] - after[:4, sure]).max() < 1.0


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_inputs_outputs_and_their_names_stay(halves, task):
    net, half = halves[task]
    assert list(half.model.graph.input) == list(net.graph.input)
    assert list(half.model.graph.output) == list(net.graph.output)


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_nothing_behind_the_convolutions_passes_through_half_precision(halves, task):
    net, half = halves[task]
    typed = onnx.shape_inference.infer_shapes(half.model)
    types = {value.name: value.type.tensor_type.elem_type for value in typed.graph.value_info}
    types |= {tensor.name: tensor.data_type for tensor in typed.graph.initializer}
    kept = behind_convolutions(net.graph)
    inside = [node for node in typed.graph.node if node.name in kept]
    assert len(inside) == len(kept)
    for node in inside:
        assert TensorProto.FLOAT16 not in {types.get(name) for name in (*node.input, *node.output)}


def test_the_convolutions_themselves_are_in_half_precision(halves):
    _, half = halves["detect"]
    types = {tensor.name: tensor.data_type for tensor in half.model.graph.initializer}
    convolutions = [node for node in half.model.graph.node if node.op_type == "Conv"]
    weights = {types[node.input[1]] for node in convolutions}
    biases = {types[node.input[2]] for node in convolutions if len(node.input) == 3}
    assert weights == {TensorProto.FLOAT16, TensorProto.FLOAT}  # FLOAT: of the mean over bins
    assert biases == {TensorProto.FLOAT16}


def test_what_stayed_float32_is_told_by_operator(halves):
    _, half = halves["classify"]
    assert half.facts == {
        "kept_float32": {
            "before the convolutions": {"Cast": 1, "Div": 1, "Transpose": 1},
            "behind them": {
                "Flatten": 1,
                "Gemm": 1,
                "GlobalAveragePool": 1,
                "MatMul": 1,
                "Mul": 1,
                "Sigmoid": 1,
            },
        }
    }


def test_a_constant_that_both_sides_use_has_both_types():
    model = convolutions()
    half = converted(model).model
    scales = [t for t in half.graph.initializer if t.name.startswith("scale")]
    assert {t.data_type for t in scales} == {TensorProto.FLOAT, TensorProto.FLOAT16}
    before, after = (answers(one, pictures(4)) for one in (model, half))
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=5e-3)


def test_nodes_without_names_are_told_apart():
    named, nameless = (converted(convolutions(named=named)).model for named in (True, False))
    batch = pictures(2)
    for name, values in answers(named, batch).items():
        np.testing.assert_array_equal(answers(nameless, batch)[name], values)


def test_the_model_given_and_what_it_says_of_itself_stay():
    model = convolutions()
    onnx.helper.set_model_props(model, {"key": "told"})
    before = model.SerializeToString()
    half = converted(model).model
    assert model.SerializeToString() == before
    assert [(prop.key, prop.value) for prop in half.metadata_props] == [("key", "told")]


def test_a_graph_without_a_convolution_is_refused():
    model = convolutions()
    del model.graph.node[3:8]
    model.graph.node[3].input[0] = "pixels"
    with pytest.raises(ExportError, match="has no convolution that FP16 would be of use for"):
        converted(model)


@pytest.mark.slow
def test_arithmetic_that_is_half_precision_at_every_step_stays_within_the_tolerance(halves):
    """onnxruntime computes in float32 on a CPU; the reference rounds each step, as a GPU does."""
    from onnx.reference import ReferenceEvaluator

    net, half = halves["classify"]
    crops = smear()[None, 300:396, 500:596]
    with np.errstate(all="ignore"):  # it computes both branches of a sigmoid and takes one
        logits, _ = ReferenceEvaluator(half.model).run(None, {"images": crops})
    expected = softmax(answers(net, crops)["logits"])
    assert np.abs(softmax(logits) - expected).max() < TOLERANCE


def test_the_made_graph_is_one_that_onnx_takes():
    onnx.checker.check_model(convolutions(), full_check=True)
    assert answers(convolutions(), pictures(3))["logits"].shape == (3, 5)
    assert SIDE == 32
