"""Will TensorRT's parser take a graph? Asked before anything is written for a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yolo_leuk.errors import ExportError
from yolo_leuk.export import parser_table

if TYPE_CHECKING:
    import onnx

_MOST_LISTED = 10


@dataclass(frozen=True)
class Misfit:
    """Something in a graph that TensorRT does not support.

    Attributes:
        node: Name of the node, or of a tensor.
        operator: Of the node; empty for a tensor.
        reason: What is wrong with it.
    """

    node: str
    operator: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operator} {self.node}: {self.reason}".lstrip()


def check(model: onnx.ModelProto, name: str) -> None:
    """Raise ExportError where TensorRT would not take the graph; it names each node.

    Args:
        model: The graph.
        name: Of the file, for the message.
    """
    found = misfits(model)
    if found:
        listed = [f"  {misfit}" for misfit in found[:_MOST_LISTED]]
        if len(found) > len(listed):
            listed.append(f"  and {len(found) - len(listed)} more")
        raise ExportError(
            "\n".join([f"{name}: TensorRT does not support {len(found)} of its parts:", *listed]),
            hint="Export it with --format onnx, or change the net.",
        )


def misfits(model: onnx.ModelProto) -> list[Misfit]:
    """All that TensorRT's parser would refuse, by ``parser_table``: operators, types, shapes."""
    graph = _Graph(model)
    return [
        *_opset_misfits(model),
        *_tensor_misfits(graph),
        *(Misfit(n.name, n.op_type, r) for n in model.graph.node for r in _reasons(n, graph)),
    ]


