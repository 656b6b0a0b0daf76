"""Figures of a classifier during training, from probabilities and class ids."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def weighted_f1(labels: npt.NDArray[np.integer], called: npt.NDArray[np.integer]) -> float:
    """F1 of each class, weighted by how many samples the class has."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, called, average="weighted", zero_division=0))


def expected_calibration_error(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer], bins: int = 15
) -> float:
    """Gap between confidence and accuracy, in equally wide bins of the top probability.

    Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017 (arXiv:1706.04599).
    """
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((top * bins).astype(int), bins - 1)
    gap = 0.0
    for number in range(bins):
        inside = place == number
        if inside.any():
            gap += float(inside.mean() * abs(top[inside].mean() - right[inside].mean()))
    return gap


def figures(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> dict[str, float]:
    """Weighted F1, balanced accuracy and calibration error.

    Args:
        probabilities: Shape (n, classes).
        labels: Class ids, shape (n,).
    """
    from sklearn.metrics import balanced_accuracy_score

    called = probabilities.argmax(axis=1)
    return {
        "weighted_f1": weighted_f1(labels, called),
        "balanced_accuracy": float(balanced_accuracy_score(labels, called)),
        "ece": expected_calibration_error(probabilities, labels),
    }
