"""``ensemble.json``: several classifiers that vote, with their weights and what those rest on.

The nets and their cards lie beside it, and the graph that they make together, so that the folder is
whole and can be moved. A member that was only ever a table of probabilities has no net: such an
ensemble has no graph, and cannot be run on pictures.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts
from yolo_leuk.errors import CardError, ConfigError, HashError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.model_card import ModelCard, write_card
from yolo_leuk.net_file import card_of
from yolo_leuk.probabilities import Probabilities, calibrated_vote

SCHEMA = "yolo-leuk/ensemble/1"
FILE_NAME = "ensemble.json"

# Weights are written with every digit; what is left is the rounding of their sum.
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Member:
    """One voter.

    Attributes:
        name: Of the member, and of its files: ``<name>.onnx`` and ``<name>.json``.
        architecture: As given to ``--arch``; empty where it is not known.
        weight: Of its vote, none below 0; those of all members sum to 1.
        temperature: Its logits are divided by it before the softmax. It goes before the one in
            the net's card, which was fitted to another mixture of colours.
        net: ONNX file with its card beside it; None of a table alone.
        sha256: Of the ONNX file; empty where there is none.
        table_sha256: Of the table of probabilities that the weights were searched on.
    """

    name: str
    architecture: str
    weight: float
    temperature: float
    net: Path | None
    sha256: str
    table_sha256: str = ""


@dataclass(frozen=True)
class SearchedOn:
    """The samples that weights, temperatures and thresholds rest on; never those of test.

    Attributes:
        manifest_sha256: Of the data set; empty where it is not known.
        splits: Those that the samples are of.
        folds: Those that the samples are of.
        samples: How many there are.
        groups: How many groups they are of.
    """

    manifest_sha256: str
    splits: tuple[str, ...]
    folds: tuple[int, ...]
    samples: int
    groups: int


@dataclass(frozen=True)
class Ensemble:
    """What ``ensemble.json`` says.

    Attributes:
        name: Of the ensemble.
        scheme: Classes in the order of every member's outputs, and the blasts among them.
        members: At least one.
        temperature: Of the vote: its logarithms are divided by it before the softmax.
        thresholds: ``unidentified``, the least probability of the highest class that is a call, and
            ``coverage``, the share of the samples that it was learnt to call.
        searched_on: What all of these rest on.
        search: What was asked for and what was chosen, and why.
        comparison: Each way to weigh the members, on the samples that were searched on and on
            samples that were not.
        warnings: What a reader of any figure of it must know.
        date: ISO 8601.
        graph: ONNX file of all members and their vote; None where a member is a table alone.
        graph_sha256: Of that file; empty where there is none.

    Raises:
        CardError: There is no member, two have one name, weights are off the simplex, or a
            temperature is not above 0.
    """

    name: str
    scheme: LabelScheme
    members: tuple[Member, ...]
    temperature: float
    thresholds: Mapping[str, float]
    searched_on: SearchedOn
    search: Mapping[str, Any] = field(default_factory=dict)
    comparison: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    date: str = ""
    graph: Path | None = None
    graph_sha256: str = ""

    def __post_init__(self) -> None:
        names = [member.name for member in self.members]
        if not names or len(set(names)) != len(names):
            raise CardError(f"expected members of different names, got {names}")
        weights = self.weights
        if not ((weights >= 0).all() and abs(float(weights.sum()) - 1) <= _SUM_TOLERANCE):
            raise CardError(
                f"expected weights from 0 up with a sum of 1, got {_told(weights.tolist())}"
            )
        temperatures = [*(member.temperature for member in self.members), self.temperature]
        if not all(math.isfinite(t) and t > 0 for t in temperatures):
            raise CardError(f"expected temperatures above 0, got {_told(temperatures)}")
        if "unidentified" not in self.thresholds:
            raise CardError(f"the ensemble {self.name} has no threshold 'unidentified'")

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Of the members, shape (m,)."""
        return np.array([member.weight for member in self.members], np.float64)

    @property
    def nets(self) -> tuple[Path, ...]:
        """ONNX files of all members. Raises CardError where one is a table alone."""
        if without := [member.name for member in self.members if member.net is None]:
            raise CardError(
                f"the ensemble {self.name} has no net of {', '.join(without)}: "
                "its weights were searched on tables of probabilities alone",
                hint="Make it anew from runs or nets: `yolo-leuk ensemble RUN RUN …`.",
            )
        return tuple(member.net for member in self.members if member.net is not None)

    def probabilities(self, logits: npt.ArrayLike) -> Probabilities:
        """Calibrated probabilities of the vote, shape (n, classes), rows summing to 1.

        Args:
            logits: Of the members, in their order, shape (m, n, classes).
        """
        temperatures = [member.temperature for member in self.members]
        return calibrated_vote(logits, temperatures, self.weights, self.temperature)

    def with_graph(self, path: Path, sha256: str) -> Ensemble:
        """The ensemble with a graph of all members and their vote."""
        return dataclasses.replace(self, graph=path, graph_sha256=sha256)

    def to_json(self) -> dict[str, Any]:
        """A JSON object of schema ``yolo-leuk/ensemble/1``; nets by file name alone."""
        graph = self.graph and {"file": self.graph.name, "sha256": self.graph_sha256}
        return {
            "schema": SCHEMA,
            "name": self.name,
            "classes": list(self.scheme.names),
            "blasts": [name for name in self.scheme.names if name in self.scheme.blasts],
            "members": [
                {
                    "name": member.name,
                    "architecture": member.architecture,
                    "file": None if member.net is None else member.net.name,
                    "sha256": member.sha256,
                    "table_sha256": member.table_sha256,
                    "weight": member.weight,
                    "temperature": member.temperature,
                }
                for member in self.members
            ],
            "temperature": self.temperature,
            "thresholds": dict(self.thresholds),
            "graph": graph,
            "searched_on": dataclasses.asdict(self.searched_on),
            "search": dict(self.search),
            "comparison": dict(self.comparison),
            "warnings": list(self.warnings),
            "date": self.date,
        }