class _Graph:
    """Types and shapes of all tensors of a graph, as shape inference finds them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        import onnx

        try:
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        except onnx.shape_inference.InferenceError as error:
            raise ExportError(f"the shapes of the graph contradict each other: {error}") from error
        self._name_of = onnx.TensorProto.DataType.Name
        self.inputs = [value.name for value in inferred.input]
        self.outputs = [value.name for value in inferred.output]
        self.constants = {tensor.name: tensor for tensor in inferred.initializer}
        for node in inferred.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self.constants[node.output[0]] = node.attribute[0].t
        self.opset = max((o.version for o in model.opset_import if not o.domain), default=0)
        self.types = {name: self._name_of(t.data_type) for name, t in self.constants.items()}
        self.ranks = {name: len(t.dims) for name, t in self.constants.items()}
        for value in (*inferred.input, *inferred.output, *inferred.value_info):
            tensor = value.type.tensor_type
            self.types[value.name] = self._name_of(tensor.elem_type)
            if tensor.HasField("shape"):
                self.ranks[value.name] = len(tensor.shape.dim)

    def constant(self, name: str) -> Any:
        """The value of an initializer or a Constant, or None for anything else."""
        from onnx import numpy_helper

        tensor = self.constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)


def _opset_misfits(model: onnx.ModelProto) -> Iterator[Misfit]:
    first, last = parser_table.FIRST_OPSET, parser_table.LAST_OPSET
    for opset in model.opset_import:
        if not opset.domain and not first <= opset.version <= last:
            reason = f"opset {opset.version} is not one of {first} to {last}"
            yield Misfit("the graph", "", reason)


def _tensor_misfits(graph: _Graph) -> Iterator[Misfit]:
    most = parser_table.MOST_DIMENSIONS
    for name, rank in graph.ranks.items():
        if rank > most:
            yield Misfit(name, "", f"has {rank} dimensions; at most {most} are possible")
    for name in graph.inputs:
        if name not in graph.ranks:
            yield Misfit(name, "", "is an input of unknown shape")


def _reasons(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    """Why a node does not fit; nothing where it does."""
    if node.domain not in {"", "ai.onnx"}:
        yield f"operators of the domain {node.domain} are not known"
        return
    if node.op_type not in parser_table.SUPPORTED:
        yield "the operator is not supported"
        return
    if node.op_type in parser_table.DATA_DEPENDENT:
        yield "the size of its output is known only afterwards, and room for it is needed before"
    supported = parser_table.SUPPORTED[node.op_type]
    for tensor in dict.fromkeys(_data_of(node, graph)):
        found = graph.types.get(tensor, "UNDEFINED")
        if found not in supported:
            place = "" if found != "UINT8" else "; UINT8 goes from the input straight into a Cast"
            yield f"{tensor} is {found}; supported: {', '.join(sorted(supported))}{place}"
    restriction = _RESTRICTIONS.get(node.op_type)
    if restriction is not None:
        yield from restriction(node, graph)


def _data_of(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    """The tensors of a node that its row of the table speaks of (not indices, axes and the like).

    ONNX gives the data of an operator one type parameter; the table lists what it may be.
    """
    import onnx

    schema = onnx.defs.get_schema(node.op_type, graph.opset)
    formal = [*schema.inputs, *schema.outputs]
    listed = _PARAMETERS.get(node.op_type)
    if listed is None:
        listed = ("T",) if any(f.type_str == "T" for f in formal) else (formal[0].type_str,)
    for names, parameters in ((node.input, schema.inputs), (node.output, schema.outputs)):
        for position, name in enumerate(names):
            parameter = parameters[min(position, len(parameters) - 1)]  # the last may be variadic
            if name and parameter.type_str in listed:
                yield name


# Where the data is not the parameter T, nor that of the first input.
_PARAMETERS = {"Cast": ("T1", "T2"), "ConstantOfShape": ("T2",)}


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    import onnx

    for attribute in node.attribute:
        if attribute.name == name:
            value = onnx.helper.get_attribute_value(attribute)
            return value.decode() if isinstance(value, bytes) else value
    return default


def _cast(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    before, after = (graph.types.get(name, "") for name in (node.input[0], node.output[0]))
    if before == "UINT8":
        if node.input[0] not in graph.inputs:
            yield f"{node.input[0]} is UINT8, which only an input of the graph can be"
        if after not in parser_table.HALVES:
            yield f"UINT8 can become FLOAT or FLOAT16 only, not {after}"
    if after == "UINT8" and node.output[0] not in graph.outputs:
        yield f"{node.output[0]} is UINT8, which only an output of the graph can be"


def _in_two_or_three_dimensions(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    rank = graph.ranks.get(node.input[0])
    if rank not in {4, 5}:
        yield f"{node.input[0]} has {rank or 'unknown'} dimensions; 4 or 5 are supported"


def _pool(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    yield from _in_two_or_three_dimensions(node, graph)
    if any(step != 1 for step in _attribute(node, "dilations", ())):
        yield "dilations other than 1 are not supported"
    if len([name for name in node.output if name]) > 1:
        yield "the output of indices is not supported"


def _resize(node: onnx.NodeProto, _: _Graph) -> Iterator[str]:
    # Attribute, its default, and what is supported.
    rules = (
        ("mode", "nearest", {"nearest", "linear"}),
        ("nearest_mode", "round_prefer_floor", _NEAREST),
        ("coordinate_transformation_mode", "half_pixel", _TRANSFORMATIONS),
        ("keep_aspect_ratio_policy", "stretch", {"stretch"}),
        ("antialias", 0, {0}),
    )
    for name, default, supported in rules:
        found = _attribute(node, name, default)
        if found not in supported:
            yield f"{name} {found} is not supported"


_NEAREST = {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"}
_TRANSFORMATIONS = {
    *("half_pixel", "pytorch_half_pixel", "tf_half_pixel_for_nn", "asymmetric", "align_corners"),
}


def _constant_input(position: int, what: str) -> Callable[..., Iterator[str]]:
    """A restriction: this input, where there is one, must be known when the engine is built."""

    def restriction(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
        if len(node.input) > position and node.input[position]:
            name = node.input[position]
            if name not in graph.constants:
                yield f"its {what}, {name}, must be a constant"

    return restriction


def _zero_point_of(position: int) -> Callable[..., Iterator[str]]:
    """A restriction of (de)quantisation: symmetric INT8, so a zero point of zeros."""

    def restriction(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
        if len(node.input) <= position or not node.input[position]:
            yield "has no zero point, so it would be of UINT8; INT8 is supported"
            return
        name = node.input[position]
        value = graph.constant(name)
        if graph.types.get(name) != "INT8":
            yield f"{name} is {graph.types.get(name)}; INT8 is supported"
        elif value is None or value.any():
            yield f"its zero point {name} must be a constant of zeros"

    return restriction


_AXES_FIRST = _constant_input(1, "axes")

_RESTRICTIONS: dict[str, Callable[..., Iterator[str]]] = {
    "AveragePool": _pool,
    "Cast": _cast,
    "Conv": _in_two_or_three_dimensions,
    "ConvTranspose": _in_two_or_three_dimensions,
    "CumSum": _constant_input(1, "axis"),
    "DequantizeLinear": _zero_point_of(2),
    "MaxPool": _pool,
    "QuantizeLinear": _zero_point_of(2),
    **{
        f"Reduce{how}": _AXES_FIRST
        for how in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum")
    },
    "ReduceSumSquare": _AXES_FIRST,
    "Resize": _resize,
    "Slice": _constant_input(3, "axes"),
    "Squeeze": _AXES_FIRST,
    "TopK": _constant_input(1, "K"),
    "Unsqueeze": _AXES_FIRST,
}
