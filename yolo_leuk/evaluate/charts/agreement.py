"""What is found against what is there, a point for each field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from yolo_leuk.evaluate.charts.chart import panels_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]

_SEED = 0


@dataclass(frozen=True)
class Agreement:
    """Pairs of numbers; nan where there is none.

    Attributes:
        title: What they are of.
        true: What is there, shape (n,).
        found: What is found, shape (n,).
        jitter: Points are moved by so much at most, so that equal ones can be told apart.
    """

    title: str
    true: Numbers
    found: Numbers
    jitter: float


def agreement(panels: Sequence[Agreement], x_label: str, y_label: str) -> Figure:
    """All panels in one figure; on the diagonal both numbers are the same."""
    figure, axes = panels_of(len(panels))
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel)
        axis.set_xlabel(x_label)
        axis.set_ylabel(y_label)
    return figure


def _draw(axis: Axes, panel: Agreement) -> None:
    known = ~np.isnan(panel.true) & ~np.isnan(panel.found)
    true, found = panel.true[known], panel.found[known]
    moved = np.random.default_rng(_SEED).uniform(-panel.jitter, panel.jitter, (2, len(true)))
    axis.plot(true + moved[0], found + moved[1], ".", markersize=8, alpha=0.5, markeredgewidth=0)
    most = max([1.0, *true, *found]) if panel.jitter else 1.0
    axis.plot([0, most], [0, most], color="0.6", linestyle=":")
    axis.set_title(panel.title, fontsize="medium")
    axis.grid(alpha=0.3)
