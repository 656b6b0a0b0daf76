"""A small graph with the ends and the middle of a real classifier, made without torch."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.made_onnx import IR_VERSION, OPSET

SIDE = 32


def convolutions(*, seed: int = 0, named: bool = True, **constants: np.ndarray) -> onnx.ModelProto:
    """Pixels, two convolutions, a scale, pooling, the same scale again, a dense layer.

    Args:
        seed: Of the weights.
        named: Whether the nodes have names.
        constants: Instead of random ones, by name.
    """
    generator = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return (generator.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    values = {
        "most": np.float32(255.0),
        "kernel0": weights(16, 3, 3, 3),
        "bias0": weights(16),
        "kernel1": weights(24, 16, 3, 3),
        "bias1": weights(24),
        "scale": np.array([1.5], np.float32),
        "dense": weights(24, 5),
        "projection": weights(24, 3),
        **constants,
    }
    nodes = [
        ("Transpose", ["images"], ["nchw"], {"perm": [0, 3, 1, 2]}),
        ("Cast", ["nchw"], ["floats"], {"to": TensorProto.FLOAT}),
        ("Div", ["floats", "most"], ["pixels"], {}),
        ("Conv", ["pixels", "kernel0", "bias0"], ["c0"], {"pads": [1, 1, 1, 1]}),
        ("Sigmoid", ["c0"], ["s0"], {}),
        ("Mul", ["c0", "s0"], ["a0"], {}),
        ("Mul", ["a0", "scale"], ["scaled"], {}),
        ("Conv", ["scaled", "kernel1", "bias1"], ["c1"], {"strides": [2, 2]}),
        ("GlobalAveragePool", ["c1"], ["pooled"], {}),
        ("Flatten", ["pooled"], ["flat"], {}),
        ("Mul", ["flat", "scale"], ["weighed"], {}),
        ("MatMul", ["weighed", "dense"], ["logits"], {}),
        ("MatMul", ["weighed", "projection"], ["features"], {}),
    ]
    graph = helper.make_graph(
        [
            helper.make_node(kind, into, out, name=f"/{out[0]}/{kind}" if named else "", **about)
            for kind, into, out, about in nodes
        ],
        "made",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 5]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def pictures(count: int, side: int = SIDE, seed: int = 0) -> np.ndarray:
    """Random pictures, uint8 RGB, shape (count, side, side, 3)."""
    shape = (count, side, side, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def answers(model: onnx.ModelProto, images: np.ndarray) -> dict[str, np.ndarray]:
    """What a graph says, by onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": images}), strict=True))
