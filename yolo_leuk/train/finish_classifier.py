"""The end of a classifier's run: temperature, thresholds, feature statistics, ONNX and card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import onnx_graph, probabilities
from yolo_leuk.labels import LabelScheme
from yolo_leuk.model_card import FeatureStatistics, ModelCard
from yolo_leuk.pixels import SHARPNESS_PX_PER_RBC
from yolo_leuk.records import Image
from yolo_leuk.train.cell_figures import figures
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation

FEATURES = 32
"""Length of the feature vector that the graph gives out: the leading principal components."""

COVERAGE = 0.95
"""Share of the validation cells that the threshold on the top probability still calls."""

FARTHEST_QUANTILE = 0.99

# A direction of less than this part of the largest spread is rounding noise.
_LEAST_SPREAD = 1e-5

_MOST_CELLS_FOR_STATISTICS = 6000
_BATCH = 128


def export_calibrated(
    net: Any,
    path: Path,
    training_cells: Sequence[CellPicture],
    validation_cells: Sequence[CellPicture],
    *,
    recipe: CellRecipe,
    architecture: str,
    scheme: LabelScheme,
    date: str,
    training: dict[str, Any],
    seed: int = 0,
) -> ModelCard:
    """Write ``path`` and its card.

    Feature statistics come from varied training cells, so that a change of colour alone does not
    make a cell strange. Temperature and thresholds come from the validation split, half of it in
    its own colours and half in swapped ones.
    """
    module = onnx_graph.classifier_module(net)
    learnt = _varied_inputs(training_cells, recipe, seed)
    held_out = _validation_inputs(validation_cells, recipe, seed)
    learnt_ids = np.array([cell.class_id for cell in learnt.cells])
    held_out_ids = np.array([cell.class_id for cell in held_out.cells])

    _, learnt_features = _run(module, learnt.pictures)
    logits, held_out_features = _run(module, held_out.pictures)
    projection = principal_components(learnt_features, FEATURES)
    statistics = feature_statistics(
        learnt_features @ projection.T, learnt_ids, held_out_features @ projection.T, len(scheme)
    )
    temperature = probabilities.fit_temperature(logits, held_out_ids)
    calibrated = probabilities.softmax(logits, temperature)
    threshold = probabilities.threshold_for_coverage(calibrated.max(axis=1), COVERAGE)
    found = figures(calibrated, held_out_ids)
    card = ModelCard(
        name=path.stem,
        task="classify",
        architecture=architecture,
        scheme=scheme,
        px_per_rbc=SHARPNESS_PX_PER_RBC,
        input_px=recipe.size_px,
        preprocessing=onnx_graph.CLASSIFIER_STEPS,
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
    covariance = apart.T @ apart / len(apart) + 1e-6 * np.eye(apart.shape[1])
    statistics = FeatureStatistics(means, covariance, np.inf)
    distance = statistics.squared_distance(held_out)
    return FeatureStatistics(means, covariance, float(np.quantile(distance, FARTHEST_QUANTILE)))


class _Inputs:
    def __init__(self, cells: Sequence[CellPicture], make: Callable[[int], Image]) -> None:
        self.cells = cells
        self.pictures = np.stack([make(number) for number in range(len(cells))])


def _varied_inputs(cells: Sequence[CellPicture], recipe: CellRecipe, seed: int) -> _Inputs:
    variation = CellVariation(cells, recipe)
    order = np.random.default_rng(seed).permutation(len(cells))[:_MOST_CELLS_FOR_STATISTICS]
    chosen = [cells[int(i)] for i in order]
    return _Inputs(chosen, lambda i: variation.varied(chosen[i], np.random.default_rng([seed, i])))


def _validation_inputs(cells: Sequence[CellPicture], recipe: CellRecipe, seed: int) -> _Inputs:
    variation = CellVariation(cells, recipe)

    def make(number: int) -> Image:
        if number % 2:
            return variation.swapped(cells[number], np.random.default_rng([seed, number]))
        return variation.plain(cells[number])

    return _Inputs(cells, make)


def _run(
    module: Any, pictures: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Logits and pooled features of pictures, shape (n, S, S, 3)."""
    import torch

    logits, features = [], []
    with torch.no_grad():
        for start in range(0, len(pictures), _BATCH):
            some_logits, some_features = module(torch.from_numpy(pictures[start : start + _BATCH]))
            logits.append(some_logits.numpy())
            features.append(some_features.numpy())
    return (
        np.concatenate(logits).astype(np.float64),
        np.concatenate(features).astype(np.float64),
    )
