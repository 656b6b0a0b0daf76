"""Figures of a classifier, each with all its draws.

A figure is an array of shape (1 + draws,), as :class:`yolo_leuk.bootstrap.GroupBootstrap` gives it:
what came out, then what comes out of each draw of the groups. So the difference of two models is
the difference of two arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import calibration, confusion, ranking
from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.evaluate.answers import Answer, Truth

Drawn = npt.NDArray[np.float64]
"""A figure and its draws, shape (1 + draws,)."""

TITLES: Mapping[str, str] = {
    "weighted_f1": "weighted F1",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC, each class against the others",
    "blast_sensitivity": "sensitivity for blasts",
    "blast_specificity": "specificity for blasts",
    "blast_auroc": "AUROC, blasts against the others",
    "ece": "expected calibration error",
    "brier": "Brier score",
    "cost_total": "misclassification cost, total",
    "cost_mean": "misclassification cost per sample",
    "cost_score": "1 − total cost ÷ (220 · n / 4)",
    "called": "share called",
    "called_accuracy": "accuracy of what is called",
}
"""Keys of the figures of all classes together, in the order in which they are shown."""

CLASS_TITLES: Mapping[str, str] = {
    "precision": "precision",
    "sensitivity": "sensitivity (recall)",
    "specificity": "specificity",
    "f1": "F1",
    "auroc": "AUROC",
}
"""Keys of the figures of one class."""

UNBOUNDED = frozenset({"cost_total", "cost_mean"})
"""Keys of figures that do not lie between 0 and 1, or 2."""


@dataclass(frozen=True)
class ClassifierFigures:
    """Figures of one model on one set of samples.

    Attributes:
        overall: By key of :data:`TITLES`; those that have no meaning here are left out.
        by_class: By class, then by key of :data:`CLASS_TITLES`.
    """

    overall: Mapping[str, Drawn]
    by_class: Mapping[str, Mapping[str, Drawn]]


def figures_of(truth: Truth, answer: Answer) -> ClassifierFigures:
    """All figures of a model's answer."""
    size = len(truth.scheme)
    cells = truth.class_ids * size + answer.calls
    matrices = truth.bootstrap.tallies(cells, size * size).reshape(-1, size, size)
    aurocs = _aurocs(truth, answer)
    overall = {
        "weighted_f1": confusion.weighted_f1(matrices),
        "macro_f1": confusion.macro_f1(matrices),
        "accuracy": confusion.accuracy(matrices),
        "balanced_accuracy": confusion.balanced_accuracy(matrices),
        **_mean_auroc(aurocs),
        **_of_blasts(truth, answer, matrices),
        **_of_probabilities(truth, answer),
        **_costs(matrices, truth.scheme.names),
        **_of_called(truth, answer),
    }
    return ClassifierFigures(overall, _by_class(truth, matrices, aurocs))


def drawn_auroc(
    scores: npt.NDArray[np.float64], is_positive: npt.NDArray[np.bool_], bootstrap: GroupBootstrap
) -> Drawn:
    """AUROC of scores, shape (n,), and its draws; nan where a draw has one kind alone."""
    order = np.argsort(scores, kind="stable")
    ranked, positive = scores[order], is_positive[order]
    return bootstrap.weighted(lambda weights: ranking.auroc(ranked, positive, weights), order)


def _aurocs(truth: Truth, answer: Answer) -> dict[str, Drawn]:
    """Of each class that has samples against all others, where there are others."""
    found: dict[str, Drawn] = {}
    for number, name in enumerate(truth.scheme.names):
        is_own = truth.class_ids == number
        if len(truth.scheme) == 2 and found:  # of two classes each has the other's
            found[name] = next(iter(found.values()))
        elif is_own.any() and not is_own.all():
            found[name] = drawn_auroc(answer.probabilities[:, number], is_own, truth.bootstrap)
    return found


def _mean_auroc(aurocs: Mapping[str, Drawn]) -> dict[str, Drawn]:
    return {"auroc": np.mean(list(aurocs.values()), axis=0)} if aurocs else {}


def _of_blasts(truth: Truth, answer: Answer, matrices: npt.NDArray[np.float64]) -> dict[str, Drawn]:
    """Blasts against all others, where there are both."""
    blasts = list(truth.scheme.blast_ids)
    if not truth.is_blast.any() or truth.is_blast.all():
        return {}
    others = [number for number in range(len(truth.scheme)) if number not in blasts]
    collapsed = np.stack(
        [
            np.stack([_sum_of(matrices, rows, columns) for columns in (others, blasts)], axis=-1)
            for rows in (others, blasts)
        ],
        axis=-2,
    )
    scores = answer.probabilities[:, blasts].sum(axis=1)
    return {
        "blast_sensitivity": confusion.sensitivity(collapsed)[..., 1],
        "blast_specificity": confusion.specificity(collapsed)[..., 1],
        "blast_auroc": drawn_auroc(scores, truth.is_blast, truth.bootstrap),
    }


def _sum_of(
    matrices: npt.NDArray[np.float64], rows: Sequence[int], columns: Sequence[int]
) -> npt.NDArray[np.float64]:
    return np.asarray(matrices[:, rows][:, :, columns].sum(axis=(1, 2)))


def _of_probabilities(truth: Truth, answer: Answer) -> dict[str, Drawn]:
    p, labels, bootstrap = answer.probabilities, truth.class_ids, truth.bootstrap
    samples = bootstrap.sums(np.ones(len(labels)))
    gaps = bootstrap.sums(calibration.binned_gaps(p, labels))
    return {
        "ece": calibration.error_of_gaps(gaps, samples),
        "brier": bootstrap.sums(calibration.brier_scores(p, labels)) / samples,
    }


def _costs(matrices: npt.NDArray[np.float64], classes: Sequence[str]) -> dict[str, Drawn]:
    """Of the four maturity stages, where they are among the classes."""
    if not set(confusion.STAGES) <= set(classes):
        return {}
    cost = confusion.misclassification_cost(matrices, classes)
    return {"cost_total": cost.total, "cost_mean": cost.mean, "cost_score": cost.score}


def _of_called(truth: Truth, answer: Answer) -> dict[str, Drawn]:
    if answer.is_called is None:
        return {}
    right = (answer.calls == truth.class_ids) & answer.is_called
    samples, called, right_calls = truth.bootstrap.sums(
        np.stack([np.ones(len(right)), answer.is_called, right], axis=1)
    ).T
    with np.errstate(invalid="ignore"):
        return {"called": called / samples, "called_accuracy": right_calls / called}


def _by_class(
    truth: Truth, matrices: npt.NDArray[np.float64], aurocs: Mapping[str, Drawn]
) -> dict[str, dict[str, Drawn]]:
    of_all = {
        "precision": confusion.precision(matrices),
        "sensitivity": confusion.sensitivity(matrices),
        "specificity": confusion.specificity(matrices),
        "f1": confusion.f1(matrices),
    }
    return {
        name: {
            **{key: values[:, number] for key, values in of_all.items()},
            **({"auroc": aurocs[name]} if name in aurocs else {}),
        }
        for number, name in enumerate(truth.scheme.names)
    }
