"""The model card: what a net is, what goes in, what comes out, what it was measured on.

``weights/<name>.json`` beside ``weights/<name>.onnx``, and the same inside the ONNX file
(:mod:`yolo_leuk.embedded_card`). Whoever runs the net follows its card and nothing else.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts
from yolo_leuk.errors import CardError, ConfigError
from yolo_leuk.labels import LabelScheme

SCHEMA = "yolo-leuk/model-card/1"


@dataclass(frozen=True)
class FeatureStatistics:
    """Where the training cells lie in the space of a classifier's features.

    Lee K, Lee K, Lee H, Shin J. NeurIPS 2018 (arXiv:1807.03888): class means and one covariance.

    Attributes:
        means: float64, shape (classes, d).
        covariance: float64, shape (d, d), shared by the classes.
        farthest: Squared Mahalanobis distance to the nearest mean that 99 % of the validation
            cells stay below; a cell beyond it is like nothing that was trained on.
    """

    means: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    farthest: float

    def squared_distance(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Squared Mahalanobis distance of each row, shape (n, d), to the nearest class mean."""
        inverse = np.linalg.inv(self.covariance)
        apart = np.asarray(features, np.float64)[:, None, :] - self.means[None, :, :]
        return np.asarray(np.einsum("ncd,de,nce->nc", apart, inverse, apart).min(axis=1))

    def to_json(self) -> dict[str, Any]:
        """The statistics as they stand in a card."""
        return {
            "means": np.round(self.means, 5).tolist(),
            "covariance": np.round(self.covariance, 6).tolist(),
            "farthest": self.farthest,
        }


@dataclass(frozen=True)
class MemberCard:
    """A net inside the graph of an ensemble.

    Attributes:
        name: Tells it from the others.
        architecture: As given to ``--arch``.
        sha256: Of the ONNX file that it was taken from.
        weight: Of its vote, none below 0; those of all members sum to 1.
        temperature: Its logits are divided by it before the softmax.
        features: Where the cells lie that it was trained on.
    """

    name: str
    architecture: str
    sha256: str
    weight: float
    temperature: float
    features: FeatureStatistics

    def to_json(self) -> dict[str, Any]:
        """The member as it stands in a card."""
        return {
            "name": self.name,
            "architecture": self.architecture,
            "sha256": self.sha256,
            "weight": self.weight,
            "temperature": self.temperature,
            "features": self.features.to_json(),
        }


@dataclass(frozen=True)
class ModelCard:
    """What is known of a net.

    Attributes:
        name: Of the files: ``<name>.onnx`` and ``<name>.json``.
        task: ``detect`` or ``classify``.
        architecture: As given to ``--arch``; of an ensemble those of its members.
        scheme: Classes in the order of the outputs, and the blasts among them.
        px_per_rbc: The scale that pictures are brought to: of the field for a detector, of the
            sharpness for a classifier of cells. Whole pictures are brought to none; it is then the
            median of the training pictures, in the input.
        input_px: S, the side of a classifier's input; the largest tile of a detector.
        preprocessing: In words, step by step, for whoever runs the net without this package.
        thresholds: By name; which there are depends on the task.
        temperature: The logits are divided by it before the softmax; of an ensemble the logarithms
            of the vote.
        features: Of a classifier; None for a detector and for an ensemble, whose members have own.
        members: Of an ensemble, in the order of the graph's outputs; else empty.
        level: What a classifier is shown: the window of a ``cell``, or a whole ``image``.
        training: What it was trained on: data, splits, hashes, recipe, machine, duration.
        figures: Measured on the test split, each with its split, groups and interval.
        export: How the file was made by ``yolo-leuk export``: format, precision, source, and how
            far its answers are from the source's; empty for a file that ``train`` wrote.
        licence: Of the weights.
        date: Of the export, ISO 8601.
        sha256: Of the file.
    """

    name: str
    task: str
    architecture: str
    scheme: LabelScheme
    px_per_rbc: float
    input_px: int
    preprocessing: tuple[str, ...]
    thresholds: dict[str, float]
    sha256: str
    date: str
    licence: str = "AGPL-3.0-or-later"
    temperature: float = 1.0
    features: FeatureStatistics | None = None
    level: str = "cell"
    training: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    members: tuple[MemberCard, ...] = ()
    export: dict[str, Any] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        """That of the arithmetic inside: ``fp32``, ``fp16`` or ``int8``."""
        return str(self.export.get("precision", "fp32"))

    def threshold(self, name: str) -> float:
        """A threshold by name. Raises CardError where the card has none of this name."""
        if name not in self.thresholds:
            raise CardError(
                f"the card of {self.name} has no threshold {name!r}; "
                f"it has {', '.join(sorted(self.thresholds)) or 'none'}"
            )
        return self.thresholds[name]

    def to_json(self) -> dict[str, Any]:
        """A JSON object of schema ``yolo-leuk/model-card/1``."""
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self.name,
            "task": self.task,
            "architecture": self.architecture,
            "classes": list(self.scheme.names),
            "blasts": [name for name in self.scheme.names if name in self.scheme.blasts],
            "px_per_rbc": self.px_per_rbc,
            "input_px": self.input_px,
            "preprocessing": list(self.preprocessing),
            "thresholds": self.thresholds,
            "temperature": self.temperature,
            "training": self.training,
            "figures": self.figures,
            "licence": self.licence,
            "date": self.date,
            "sha256": self.sha256,
        }
        if self.task == "classify":
            content["level"] = self.level
        if self.features is not None:
            content["features"] = self.features.to_json()
        if self.members:
            content["members"] = [member.to_json() for member in self.members]
        if self.export:
            content["export"] = self.export
        return content


