"""The members of an ensemble and their vote as one ONNX graph.

One input, ``images``: uint8 RGB (n, S, S, 3). What the members do alike, as cast, transpose and
scale, is done once. Temperatures and weights are inside. Outputs: ``probabilities`` (n, classes) of
the vote, calibrated; ``member_probabilities`` (n, m, classes); ``features`` (n, d), those of all
members one after the other. It says what ``probabilities.calibrated_vote`` says of the members'
logits.

Needs onnx, and no torch.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from yolo_leuk import artifacts
from yolo_leuk.ensemble_file import FILE_NAME, Ensemble
from yolo_leuk.errors import CardError, ExportError
from yolo_leuk.model_card import MemberCard, ModelCard
from yolo_leuk.net_file import card_of, write_net

VOTE = "vote/"
"""What the names of the nodes begin with that are no member's: they need float32."""

_INPUT = "images"

# Of the nets that ``train`` writes; what the nodes of the vote look like depends on it.
_OPSET = 17

# The logarithm of a weight of 0: far below what float32 can tell from nothing, and yet a number.
_NO_WEIGHT = -1e4


def write_vote(folder: Path, ensemble: Ensemble) -> Ensemble:
    """Write the graph of an ensemble with its card, and ``ensemble.json`` again, which names it.

    Args:
        folder: Where the nets of the ensemble lie.
        ensemble: An ensemble of tables alone has no graph, and comes back as it is.

    Returns:
        The ensemble with its graph.

    Raises:
        CardError: The card of a net has no feature statistics.
        ExportError: The nets cannot be put together.
        OutputError: A file cannot be written.
    """
    if any(member.net is None for member in ensemble.members):
        return ensemble
    taken = {member.name for member in ensemble.members}
    names = ("vote" if n == 1 else f"vote-{n}" for n in itertools.count(1))
    path = folder / f"{next(name for name in names if name not in taken)}.onnx"
    card = vote_card(path.stem, ensemble)
    written = write_net(path, merged([net.read_bytes() for net in ensemble.nets], card), card)
    whole = ensemble.with_graph(path, written.sha256)
    artifacts.write_json(folder / FILE_NAME, whole.to_json())
    return whole


def vote_card(name: str, ensemble: Ensemble) -> ModelCard:
    """The card of the graph of an ensemble; its ``sha256`` is empty.

    Raises:
        CardError: A member is a table alone, or the card of a net has no feature statistics.
    """
    cards = [card_of(net) for net in ensemble.nets]
    first = cards[0]
    members = tuple(
        _member(card, member.name, member.sha256, member.weight, member.temperature)
        for card, member in zip(cards, ensemble.members, strict=True)
    )
    return ModelCard(
        name=name,
        task="classify",
        architecture="+".join(card.architecture for card in cards),
        scheme=ensemble.scheme,
        level=first.level,
        px_per_rbc=first.px_per_rbc,
        input_px=first.input_px,
        preprocessing=first.preprocessing,
        thresholds=dict(ensemble.thresholds),
        temperature=ensemble.temperature,
        members=members,
        sha256="",
        date=ensemble.date,
        licence=first.licence,
        training={
            "searched_on": dataclasses.asdict(ensemble.searched_on),
            "search": dict(ensemble.search),
            "comparison": dict(ensemble.comparison),
            "warnings": list(ensemble.warnings),
            "members": {
                member.name: card.training for member, card in zip(members, cards, strict=True)
            },
        },
    )


def _member(
    card: ModelCard, name: str, sha256: str, weight: float, temperature: float
) -> MemberCard:
    if card.features is None:
        raise CardError(
            f"the card of {name} has no feature statistics, by which strange cells are told",
            hint="Train the net again with `yolo-leuk train`.",
        )
    return MemberCard(name, card.architecture, sha256, weight, temperature, card.features)


