"""95 % intervals by drawing groups, not samples: samples of one slide are no independent evidence.

Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman & Hall 1993, percentile method.

A draw is how often each group is in it. So what is a sum over samples (a confusion matrix, a Brier
score) is summed once per group, and a thousand draws of it are one product of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DRAWS = 2000
_QUANTILES = (0.025, 0.975)

# Weights of samples that are in memory at once; 8 bytes each.
_BLOCK = 1_000_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A figure with its interval and what it rests on; nan where it has no meaning."""

    value: float
    low: float
    high: float
    samples: int
    groups: int

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.high - self.low

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits; null where there is no meaning."""
        return {
            "value": rounded(self.value),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "samples": self.samples,
            "groups": self.groups,
        }


class GroupBootstrap:
    """The draws of the groups of some rows.

    Row 0 of whatever is given out is the data as it is, and a row for each draw follows. So a
    formula over leading dimensions gives a figure and all its draws at once, and that of two
    models, taken from each other, the paired difference.

    Args:
        groups: Group of each row.
        strata: Class of each row; a group is drawn among those of its most frequent class, so that
            no class gets lost.
        draws: How often.
        seed: Of the draws.
    """

    def __init__(
        self,
        groups: Sequence[str],
        *,
        strata: Sequence[str] | None = None,
        draws: int = DRAWS,
        seed: int = 0,
    ) -> None:
        names, self._group_of = np.unique(np.asarray(groups, str), return_inverse=True)
        self.samples, self.groups = len(self._group_of), len(names)
        self.draws, self.seed = draws, seed
        pools = _pools(self._group_of, self.groups, strata)
        self._counts = np.ones((1 + draws, self.groups), np.uint16)
        generator = np.random.default_rng(seed)
        for row in self._counts[1:]:
            for pool in pools:
                chosen = generator.integers(len(pool), size=len(pool))
                row[pool] = np.bincount(chosen, minlength=len(pool))

    def tallies(self, categories: npt.NDArray[np.integer], size: int) -> Floats:
        """How many rows of each category there are.

        Args:
            categories: 0 … size − 1, shape (n,).
            size: Number of categories.

        Returns:
            Shape (1 + draws, size).
        """
        place = self._group_of * size + np.asarray(categories, np.int64)
        each = np.bincount(place, minlength=self.groups * size).reshape(self.groups, size)
        return self._drawn(each.astype(np.float64))

    def sums(self, values: npt.ArrayLike) -> Floats:
        """Sums over rows.

        Args:
            values: Of each row, shape (n, …).

        Returns:
            Shape (1 + draws, …).
        """
        each = np.asarray(values, np.float64)
        columns = each.reshape(self.samples, -1)
        of_groups = [
            np.bincount(self._group_of, weights=column, minlength=self.groups)
            for column in columns.T
        ]
        return self._drawn(np.array(of_groups, np.float64).T).reshape(-1, *each.shape[1:])

    def weighted(
        self,
        statistic: Callable[[Floats], Floats],
        order: npt.NDArray[np.integer] | None = None,
    ) -> Floats:
        """A statistic that is no sum, of weighted rows.

        Args:
            statistic: Of weights, shape (b, m), to shape (b, …).
            order: Positions of the rows whose weights it takes, in its order, shape (m,); all as
                they are where None. What ranks its rows is quicker on ranked ones.

        Returns:
            Shape (1 + draws, …).
        """
        group_of = self._group_of if order is None else self._group_of[order]
        step = max(1, _BLOCK // max(1, len(group_of)))
        blocks = [
            statistic(self._counts[start : start + step, group_of].astype(np.float64))
            for start in range(0, len(self._counts), step)
        ]
        return np.concatenate(blocks)

    def of_rows(self, statistic: Callable[[npt.NDArray[np.int64]], float]) -> Floats:
        """A statistic that needs the rows themselves; called once per draw.

        Args:
            statistic: Takes positions of rows, with repeats; may return nan for a useless draw.

        Returns:
            Shape (1 + draws,).
        """
        rows = np.arange(self.samples)
        return np.array(
            [statistic(np.repeat(rows, counts[self._group_of])) for counts in self._counts]
        )

    def figure(self, values: Floats) -> Figure:
        """What came out, with its interval; ``values`` has shape (1 + draws,).

        Draws that are nan, as of a class that has no sample in them, are left out.
        """
        value, drawn = float(values[0]), values[1:]
        if math.isnan(value) or np.isnan(drawn).all():
            return Figure(value, math.nan, math.nan, self.samples, self.groups)
        low, high = np.nanquantile(drawn, _QUANTILES)
        return Figure(value, float(low), float(high), self.samples, self.groups)

    def _drawn(self, of_groups: Floats) -> Floats:
        """Sums of each draw, shape (1 + draws, m), of those of each group, shape (groups, m)."""
        step = max(1, _BLOCK // max(1, self.groups))
        blocks = [
            self._counts[start : start + step].astype(np.float64) @ of_groups
            for start in range(0, len(self._counts), step)
        ]
        return np.concatenate(blocks)


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
        strata: Class of each row, see :class:`GroupBootstrap`.
        draws: How often.
        seed: Of the draws.
    """
    bootstrap = GroupBootstrap(groups, strata=strata, draws=draws, seed=seed)
    return bootstrap.figure(bootstrap.of_rows(statistic))


def _pools(
    group_of: npt.NDArray[np.int64], groups: int, strata: Sequence[str] | None
) -> list[npt.NDArray[np.int64]]:
    """Groups that are drawn among each other."""
    if strata is None:
        return [np.arange(groups)]
    classes, class_of = np.unique(np.asarray(strata, str), return_inverse=True)
    size = len(classes)
    tally = np.bincount(group_of * size + class_of, minlength=groups * size)
    most_frequent = tally.reshape(groups, size).argmax(axis=1)
    pools = [np.flatnonzero(most_frequent == number) for number in range(size)]
    return [pool for pool in pools if len(pool)]


def rounded(value: float) -> float | None:
    """To four digits, as JSON has it; None for nan."""
    return None if math.isnan(value) else round(value, 4)
