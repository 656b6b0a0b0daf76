"""The end of a classifier's run: probabilities, temperature, thresholds, features, ONNX, card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import onnx_graph, probabilities
from yolo_leuk.backends.checkpoint import classifier_module
from yolo_leuk.model_card import FeatureStatistics, ModelCard
from yolo_leuk.records import Image
from yolo_leuk.train.cell_figures import figures
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation, load_cells
from yolo_leuk.train.dataset import TrainingData

PROBABILITIES = "probabilities.csv"
"""In the folder of a run: of its validation samples, in their own colours."""

SWAPPED = "probabilities-swapped.csv"
"""The same in swapped colours."""

FEATURES = 32
"""Length of the feature vector that the graph gives out: the leading principal components."""

COVERAGE = 0.95
"""Share of the validation cells that the threshold on the top probability still calls."""

FARTHEST_QUANTILE = 0.99

# A direction of less than this part of the largest spread is rounding noise.
_LEAST_SPREAD = 1e-5

# Added to the variance in each direction, which is 1 with that between the classes. Few cells have
# none in some; what the card makes of it by rounding must still be a covariance.
_LEAST_VARIANCE = 1e-4

_MOST_CELLS_FOR_STATISTICS = 6000
_BATCH = 128


def export_calibrated(
    net: Any,
    path: Path,
    data: TrainingData,
    *,
    tables: Path,
    recipe: CellRecipe,
    architecture: str,
    date: str,
    training: dict[str, Any],
    seed: int = 0,
) -> ModelCard:
    """Write the probabilities of the validation samples to ``tables``, then ``path`` and its card.

    Feature statistics come from varied training samples, so that a change of colour alone does not
    make one strange. Temperature and thresholds come from the validation samples, half of them in
    their own colours and half in swapped ones.
    """
    module = classifier_module(net)
    learnt = _learnt(module, data, recipe, seed)
    held_out = _held_out(module, data, recipe, seed)
    _write_probabilities(tables, data, held_out)

    mixed = held_out.in_turn()
    projection = principal_components(learnt.features, FEATURES)
    statistics = feature_statistics(
        learnt.features @ projection.T,
        learnt.class_ids,
        mixed.features @ projection.T,
        len(data.scheme),
    )
    temperature = probabilities.fit_temperature(mixed.logits, mixed.class_ids)
    calibrated = probabilities.softmax(mixed.logits, temperature)
    threshold = probabilities.threshold_for_coverage(calibrated.max(axis=1), COVERAGE)
    found = figures(calibrated, mixed.class_ids)
    view = recipe.view(data.level)
    card = ModelCard(
        name=path.stem,
        task="classify",
        architecture=architecture,
        scheme=data.scheme,
        level=data.level,
        px_per_rbc=view.px_per_rbc_of(data.training),
        input_px=view.size_px,
        preprocessing=view.steps,
        thresholds={"unidentified": round(threshold, 4), "coverage": COVERAGE},
        temperature=round(temperature, 4),
        features=statistics,
        sha256="",
        date=date,
        training={**training, **{f"validation_{k}": round(v, 4) for k, v in found.items()}},
    )
    return onnx_graph.export_classifier(net, projection, path, card)


def principal_components(features: npt.NDArray[np.floating], count: int) -> npt.NDArray[np.float32]:
    """Directions of largest spread, scaled to spread 1.

    Args:
        features: Shape (n, d).
        count: At most so many directions; fewer where the features spread in fewer.

    Returns:
        Shape (count, d).
    """
    centred = np.asarray(features, np.float64) - features.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    count = min(count, int((spread > _LEAST_SPREAD * spread[0]).sum()))
    scale = spread[:count, None] / np.sqrt(len(features))
    return np.asarray(directions[:count] / scale).astype(np.float32)


def feature_statistics(
    learnt: npt.NDArray[np.floating],
    class_ids: npt.NDArray[np.integer],
    held_out: npt.NDArray[np.floating],
    class_count: int,
) -> FeatureStatistics:
    """Class means, shared covariance, and the distance that 99 % of held-out cells stay below."""
    means = np.array([learnt[class_ids == c].mean(axis=0) for c in range(class_count)], np.float64)
    apart = np.asarray(learnt, np.float64) - means[class_ids]
    covariance = apart.T @ apart / len(apart) + _LEAST_VARIANCE * np.eye(apart.shape[1])
    statistics = FeatureStatistics(means, covariance, np.inf)
    distance = statistics.squared_distance(held_out)
    return FeatureStatistics(means, covariance, float(np.quantile(distance, FARTHEST_QUANTILE)))


@dataclass(frozen=True)
class _Answers:
    """What a net says of n samples: logits (n, classes), features (n, d), class ids (n,)."""

    logits: npt.NDArray[np.float64]
    features: npt.NDArray[np.float64]
    class_ids: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _HeldOut:
    """Answers for the validation samples, in their own colours and in swapped ones."""

    plain: _Answers
    swapped: _Answers

    def in_turn(self) -> _Answers:
        """Every second sample in swapped colours."""
        is_plain = np.arange(len(self.plain.class_ids))[:, None] % 2 == 0
        return _Answers(
            np.where(is_plain, self.plain.logits, self.swapped.logits),
            np.where(is_plain, self.plain.features, self.swapped.features),
            self.plain.class_ids,
        )


def _learnt(module: Any, data: TrainingData, recipe: CellRecipe, seed: int) -> _Answers:
    cells = load_cells(data.folder, data.training, data.scheme)
    variation = CellVariation(cells, recipe, data.level)
    order = np.random.default_rng(seed).permutation(len(cells))[:_MOST_CELLS_FOR_STATISTICS]
    chosen = [cells[int(i)] for i in order]
    return _answers(
        module, chosen, lambda i: variation.varied(chosen[i], np.random.default_rng([seed, i]))
    )


def _held_out(module: Any, data: TrainingData, recipe: CellRecipe, seed: int) -> _HeldOut:
    cells = load_cells(data.folder, data.validation, data.scheme)
    variation = CellVariation(cells, recipe, data.level)
    return _HeldOut(
        _answers(module, cells, lambda i: variation.plain(cells[i])),
        # The same swaps that the epochs were chosen by.
        _answers(
            module, cells, lambda i: variation.swapped(cells[i], np.random.default_rng([seed, i]))
        ),
    )


def _write_probabilities(folder: Path, data: TrainingData, held_out: _HeldOut) -> None:
    for name, answers in ((PROBABILITIES, held_out.plain), (SWAPPED, held_out.swapped)):
        table = probabilities.table_of(data.validation, data.scheme.names, answers.logits)
        probabilities.write_probabilities(folder / name, table)


def _answers(module: Any, cells: Sequence[CellPicture], make: Callable[[int], Image]) -> _Answers:
    """The net's answers for pictures that are made as they are needed, each (S, S, 3)."""
    import torch

    logits, features = [], []
    with torch.no_grad():
        for start in range(0, len(cells), _BATCH):
            numbers = range(start, min(start + _BATCH, len(cells)))
            batch = torch.from_numpy(np.stack([make(number) for number in numbers]))
            some_logits, some_features = module(batch)
            logits.append(some_logits.numpy())
            features.append(some_features.numpy())
    return _Answers(
        np.concatenate(logits).astype(np.float64),
        np.concatenate(features).astype(np.float64),
        np.array([cell.class_id for cell in cells], np.int64),
    )
