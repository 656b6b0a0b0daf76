"""Confusion matrices: what samples are, against what they are called."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from yolo_leuk.records import Ints

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL_INCHES = 0.62
_WIDEST_INCHES = 10.0


def matrices(counts: Mapping[str, Ints], rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """A panel for each model: numbers are counts, the darker the larger their share of the row.

    Args:
        counts: Model to its matrix, shape (rows, columns).
        rows: What samples are.
        columns: What they are called.
    """
    from matplotlib.figure import Figure

    width, height = 1.6 + _CELL_INCHES * len(columns), 1.5 + _CELL_INCHES * len(rows)
    across = min(len(counts), max(1, int(_WIDEST_INCHES / width)))
    down = math.ceil(len(counts) / across)
    figure = Figure(figsize=(across * width, down * height), layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).ravel())
    for unused in axes[len(counts) :]:
        unused.set_axis_off()
    for axis, (name, matrix) in zip(axes, counts.items(), strict=False):
        _draw(axis, matrix, rows, columns)
        axis.set_title(name, fontsize="medium")
    return figure


def _draw(axis: Axes, matrix: Ints, rows: Sequence[str], columns: Sequence[str]) -> None:
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        ink = "white" if share[row, column] > 0.55 else "black"
        axis.text(column, row, f"{count:,}", ha="center", va="center", color=ink, fontsize=9)
    axis.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axis.set_yticks(range(len(rows)), rows)
    axis.set_xlabel("called")
    axis.set_ylabel("is")