def read_card(path: Path) -> ModelCard:
    """Read a model card. Raises CardError where the file breaks the schema, and says how."""
    return _parsed(artifacts.read_json(path, schema=SCHEMA, error=CardError), str(path))


def parse_card(text: str, where: str) -> ModelCard:
    """A model card of its JSON text. Raises CardError, with ``where`` it was found."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CardError(f"{where} is no JSON: {error}") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != SCHEMA:
        raise CardError(f"{where}: expected a card of schema {SCHEMA!r}, found {found!r}")
    return _parsed(content, where)


def _parsed(content: dict[str, Any], where: str) -> ModelCard:
    try:
        return ModelCard(
            name=str(content["name"]),
            task=str(content["task"]),
            architecture=str(content["architecture"]),
            scheme=LabelScheme(tuple(content["classes"]), frozenset(content["blasts"])),
            px_per_rbc=float(content["px_per_rbc"]),
            input_px=int(content["input_px"]),
            preprocessing=tuple(content["preprocessing"]),
            thresholds={str(k): float(v) for k, v in content["thresholds"].items()},
            temperature=float(content["temperature"]),
            features=None if content.get("features") is None else _features(content["features"]),
            members=_members(content.get("members", ())),
            level=str(content.get("level", "cell")),
            training=dict(content["training"]),
            figures=dict(content["figures"]),
            export=dict(content.get("export", {})),
            licence=str(content["licence"]),
            date=str(content["date"]),
            sha256=str(content["sha256"]),
        )
    except KeyError as error:
        raise CardError(f"{where}: the key {error} is missing") from error
    except (TypeError, ValueError, AttributeError, np.linalg.LinAlgError, ConfigError) as error:
        raise CardError(f"{where} breaks the schema {SCHEMA}: {error}") from error


def _members(content: Any) -> tuple[MemberCard, ...]:
    members = tuple(
        MemberCard(
            name=str(member["name"]),
            architecture=str(member["architecture"]),
            sha256=str(member["sha256"]),
            weight=float(member["weight"]),
            temperature=float(member["temperature"]),
            features=_features(member["features"]),
        )
        for member in content
    )
    weights = [member.weight for member in members]
    if members and not (min(weights) >= 0 and math.isclose(sum(weights), 1, abs_tol=1e-6)):
        raise ValueError(f"the weights of the members are {weights}, not from 0 up with a sum of 1")
    return members


def _features(content: Any) -> FeatureStatistics:
    means = np.array(content["means"], np.float64)
    covariance = np.array(content["covariance"], np.float64)
    if means.ndim != 2 or covariance.shape != (means.shape[1], means.shape[1]):
        raise ValueError(
            f"feature means of shape {means.shape} do not fit a covariance of {covariance.shape}"
        )
    np.linalg.cholesky(covariance)  # raises where distances by it would mean nothing
    return FeatureStatistics(means, covariance, float(content["farthest"]))


def write_card(path: Path, card: ModelCard) -> None:
    """Write a card atomically. Raises OutputError."""
    artifacts.write_json(path, card.to_json())
