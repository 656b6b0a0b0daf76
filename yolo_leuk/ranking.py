"""How well a score tells two classes apart, whatever the threshold: AUROC, and points of curves.

Pure numpy, and over leading dimensions: many scores of the same samples, or many weights, at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def auroc(
    scores: npt.ArrayLike,
    is_positive: npt.NDArray[np.bool_],
    weights: npt.ArrayLike | None = None,
) -> Floats:
    """Probability that a positive has a higher score than a negative; ties count half.

    Hanley JA, McNeil BJ. Radiology 1982;143:29-36.

    Args:
        scores: Shape (*s, n).
        is_positive: Shape (n,).
        weights: Of the samples, none below 0, shape (*w, n); all 1 where None.

    Returns:
        Shape (*s, *w): of each scores by each weights; nan where a class has no weight.
    """
    values = np.asarray(scores, np.float64)
    positive = np.asarray(is_positive, bool)
    weight = np.ones(positive.shape) if weights is None else np.asarray(weights, np.float64)
    rows = [_auroc(row, positive, weight) for row in values.reshape(-1, values.shape[-1])]
    return np.reshape(rows, (*values.shape[:-1], *weight.shape[:-1]))


def _auroc(scores: Floats, is_positive: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """The same for one row of scores, shape (n,)."""
    positives, negatives = np.flatnonzero(is_positive), np.flatnonzero(~is_positive)
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    below = np.zeros((*weights.shape[:-1], len(negatives) + 1))
    np.cumsum(weights[..., negatives], axis=-1, out=below[..., 1:])
    lower = np.searchsorted(scores[negatives], scores[positives], side="left")
    not_higher = np.searchsorted(scores[negatives], scores[positives], side="right")
    weight = weights[..., positives]
    twice = (weight * (below[..., lower] + below[..., not_higher])).sum(axis=-1)
    pairs = weight.sum(axis=-1) * below[..., -1]
    with np.errstate(invalid="ignore"):
        return np.asarray(twice / 2 / pairs)


def macro_auroc(
    probabilities: npt.ArrayLike,
    labels: npt.NDArray[np.integer],
    weights: npt.ArrayLike | None = None,
) -> Floats:
    """Mean over classes of the AUROC of each class against all others.

    Args:
        probabilities: Shape (*s, n, classes).
        labels: Class ids, shape (n,).
        weights: As in :func:`auroc`, shape (*w, n).

    Returns:
        Shape (*s, *w). Classes that have no sample are left out; nan where fewer than two have
        one, or a class has no weight.
    """
    p = np.asarray(probabilities, np.float64)
    present = [class_id for class_id in range(p.shape[-1]) if (labels == class_id).any()]
    each = [auroc(p[..., class_id], labels == class_id, weights) for class_id in present]
    return np.asarray(np.mean(each, axis=0))


@dataclass(frozen=True)
class Curve:
    """Points of a curve, from the highest threshold to the lowest.

    Attributes:
        x: False-positive rate, or recall; shape (m,), never falling.
        y: True-positive rate, or precision; shape (m,).
    """

    x: Floats
    y: Floats


def roc_curve(scores: npt.ArrayLike, is_positive: npt.NDArray[np.bool_]) -> Curve:
    """Share of positives against share of negatives that are called, from (0, 0) to (1, 1).

    Args:
        scores: Shape (n,).
        is_positive: Shape (n,), with both kinds in it.
    """
    hits, false = _called_from_the_top(scores, is_positive)
    return Curve(np.append(0.0, false / false[-1]), np.append(0.0, hits / hits[-1]))


def precision_recall_curve(scores: npt.ArrayLike, is_positive: npt.NDArray[np.bool_]) -> Curve:
    """Precision against recall, a point for each threshold; with at least one positive."""
    hits, false = _called_from_the_top(scores, is_positive)
    return Curve(hits / hits[-1], hits / (hits + false))


def _called_from_the_top(
    scores: npt.ArrayLike, is_positive: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Hits and false calls at each distinct score, from the highest down."""
    values = np.asarray(scores, np.float64)
    order = np.argsort(-values, kind="stable")
    positive = np.asarray(is_positive, bool)[order]
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)
    hits = np.cumsum(positive)[ends].astype(np.float64)
    return hits, 1.0 + ends - hits
