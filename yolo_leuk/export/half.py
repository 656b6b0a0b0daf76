"""FP16: weights and arithmetic in half precision, uint8 in and float32 out.

The convolutions and what stands between them are converted by onnxruntime's own converter. What
stands before and behind them stays float32: from 512 px on, neighbouring numbers of half precision
are half a pixel apart.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Sequence
from typing import Any

from yolo_leuk.backends.onnx import quiet_onnxruntime
from yolo_leuk.errors import ExportError
from yolo_leuk.export.converted import Converted
from yolo_leuk.export.graph_ends import before_convolutions, behind_convolutions, kinds, named


def converted(model: Any) -> Converted:
    """A graph in half precision.

    Args:
        model: An ``onnx.ModelProto`` in float32; it is left as it is.

    Returns:
        The graph, and which nodes stayed float32.

    Raises:
        ExportError: The graph has no convolution, or cannot be converted.
    """
    import onnx

    whole = onnx.shape_inference.infer_shapes(named(model))
    before, behind = before_convolutions(whole.graph), behind_convolutions(whole.graph)
    if not before:
        raise ExportError(
            f"the graph {model.graph.name} has no convolution that FP16 would be of use for",
            hint="Export it in FP32.",
        )
    kept = before | behind
    try:
        half = _converted(_without(whole, kept))
        result = _put_back(whole, kept, half)
        onnx.checker.check_model(result, full_check=True)
    except (ValueError, KeyError, AssertionError, onnx.checker.ValidationError) as error:
        raise ExportError(f"{model.graph.name} cannot be converted to FP16: {error}") from error
    facts = {
        "kept_float32": {
            "before the convolutions": kinds(whole.graph, before),
            "behind them": kinds(whole.graph, behind),
        }
    }
    return Converted(result, facts)


def _converted(body: Any) -> Any:
    quiet_onnxruntime()
    from onnxruntime.transformers.float16 import convert_float_to_float16

    # Its own list of nodes to keep makes graphs with two nodes of one name, so it gets a graph of
    # which nothing is to be kept.
    return convert_float_to_float16(body, keep_io_types=True, op_block_list=[])


def _without(whole: Any, kept: frozenset[str]) -> Any:
    """A model of the nodes that are not kept; tensors that others make or need are its ends."""
    from onnx import helper

    graph = whole.graph
    inside, outside = _parted(graph.node, kept)
    made, used = _outputs(inside), _inputs(inside)
    constant = {tensor.name for tensor in graph.initializer}
    wanted = _inputs(outside) | {output.name for output in graph.output}
    known = {value.name: value for value in (*graph.value_info, *graph.input, *graph.output)}
    body = helper.make_graph(
        inside,
        graph.name,
        [known[name] for name in sorted(used - made - constant)],
        [known[name] for name in sorted(made & wanted)],
        [tensor for tensor in graph.initializer if tensor.name in used],
        value_info=[known[name] for name in sorted(made - wanted)],
    )
    return helper.make_model(body, opset_imports=whole.opset_import, ir_version=whole.ir_version)


def _put_back(whole: Any, kept: frozenset[str], half: Any) -> Any:
    """The whole model with the converted part in the place of the one that it was made of."""
    import onnx

    _, outside = _parted(whole.graph.node, kept)
    used = _inputs(outside)
    stays = [tensor for tensor in whole.graph.initializer if tensor.name in used]
    _rename_shared(half.graph, {tensor.name for tensor in stays})
    result = onnx.ModelProto()
    result.CopyFrom(whole)
    for part, values in (
        ("node", _in_order([*outside, *half.graph.node])),
        ("initializer", [*stays, *half.graph.initializer]),
        ("value_info", []),  # of float32 tensors that are there no longer
    ):
        result.graph.ClearField(part)
        getattr(result.graph, part).extend(values)
    return result


def _rename_shared(graph: Any, taken: set[str]) -> None:
    """Give the constants of a graph other names than those that are taken."""
    names = {t.name: f"{t.name}_half" for t in graph.initializer if t.name in taken}
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)


def _in_order(nodes: Sequence[Any]) -> list[Any]:
    """Nodes such that each stands behind those that it waits for, as ONNX wants it."""
    makers = {output: number for number, node in enumerate(nodes) for output in node.output}
    waits = {
        number: [makers[name] for name in node.input if name in makers]
        for number, node in enumerate(nodes)
    }
    return [nodes[number] for number in graphlib.TopologicalSorter(waits).static_order()]


def _parted(nodes: Iterable[Any], kept: frozenset[str]) -> tuple[list[Any], list[Any]]:
    """Nodes that are converted, and nodes that are kept."""
    nodes = list(nodes)
    return [n for n in nodes if n.name not in kept], [n for n in nodes if n.name in kept]


def _inputs(nodes: Iterable[Any]) -> set[str]:
    return {name for node in nodes for name in node.input if name}


def _outputs(nodes: Iterable[Any]) -> set[str]:
    return {name for node in nodes for name in node.output if name}
