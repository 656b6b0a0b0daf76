"""TensorRT takes UINT8 only as an input that goes straight into a Cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def cast_first(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a graph in which a UINT8 input is cast first and transposed then.

    The answers stay the same to the last bit. A graph that does so already is only copied.
    """
    import onnx

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    inputs = {
        value.name
        for value in changed.graph.input
        if value.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    }
    for transpose in list(changed.graph.node):
        if transpose.op_type == "Transpose" and transpose.input[0] in inputs:
            _exchange(changed.graph, transpose)
    return changed


def _exchange(graph: onnx.GraphProto, transpose: onnx.NodeProto) -> None:
    """Transpose then Cast becomes Cast then Transpose, where nothing else needs what is between."""
    users = [node for node in graph.node if transpose.output[0] in node.input]
    if len(users) != 1 or users[0].op_type != "Cast":
        return
    (cast,) = users
    between, after = transpose.output[0], cast.output[0]
    cast.input[0], cast.output[0] = transpose.input[0], between
    transpose.input[0], transpose.output[0] = between, after
    # Nodes stand in the order in which they run.
    nodes = list(graph.node)
    first, second = nodes.index(transpose), nodes.index(cast)
    nodes[first], nodes[second] = nodes[second], nodes[first]
    ordered = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(ordered)
    # The type of what lies between has changed; shape inference finds it anew.
    stale = [value for value in graph.value_info if value.name == between]
    for value in stale:
        graph.value_info.remove(value)
