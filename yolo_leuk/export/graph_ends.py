"""The two ends of a graph: what makes numbers of pixels, and what makes answers of numbers.

Between them stand the convolutions, which take nearly all of the time and hold nearly all of the
weights. The ends cost next to nothing, and a coarser arithmetic would spoil what they compute:
pixels of boxes, softmax, votes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any


def named(model: Any) -> Any:
    """A copy of an ``onnx.ModelProto`` in which every node has a name of its own."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    taken = {node.name for node in model.graph.node}
    seen: set[str] = {""}
    for number, node in enumerate(copy.graph.node):
        if node.name in seen:
            node.name = _free(f"{node.op_type}_{number}", taken)
            taken.add(node.name)
        seen.add(node.name)
    return copy


def before_convolutions(graph: Any) -> frozenset[str]:
    """Names of the nodes that the first convolutions wait for."""
    makers = _makers(graph)
    before: set[str] = set()
    for node in graph.node:
        if _is_learnt(node, graph):
            found = _upstream([node.input[0]], makers, lambda _: False)
            if not any(_is_learnt(one, graph) for one in found.values()):
                before |= found.keys()
    return frozenset(before)


def behind_convolutions(graph: Any) -> frozenset[str]:
    """Names of the nodes that wait for the last convolutions, down to the outputs."""
    makers = _makers(graph)

    def is_end(node: Any) -> bool:
        return node.op_type == "Shape" or _is_learnt(node, graph)

    return frozenset(_upstream([output.name for output in graph.output], makers, is_end))


def head(graph: Any) -> frozenset[str]:
    """Names of the nodes in the module that ends the graph, its own convolutions among them.

    Nodes are named by module, ``/net/model.23/cv2.0/conv/Conv``: the head is the deepest module
    that holds all of :func:`behind_convolutions`. Where nodes are not named so, it is these alone.
    """
    behind = behind_convolutions(graph)
    scopes = [name.split("/")[:-1] for name in behind]
    shared: list[str] = []
    for parts in zip(*scopes, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    if not any(shared):
        return behind
    scope = "/".join(shared) + "/"
    return behind | {node.name for node in graph.node if node.name.startswith(scope)}


def kinds(graph: Any, names: frozenset[str]) -> dict[str, int]:
    """Operators among nodes, each with how many there are."""
    return dict(sorted(Counter(n.op_type for n in graph.node if n.name in names).items()))


def _is_learnt(node: Any, graph: Any) -> bool:
    """Whether a node is a convolution of the net.

    Detectors write the mean of a distribution over bins as one too, with one output and no bias:
    Li X et al. NeurIPS 2020 (arXiv:2006.04388).
    """
    if node.op_type != "Conv":
        return False
    has_bias = len(node.input) > 2
    outputs = next((t.dims[0] for t in graph.initializer if t.name == node.input[1]), None)
    return has_bias or outputs != 1


def _makers(graph: Any) -> dict[str, Any]:
    return {output: node for node in graph.node for output in node.output}


def _upstream(
    tensors: Iterable[str], makers: dict[str, Any], is_end: Callable[[Any], bool]
) -> dict[str, Any]:
    """Nodes by name that tensors rest on, up to those that end the walk, which are left out."""
    found: dict[str, Any] = {}
    waiting = list(tensors)
    while waiting:
        node = makers.get(waiting.pop())
        if node is None or node.name in found or is_end(node):
            continue
        found[node.name] = node
        waiting += node.input
    return found


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)
