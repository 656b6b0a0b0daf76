"""Logits to calibrated probabilities, and what follows from them. Pure functions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Probabilities:
    """Softmax of ``logits / temperature`` over the last axis; rows sum to 1.

    A temperature fitted on data that training did not see makes the probabilities honest:
    Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017 (arXiv:1706.04599).
    """
    scaled = np.asarray(logits, np.float64) / temperature
    shifted = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def negative_log_likelihood(
    logits: npt.ArrayLike, labels: npt.NDArray[np.integer], temperature: float = 1.0
) -> float:
    """Mean of −log p of the true class; ``labels`` are class ids, shape (n,)."""
    probabilities = softmax(logits, temperature)
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: npt.ArrayLike, labels: npt.NDArray[np.integer]) -> float:
    """The temperature between 0.05 and 20 of least negative log-likelihood.

    The likelihood has one minimum in the logarithm of the temperature, so golden-section search
    finds it.
    """
    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if negative_log_likelihood(logits, labels, float(np.exp(left))) < negative_log_likelihood(
            logits, labels, float(np.exp(right))
        ):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def threshold_for_coverage(highest: npt.NDArray[np.floating], coverage: float) -> float:
    """The least top probability that still calls ``coverage`` of the cells, shape (n,) in."""
    return float(np.quantile(highest, 1 - coverage))


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share.

    Wilson EB. J Am Stat Assoc 1927;22:209-212. Unlike the usual one it stays within [0, 1] and
    says something at 0 of n.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    reach = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, float((centre - reach) / scale)), min(1.0, float((centre + reach) / scale))
