"""The model card: what a net is, what goes in, what comes out, what it was measured on.

``weights/<name>.json`` beside ``weights/<name>.onnx``. Whoever runs the net follows its card and
nothing else.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class ModelCard:
    """What is known of a net.

    Attributes:
        name: Of the files: ``<name>.onnx`` and ``<name>.json``.
        task: ``detect`` or ``classify``.
        architecture: As given to ``--arch``.
        scheme: Classes in the order of the outputs, and the blasts among them.
        px_per_rbc: The scale that pictures are brought to: of the field for a detector, of the
            sharpness for a classifier of cells. Whole pictures are brought to none; it is then the
            median of the training pictures, in the input.
        input_px: S, the side of a classifier's input; the largest tile of a detector.
        preprocessing: In words, step by step, for whoever runs the net without this package.
        thresholds: By name; which there are depends on the task.
        temperature: The logits are divided by it before the softmax.
        features: Of a classifier; None for a detector.
        level: What a classifier is shown: the window of a ``cell``, or a whole ``image``.
        training: What it was trained on: data, splits, hashes, recipe, machine, duration.
        figures: Measured on the test split, each with its split, groups and interval.
        licence: Of the weights.
        date: Of the export, ISO 8601.
        sha256: Of the ONNX file.
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
            content["features"] = {
                "means": np.round(self.features.means, 5).tolist(),
                "covariance": np.round(self.features.covariance, 6).tolist(),
                "farthest": self.features.farthest,
            }
        return content


def read_card(path: Path) -> ModelCard:
    """Read a model card. Raises CardError where the file breaks the schema, and says how."""
    content = artifacts.read_json(path, schema=SCHEMA, error=CardError)
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
            features=_features(content.get("features")),
            level=str(content.get("level", "cell")),
            training=dict(content["training"]),
            figures=dict(content["figures"]),
            licence=str(content["licence"]),
            date=str(content["date"]),
            sha256=str(content["sha256"]),
        )
    except KeyError as error:
        raise CardError(f"{path}: the key {error} is missing") from error
    except (TypeError, ValueError, AttributeError, np.linalg.LinAlgError, ConfigError) as error:
        raise CardError(f"{path} breaks the schema {SCHEMA}: {error}") from error


def _features(content: Any) -> FeatureStatistics | None:
    if content is None:
        return None
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
