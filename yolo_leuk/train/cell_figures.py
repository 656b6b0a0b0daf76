"""Figures of a classifier during training, from probabilities and class ids."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk.calibration import expected_calibration_error
from yolo_leuk.confusion import balanced_accuracy, confusion_matrices, weighted_f1


def figures(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]
) -> dict[str, float]:
    """Weighted F1, balanced accuracy and calibration error.

    Args:
        probabilities: Shape (n, classes).
        labels: Class ids, shape (n,).
    """
    called = probabilities.argmax(axis=1)
    matrix = confusion_matrices(labels, called, probabilities.shape[1])
    return {
        "weighted_f1": float(weighted_f1(matrix)),
        "balanced_accuracy": float(balanced_accuracy(matrix)),
        "ece": expected_calibration_error(probabilities, labels),
    }