def write_ensemble(folder: Path, ensemble: Ensemble) -> Ensemble:
    """Copy the nets and their cards into a folder, then write ``ensemble.json`` there.

    Returns:
        The ensemble with the nets that lie in the folder.

    Raises:
        CardError: A card breaks its schema.
        HashError: A net is not the one that its card speaks of.
        OutputError: A file cannot be written.
    """
    members = tuple(_copied(member, folder) for member in ensemble.members)
    copied = dataclasses.replace(ensemble, members=members)
    artifacts.write_json(folder / FILE_NAME, copied.to_json())
    return copied


def _copied(member: Member, folder: Path) -> Member:
    if member.net is None:
        return member
    target = folder / f"{member.name}.onnx"
    card = card_of(member.net)
    if card.sha256 != member.sha256:
        raise HashError(
            f"{member.net} has SHA-256 {member.sha256}; its card says {card.sha256}",
            hint="Export it again so that its card is written anew.",
        )
    artifacts.write_bytes(target, member.net.read_bytes())
    write_card(target.with_suffix(".json"), dataclasses.replace(card, name=member.name))
    return dataclasses.replace(member, net=target)


def read_ensemble(path: Path, *, trust: bool = False) -> Ensemble:
    """Read an ensemble, and check that the nets beside it are its own and fit each other.

    Args:
        path: ``ensemble.json``, or the folder that holds it.
        trust: Take nets although their hashes differ.

    Raises:
        CardError: The file or a card breaks its schema, a net is missing, or the cards of the nets
            disagree with the ensemble or with each other.
        HashError: A net is not the one that is meant.
    """
    file = path / FILE_NAME if path.is_dir() else path
    content = artifacts.read_json(file, schema=SCHEMA, error=CardError)
    try:
        ensemble = _parsed(content, file.parent)
    except KeyError as error:
        raise CardError(f"{file}: the key {error} is missing") from error
    except (TypeError, ValueError, AttributeError, ConfigError) as error:
        raise CardError(f"{file} breaks the schema {SCHEMA}: {error}") from error
    except CardError as error:
        raise CardError(f"{file}: {error}", hint=error.hint) from error
    for member in ensemble.members:
        if member.net is not None:
            _check_file(member.net, member.sha256, trust)
    if ensemble.graph is not None:
        _check_file(ensemble.graph, ensemble.graph_sha256, trust)
    check_nets(ensemble.scheme, [m.net for m in ensemble.members if m.net is not None])
    return ensemble


