"""95 % intervals by drawing groups, not samples: samples of one slide are no independent evidence.

Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman & Hall 1993, percentile method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DRAWS = 2000
_QUANTILES = (0.025, 0.975)


@dataclass(frozen=True)
class Figure:
    """A figure with its interval and what it rests on."""

    value: float
    low: float
    high: float
    samples: int
    groups: int

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "samples": self.samples,
            "groups": self.groups,
        }


def over_groups(
    statistic: Callable[[npt.NDArray[np.int64]], float],
    groups: Sequence[str],
    *,
    strata: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Figure:
    """A statistic of rows, with its interval over groups.

    Args:
        statistic: Takes positions of rows, with repeats; may return nan for a useless draw.
        groups: Group of each row.
        strata: Class of each row; groups are drawn within their class, so that none gets lost.
        draws: How often.
        seed: Of the draws.
    """
    names = np.asarray(groups)
    stratum = np.asarray(strata if strata is not None else [""] * len(names))
    rows_of = {name: np.flatnonzero(names == name) for name in np.unique(names)}
    pools = [np.unique(names[stratum == s]) for s in np.unique(stratum)]
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        chosen = [name for pool in pools for name in generator.choice(pool, len(pool))]
        drawn.append(statistic(np.concatenate([rows_of[name] for name in chosen])))
    low, high = np.nanquantile(drawn, _QUANTILES)
    value = statistic(np.arange(len(names)))
    return Figure(value, float(low), float(high), len(names), len(rows_of))
