"""Whether probabilities mean what they say.

Per sample first, so that whoever draws samples sums what belongs to each once; the figures are
formulas over leading dimensions of such sums.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BINS = 15
"""Of the top probability, equally wide."""

Floats = npt.NDArray[np.float64]


def brier_scores(probabilities: npt.ArrayLike, labels: npt.NDArray[np.integer]) -> Floats:
    """Squared distance of each row of probabilities from its truth, 0 to 2, shape (n,).

    Brier GW. Mon Weather Rev 1950;78:1-3, in its first form: the sum over all classes.

    Args:
        probabilities: Shape (n, classes).
        labels: Class ids, shape (n,).
    """
    p = np.asarray(probabilities, np.float64)
    truth = np.eye(p.shape[1])[labels]
    return np.asarray(((p - truth) ** 2).sum(axis=1))


def bins_of(top: npt.ArrayLike, bins: int = BINS) -> npt.NDArray[np.int64]:
    """The bin of each top probability, 0 … bins − 1, shape (n,); 1 is in the last one."""
    return np.minimum((np.asarray(top) * bins).astype(np.int64), bins - 1)


def binned_gaps(
    probabilities: npt.ArrayLike, labels: npt.NDArray[np.integer], bins: int = BINS
) -> Floats:
    """How much surer each sample is than right, in the column of its bin, shape (n, bins).

    Args:
        probabilities: Shape (n, classes).
        labels: Class ids, shape (n,).
        bins: How many.
    """
    p = np.asarray(probabilities, np.float64)
    top = p.max(axis=1)
    gaps = np.zeros((len(p), bins))
    gaps[np.arange(len(p)), bins_of(top, bins)] = top - (p.argmax(axis=1) == labels)
    return gaps


def error_of_gaps(gaps: npt.ArrayLike, samples: npt.ArrayLike) -> Floats:
    """Expected calibration error of summed gaps, shape (…, bins), of so many samples, shape (…)."""
    return np.asarray(np.abs(gaps).sum(axis=-1) / np.asarray(samples))


def expected_calibration_error(
    probabilities: npt.ArrayLike, labels: npt.NDArray[np.integer], bins: int = BINS
) -> float:
    """Gap between confidence and accuracy in each bin of the top probability, weighted by size.

    Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017 (arXiv:1706.04599).

    Args:
        probabilities: Shape (n, classes).
        labels: Class ids, shape (n,).
        bins: How many.
    """
    gaps = binned_gaps(probabilities, labels, bins)
    return float(error_of_gaps(gaps.sum(axis=0), len(gaps)))