def check_nets(scheme: LabelScheme, nets: Sequence[Path]) -> tuple[ModelCard, ...]:
    """Check that nets can vote together: the same classes in one order, and the same input.

    Args:
        scheme: Classes of the ensemble.
        nets: ONNX files with their cards beside them.

    Returns:
        The cards, in order.

    Raises:
        CardError: They cannot; the message says what differs.
    """
    cards = tuple(card_of(net) for net in nets)
    for net, card in zip(nets, cards, strict=True):
        if card.task != "classify":
            raise CardError(f"{net} is for {card.task}; a member of an ensemble classifies")
        if card.scheme.names != scheme.names:
            raise CardError(
                f"the classes of {net} are {', '.join(card.scheme.names)}; "
                f"those of the ensemble are {', '.join(scheme.names)}, in this order",
                hint="Leave it out, or train it on the data set of the others.",
            )
        for name in ("level", "input_px", "px_per_rbc"):
            own, others = getattr(card, name), getattr(cards[0], name)
            if own != others:
                raise CardError(
                    f"{name} of {net} is {own}, that of {nets[0]} is {others}; "
                    "members of an ensemble share one input",
                    hint="Leave it out, or train it with the settings of the others.",
                )
    return cards


def _parsed(content: dict[str, Any], folder: Path) -> Ensemble:
    searched_on = content["searched_on"]
    return Ensemble(
        name=str(content["name"]),
        scheme=LabelScheme(tuple(content["classes"]), frozenset(content["blasts"])),
        members=tuple(_parsed_member(member, folder) for member in content["members"]),
        temperature=float(content["temperature"]),
        thresholds={str(k): float(v) for k, v in content["thresholds"].items()},
        searched_on=SearchedOn(
            manifest_sha256=str(searched_on["manifest_sha256"]),
            splits=tuple(str(split) for split in searched_on["splits"]),
            folds=tuple(int(fold) for fold in searched_on["folds"]),
            samples=int(searched_on["samples"]),
            groups=int(searched_on["groups"]),
        ),
        search=dict(content["search"]),
        comparison=dict(content["comparison"]),
        warnings=tuple(str(warning) for warning in content["warnings"]),
        date=str(content["date"]),
        **_parsed_graph(content.get("graph"), folder),
    )


def _parsed_graph(content: dict[str, Any] | None, folder: Path) -> dict[str, Any]:
    if content is None:
        return {}
    return {"graph": _beside(folder, content["file"]), "graph_sha256": str(content["sha256"])}


def _parsed_member(content: dict[str, Any], folder: Path) -> Member:
    file = content["file"]
    return Member(
        name=str(content["name"]),
        architecture=str(content["architecture"]),
        weight=float(content["weight"]),
        temperature=float(content["temperature"]),
        net=None if file is None else _beside(folder, file),
        sha256=str(content["sha256"]),
        table_sha256=str(content["table_sha256"]),
    )


def _beside(folder: Path, file: str) -> Path:
    if Path(file).name != file:
        raise CardError(
            f"the net {file!r} does not lie beside the ensemble; expected a file name alone"
        )
    return folder / file


def _check_file(net: Path, sha256: str, trust: bool) -> None:
    if not net.is_file():
        raise CardError(
            f"the ensemble names the net {net}, which is not there",
            hint="Move the folder of an ensemble as a whole.",
        )
    found = artifacts.sha256_of_file(net)
    if found != sha256 and not trust:
        raise HashError(
            f"{net} has SHA-256 {found}; the ensemble says {sha256}",
            hint="Fetch the folder again, or make the ensemble again.",
        )


def _told(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