def merged(nets: Sequence[bytes], card: ModelCard) -> bytes:
    """One ONNX file of several classifiers and their vote.

    Args:
        nets: ONNX files of the members, each with the outputs ``logits`` and ``features``.
        card: Of the ensemble, with its members in the same order.

    Raises:
        ExportError: The nets cannot be put together, or make no valid graph.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        models = [onnx.load_model_from_string(net) for net in nets]
        _check_opsets(models)
        graph = _Graph()
        outputs = [
            graph.take_in(model.graph, f"{member.name}/")
            for model, member in zip(models, card.members, strict=True)
        ]
        _vote(graph, outputs, card)
        whole = onnx.helper.make_model(
            graph.finished(card, sum(m.features.means.shape[1] for m in card.members)),
            opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
            ir_version=max(model.ir_version for model in models),
            producer_name="yolo-leuk",
        )
        onnx.checker.check_model(whole, full_check=True)
    except (
        KeyError,
        ValueError,
        TypeError,
        DecodeError,
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
    ) as error:
        names = ", ".join(member.name for member in card.members)
        raise ExportError(f"{names} cannot be put into one graph: {error}") from error
    return bytes(whole.SerializeToString())


def _check_opsets(models: Sequence[Any]) -> None:
    found = {(one.domain, one.version) for model in models for one in model.opset_import}
    if found != {("", _OPSET)}:
        told = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in sorted(found))
        raise ValueError(f"expected nets of opset {_OPSET}, found {told}")


class _Graph:
    """A graph that grows; what is there already is not taken in twice."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._known: dict[tuple[Any, ...], list[str]] = {}

    def take_in(self, graph: Any, prefix: str) -> dict[str, str]:
        """Take in a net; returns what each of its values is called here.

        Raises:
            ValueError: It takes something else than pictures, or a node holds a graph of its own.
        """
        constants = {one.name for one in graph.initializer}
        inputs = [one.name for one in graph.input if one.name not in constants]
        if inputs != [_INPUT]:
            raise ValueError(f"expected the one input {_INPUT}, found {', '.join(inputs)}")
        names = {_INPUT: _INPUT, "": ""}
        for constant in graph.initializer:
            names[constant.name] = self.constant(prefix + constant.name, constant)
        for node in graph.node:  # in the order in which they can be computed
            if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
                raise ValueError(f"the node {node.name} ({node.op_type}) holds a graph of its own")
            found = self.node(node, [names[name] for name in node.input], prefix)
            names.update(zip(node.output, found, strict=True))
        return names

    def constant(self, name: str, constant: Any) -> str:
        """Take in a constant; returns the name of the one that is equal to it."""
        key = ("constant", *_unnamed(constant))
        if key not in self._known:
            own = type(constant)()
            own.CopyFrom(constant)
            own.name = name
            self._constants[name] = own
            self._known[key] = [name]
        return self._known[key][0]

    def node(self, node: Any, inputs: Sequence[str], prefix: str) -> list[str]:
        """Take in a node; returns the outputs of the one that does the same."""
        attributes = sorted(one.SerializeToString(deterministic=True) for one in node.attribute)
        shape = tuple(bool(name) for name in node.output)
        key = ("node", node.domain, node.op_type, tuple(inputs), shape, *attributes)
        if key not in self._known:
            own = type(node)()
            own.CopyFrom(node)
            del own.input[:], own.output[:]
            own.input.extend(inputs)
            own.output.extend(prefix + name if name else "" for name in node.output)
            own.name = prefix + node.name if node.name else own.output[0]
            self._nodes.append(own)
            self._known[key] = list(own.output)
        return self._known[key]

    def add(self, op_type: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node of the vote; returns its output."""
        from onnx import helper

        name = output if "/" in output else VOTE + output
        made = helper.make_node(op_type, inputs, [output], name=name, **attributes)
        self._nodes.append(made)
        return output

    def number(self, name: str, value: Any) -> str:
        """Add a constant of the vote; returns its name."""
        from onnx import numpy_helper

        self._constants[VOTE + name] = numpy_helper.from_array(np.asarray(value), VOTE + name)
        return VOTE + name

    def finished(self, card: ModelCard, features: int) -> Any:
        """The whole graph."""
        from onnx import TensorProto, helper

        side, classes = card.input_px, len(card.scheme)
        shapes: Mapping[str, list[Any]] = {
            "probabilities": ["n", classes],
            "member_probabilities": ["n", len(card.members), classes],
            "features": ["n", features],
        }
        return helper.make_graph(
            self._nodes,
            "ensemble",
            [helper.make_tensor_value_info(_INPUT, TensorProto.UINT8, ["n", side, side, 3])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in shapes.items()
            ],
            list(self._constants.values()),
        )


def _unnamed(constant: Any) -> tuple[Any, ...]:
    """What a constant is, apart from its name."""
    own = type(constant)()
    own.CopyFrom(constant)
    own.name = ""
    return (own.SerializeToString(deterministic=True),)


def _vote(graph: _Graph, outputs: Sequence[Mapping[str, str]], card: ModelCard) -> None:
    """Add the vote over the members' logits, each (n, classes).

    It is computed on logarithms: log Σ wᵢ pᵢ = log Σ exp(log wᵢ + log pᵢ). In float32 a small
    probability would vanish, and a temperature above 1 would no longer bring it back.
    """
    last = graph.number("last axis", np.array([1], np.int64))
    logarithms = []
    for number, (names, member) in enumerate(zip(outputs, card.members, strict=True)):
        own = f"{VOTE}{number} "
        temperature = graph.number(f"{number} temperature", np.float32(member.temperature))
        scaled = graph.add("Div", [names["logits"], temperature], own + "scaled")
        alone = graph.add("LogSoftmax", [scaled], own + "logarithms", axis=-1)
        logarithms.append(graph.add("Unsqueeze", [alone, last], own + "row"))
    rows = graph.add("Concat", logarithms, VOTE + "rows", axis=1)  # (n, m, classes)
    graph.add("Exp", [rows], "member_probabilities")
    weighted = graph.add("Add", [rows, graph.number("weights", _log_weights(card))], VOTE + "terms")
    highest = graph.add("ReduceMax", [weighted], VOTE + "highest", axes=[1], keepdims=1)
    apart = graph.add("Sub", [weighted, highest], VOTE + "apart")
    terms = graph.add("Exp", [apart], VOTE + "exponentials")
    total = graph.add("ReduceSum", [terms, last], VOTE + "sum", keepdims=1)
    logarithm = graph.add("Log", [total], VOTE + "logarithm of the sum")
    voted = graph.add("Add", [logarithm, highest], VOTE + "voted row")
    flat = graph.add("Squeeze", [voted, last], VOTE + "voted")  # (n, classes)
    temperature = graph.number("temperature", np.float32(card.temperature))
    softened = graph.add("Div", [flat, temperature], VOTE + "softened")
    graph.add("Softmax", [softened], "probabilities", axis=-1)
    graph.add("Concat", [names["features"] for names in outputs], "features", axis=1)


def _log_weights(card: ModelCard) -> Any:
    """Shape (1, m, 1)."""
    logarithms = [math.log(m.weight) if m.weight > 0 else _NO_WEIGHT for m in card.members]
    return np.array(logarithms, np.float32).reshape(1, -1, 1)
