"""INT8: weights and what flows between the convolutions in 8 bits, uint8 in and float32 out.

onnxruntime's static quantisation writes nodes that quantise and dequantise (Q/DQ) into the graph.
What stands before the convolutions stays float32, and so does all of the module that makes the
answers: in 8 bits a detector's pixels of boxes and its probabilities share one scale, and nothing
is found any more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from yolo_leuk.backends.onnx import quiet_onnxruntime
from yolo_leuk.errors import ExportError
from yolo_leuk.export.converted import Converted
from yolo_leuk.export.graph_ends import before_convolutions, head, kinds, named
from yolo_leuk.records import Image

# What nets have between convolutions and onnxruntime has in 8 bits: else there would be steps from
# 8 bits to float32 and back.
_BETWEEN = (
    *("Add", "AveragePool", "Clip", "Concat", "Conv", "MatMul", "MaxPool", "Mul", "Relu"),
    *("Resize", "Sigmoid", "Softmax", "Split"),
)


def quantised(model: Any, batches: Iterable[Image], *, symmetric: bool = False) -> Converted:
    """A graph in 8 bits.

    Weights have a scale per output channel, everything else one per tensor, from the lowest to the
    highest value that was seen.

    Args:
        model: An ``onnx.ModelProto`` in float32; it is left as it is.
        batches: Inputs that show the range of every tensor, uint8 RGB, (n, height, width, 3).
        symmetric: As TensorRT wants it: int8 with zero point 0 at the inputs of convolutions, and
            float32 biases. Else as onnxruntime is fastest: uint8 from convolution to convolution.

    Returns:
        The graph, and how it was made.

    Raises:
        ExportError: There is nothing to quantise in the graph, or it cannot be done.
    """
    import onnx

    source = named(model)
    kept = before_convolutions(source.graph) | head(source.graph)
    reader = _Counting(batches)
    with tempfile.TemporaryDirectory(prefix="yolo-leuk-int8-") as folder:
        path = Path(folder) / "int8.onnx"
        try:
            _write(source, path, reader, kept, symmetric)
            result = onnx.load(path)
        except Exception as error:  # onnxruntime has no common base class for its errors
            raise ExportError(f"{model.graph.name} cannot be quantised: {error}") from error
    if not any(node.op_type == "QuantizeLinear" for node in result.graph.node):
        raise ExportError(
            f"the graph {model.graph.name} has nothing that could be quantised",
            hint="Export it in FP16 or FP32.",
        )
    del result.metadata_props[:]  # what the quantiser noted for itself
    result.metadata_props.extend(model.metadata_props)
    facts = {
        "weights": "int8, a scale per output channel",
        "activations": "int8, zero point 0" if symmetric else "uint8",
        "ranges": "lowest to highest",
        "calibrated_on": reader.pictures,
        "kept_float32": kinds(source.graph, kept),
    }
    return Converted(result, facts)


def _write(
    source: Any, path: Path, reader: _Counting, kept: frozenset[str], symmetric: bool
) -> None:
    quiet_onnxruntime()
    from onnxruntime import quantization
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    add_pre_process_metadata(source)  # or it would advise, in the log, to simplify the graph first
    for_tensorrt = {
        "op_types_to_quantize": ["Conv"],
        "activation_type": quantization.QuantType.QInt8,
        "extra_options": {
            "ActivationSymmetric": True,
            "QuantizeBias": False,
            "OpTypesToExcludeOutputQuantization": ["Conv"],
        },
    }
    for_onnxruntime = {
        "op_types_to_quantize": list(_BETWEEN),
        "activation_type": quantization.QuantType.QUInt8,
    }
    quantization.quantize_static(
        source,
        str(path),
        reader,
        quant_format=quantization.QuantFormat.QDQ,
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=sorted(kept),
        **(for_tensorrt if symmetric else for_onnxruntime),
    )


class _Counting:
    """Hands batches to the quantiser as it wants them, and counts their pictures."""

    def __init__(self, batches: Iterable[Image]) -> None:
        self.pictures = 0
        self._batches: Iterator[Image] = iter(batches)

    def get_next(self) -> dict[str, Image] | None:
        """The next batch by the name of the input, None after the last."""
        batch = next(self._batches, None)
        if batch is None:
            return None
        self.pictures += len(batch)
        return {"images": batch}
