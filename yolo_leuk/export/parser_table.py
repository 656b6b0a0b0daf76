"""Which ONNX operators TensorRT's parser supports, and for which types.

Source: ``docs/operators.md`` of https://github.com/onnx/onnx-tensorrt (Apache-2.0), as it stood for
TensorRT 9.2 and for TensorRT 10.15. An operator is listed here with a type if both versions list
it so: what came before 10.0 and is still there late in 10.x, is there in 10.3 (JetPack 6). Of
TensorRT 11 no such list was at hand; its parser goes on from 10.16, and has the last word anyway.

Left out, and so refused: control flow, recurrent and random operators, which no net here has.
"""

from __future__ import annotations

FIRST_OPSET, LAST_OPSET = 9, 19
MOST_DIMENSIONS = 8
"""Of a tensor: ``Dims.MAX_DIMS``."""

FLOATS = frozenset({"FLOAT", "FLOAT16", "BFLOAT16"})
NUMBERS = FLOATS | {"INT32", "INT64"}
ANY = NUMBERS | {"BOOL"}
HALVES = frozenset({"FLOAT", "FLOAT16"})

_OPERATORS: dict[frozenset[str], str] = {
    FLOATS: """
        Acos Acosh Asin Asinh Atan Atanh AveragePool BatchNormalization Ceil Celu Clip Conv
        ConvTranspose Cos Cosh CumSum Einsum Elu Erf Exp Floor Gemm GlobalAveragePool GlobalLpPool
        GlobalMaxPool GroupNormalization HardSigmoid HardSwish InstanceNormalization
        LayerNormalization LeakyRelu Log LogSoftmax LRN LpNormalization LpPool MatMul MaxPool
        MeanVarianceNormalization PRelu Pow QuantizeLinear Reciprocal Resize Round Selu Sigmoid Sin
        Sinh Softmax Softplus Softsign Sqrt Tan Tanh ThresholdedRelu""",
    NUMBERS: """
        Abs Add ArgMax ArgMin DepthToSpace Div Equal Greater GreaterOrEqual Less LessOrEqual Max
        Mean Min Mod Mul Neg Pad Range ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
        ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu ScatterElements ScatterND
        Sign SpaceToDepth Sub Sum TopK""",
    ANY: """
        Concat Constant Expand Flatten Gather GatherElements GatherND Identity Reshape Shape Size
        Slice Split Squeeze Tile Transpose Trilu Unsqueeze Where""",
    frozenset({"BOOL"}): "And Not Or Xor",
    HALVES: "GridSample NonMaxSuppression NonZero RoiAlign",
    # The only one that UINT8 may enter or leave: it is a type of inputs and outputs alone.
    ANY | {"UINT8"}: "Cast",
    frozenset({"FLOAT"}): "ConstantOfShape",
    frozenset({"INT8"}): "DequantizeLinear",
}

SUPPORTED: dict[str, frozenset[str]] = {
    operator: types for types, operators in _OPERATORS.items() for operator in operators.split()
}
"""Operator to the ONNX types that its data may have."""

DATA_DEPENDENT = frozenset({"NonMaxSuppression", "NonZero"})
"""The size of what they give is known only when they have run."""
