"""Areas under the ROC curves of many votes on the same samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yolo_leuk import ranking

Floats = npt.NDArray[np.float64]


def areas(scores: Floats, is_positive: npt.NDArray[np.bool_]) -> Floats:
    """As :func:`yolo_leuk.ranking.auroc`, and many times as fast for many rows of scores.

    Numbers from 0 up are ordered as their bits are. So with the lowest bit saying what a sample is,
    a plain sort of whole numbers ranks the samples and carries the labels along; sorting positions
    takes three times as long. Rows in which the lowest bit would decide go the plain way.

    Args:
        scores: None below 0, shape (p, n).
        is_positive: Shape (n,), with both kinds in it.

    Returns:
        Shape (p,).
    """
    keys = (scores.view(np.int64) & ~1) | is_positive
    keys.sort(axis=1)
    positives = np.count_nonzero(is_positive)
    negatives = len(is_positive) - positives
    rank_sums = (keys & 1).astype(np.float64) @ np.arange(len(is_positive), dtype=np.float64)
    found = (rank_sums - positives * (positives - 1) / 2) / (positives * negatives)
    is_tied = ((keys[:, 1:] ^ keys[:, :-1]) == 1).any(axis=1)
    found[is_tied] = ranking.auroc(scores[is_tied], is_positive)
    return np.asarray(found)
