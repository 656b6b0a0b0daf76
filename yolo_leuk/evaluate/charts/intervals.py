"""Figures as points with their intervals, a row for each figure and a colour for each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from yolo_leuk.bootstrap import Figure as Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW_INCHES = 0.22
_APART = 0.22  # of a row, between two models
_SPREAD = 0.7  # of a row, over which all lie at most


def intervals(
    rows: Sequence[str], by_model: Mapping[str, Sequence[Interval | None]], x_label: str
) -> Figure:
    """Points with 95 % intervals.

    Args:
        rows: Names of the figures, from the top.
        by_model: Model to its figures, one for each row; None where it has none.
        x_label: What they tell.
    """
    from matplotlib.figure import Figure

    height = 1.1 + _ROW_INCHES * len(rows) * (1 + 0.45 * len(by_model))
    figure = Figure(figsize=(8.5, height), layout="constrained")
    axis = figure.subplots()
    offsets = _offsets(len(by_model))
    for (name, found), offset, colour in zip(by_model.items(), offsets, _colours(), strict=False):
        known = [(row, one) for row, one in enumerate(found) if one is not None]
        values = np.array([one.value for _, one in known])
        reach = [
            [max(0.0, one.value - one.low) for _, one in known],
            [max(0.0, one.high - one.value) for _, one in known],
        ]
        places = np.array([row for row, _ in known]) + offset
        axis.errorbar(
            values, places, xerr=reach, fmt="o", markersize=4, capsize=2, color=colour, label=name
        )
    axis.set_yticks(range(len(rows)), rows)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel(f"{x_label}, with 95 % interval")
    axis.grid(axis="x", alpha=0.3)
    if len(by_model) > 1:
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _offsets(count: int) -> list[float]:
    spread = min(_SPREAD, _APART * (count - 1))
    return list(np.linspace(-spread / 2, spread / 2, count))


def _colours() -> list[str]:
    """Matplotlib's cycle, long enough for any number of models that a person can compare."""
    return [f"C{number % 10}" for number in range(100)]
