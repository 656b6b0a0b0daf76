"""Confusion matrices, and the figures of calls that follow from them alone.

A confusion matrix has shape (classes, classes): rows are what samples are, columns what they were
called. Everything here works over leading dimensions: many voters or the draws of a bootstrap are
one array, and one call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError

Counts = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float64]

STAGES = ("Benign", "Early", "Pre", "Pro")
"""Classes of ALL-4-class, in the order of :data:`STAGE_COSTS`."""

STAGE_COSTS: Figures = np.array(
    [[0, 10, 20, 30], [10, 0, 15, 25], [20, 15, 0, 10], [30, 25, 10, 0]], np.float64
)
"""What it costs to call a stage (row) another one (column)."""

# Calls that are counted at once: 8 bytes each, so 32 MiB.
_AT_ONCE = 1 << 22


def confusion_matrices(
    labels: npt.NDArray[np.integer], calls: npt.NDArray[np.integer], classes: int
) -> Counts:
    """How many samples of each class were called each class.

    Args:
        labels: Class ids of the samples, shape (n,).
        calls: Class ids that they were called, shape (…, n).
        classes: How many there are.

    Returns:
        Shape (…, classes, classes).

    Raises:
        DataError: The shapes disagree, or an id is no class.
    """
    calls = np.asarray(calls)
    _check(labels, calls, classes)
    cells = classes * classes
    leading = calls.shape[:-1]
    rows = calls.reshape(math.prod(leading), len(labels))
    counts = np.empty((len(rows), cells), np.int64)
    step = max(1, _AT_ONCE // max(1, len(labels)))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        places = np.arange(len(some))[:, None] * cells + np.asarray(labels) * classes + some
        counts[start : start + step] = np.bincount(
            places.ravel(), minlength=len(some) * cells
        ).reshape(len(some), cells)
    return counts.reshape(*leading, classes, classes)


def _check(labels: npt.NDArray[np.integer], calls: npt.NDArray[np.integer], classes: int) -> None:
    n = len(labels)
    if labels.shape != (n,) or calls.shape[-1:] != (n,):
        raise DataError(
            f"expected labels (n,) and calls (…, n), got {labels.shape} and {calls.shape}"
        )
    for what, ids in (("label", labels), ("call", calls)):
        if ids.size and not (ids.min() >= 0 and ids.max() < classes):
            raise DataError(
                f"expected each {what} from 0 to {classes - 1}, got {ids.min()} to {ids.max()}"
            )


# --- per class, shape (…, classes) ---------------------------------------------------------------


def precision(confusion: npt.ArrayLike) -> Figures:
    """Share of the calls of each class that are right; nan where nothing was called so."""
    confusion = np.asarray(confusion)
    return _ratio(_right(confusion), confusion.sum(axis=-2))


def sensitivity(confusion: npt.ArrayLike) -> Figures:
    """Share of the samples of each class that were called so; nan for a class without samples."""
    confusion = np.asarray(confusion)
    return _ratio(_right(confusion), confusion.sum(axis=-1))


def specificity(confusion: npt.ArrayLike) -> Figures:
    """Share of the samples of other classes that were not called so; nan where there are none."""
    confusion = np.asarray(confusion)
    others = _total(confusion)[..., None] - confusion.sum(axis=-1)
    wrongly_called = confusion.sum(axis=-2) - _right(confusion)
    return _ratio(others - wrongly_called, others)


def f1(confusion: npt.ArrayLike) -> Figures:
    """Harmonic mean of precision and sensitivity; nan for a class that no sample is or is called.

    A class with samples that nothing was called, whose precision is nan, has an F1 of 0.
    """
    confusion = np.asarray(confusion)
    return _ratio(2 * _right(confusion), confusion.sum(axis=-1) + confusion.sum(axis=-2))


# --- one figure for all classes, shape (…) -------------------------------------------------------


def accuracy(confusion: npt.ArrayLike) -> Figures:
    """Share of all samples that were called right; nan without samples."""
    confusion = np.asarray(confusion)
    return _ratio(_right(confusion).sum(axis=-1), _total(confusion))


def balanced_accuracy(confusion: npt.ArrayLike) -> Figures:
    """Mean sensitivity of the classes that have samples; nan without samples."""
    return _mean_of_defined(sensitivity(confusion))


def weighted_f1(confusion: npt.ArrayLike) -> Figures:
    """Mean F1 of the classes, weighted by how many samples each has; nan without samples."""
    confusion = np.asarray(confusion)
    samples = confusion.sum(axis=-1)
    return _ratio((np.nan_to_num(f1(confusion)) * samples).sum(axis=-1), _total(confusion))


def macro_f1(confusion: npt.ArrayLike) -> Figures:
    """Mean F1 of the classes that any sample is or is called; nan without samples."""
    return _mean_of_defined(f1(confusion))


@dataclass(frozen=True)
class MisclassificationCost:
    """What wrong calls of maturity stages cost, each of shape (…).

    Attributes:
        total: Of all samples.
        mean: Per sample; nan without samples.
        score: 1 − total ÷ (220 · n / 4), 220 being the sum of all costs; nan without samples.
    """

    total: Figures
    mean: Figures
    score: Figures


def misclassification_cost(
    confusion: npt.ArrayLike, classes: Sequence[str]
) -> MisclassificationCost:
    """Cost of the wrong calls among the samples of the four maturity stages.

    Samples of other classes are left out. A stage that is called another class, a normal white cell
    for instance, costs what it costs to call it benign.

    Args:
        confusion: Shape (…, classes, classes).
        classes: Their names, in order.

    Raises:
        DataError: A stage is not among the classes.
    """
    costs = cost_matrix(classes)
    confusion = np.asarray(confusion)
    is_stage = np.array([name in STAGES for name in classes])
    samples = (confusion.sum(axis=-1) * is_stage).sum(axis=-1)
    total = np.asarray((confusion * costs).sum(axis=(-2, -1)))
    share = _ratio(total, STAGE_COSTS.sum() * samples / len(STAGES))
    return MisclassificationCost(total, _ratio(total, samples), 1 - share)


def cost_matrix(classes: Sequence[str]) -> Figures:
    """Cost of each call, shape (classes, classes), of any classes with the four stages among them.

    Raises:
        DataError: A stage is not among the classes.
    """
    if missing := [stage for stage in STAGES if stage not in classes]:
        raise DataError(
            f"the misclassification cost is of the stages {', '.join(STAGES)}; "
            f"{', '.join(missing)} not among the classes {', '.join(classes)}"
        )
    called = [STAGES.index(name) if name in STAGES else 0 for name in classes]
    costs = STAGE_COSTS[np.ix_(called, called)].copy()
    costs[[name not in STAGES for name in classes]] = 0
    return costs


def _right(confusion: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _total(confusion: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.asarray(confusion.sum(axis=(-2, -1)))


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Figures:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    nothing = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=whole != 0))


def _mean_of_defined(values: Figures) -> Figures:
    """Mean over the last axis without nan; nan where there is nothing else, and no warning."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))
