"""Curves, a panel for each question and a line for each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from yolo_leuk.evaluate.charts.chart import panels_of
from yolo_leuk.evaluate.figures import Drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Points of a line that are drawn; more cannot be told apart.
_MOST_POINTS = 2000


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        title: What it is of.
        x_label: What goes to the right.
        y_label: What goes up.
        lines: By label: x and y, shape (n,) each.
        guess: Whether the diagonal of a guess is drawn.
        x_limits: Of the x axis; None takes what the lines need.
        y_limits: Of the y axis; None takes what the lines need.
    """

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[Drawn, Drawn]]
    guess: bool = False
    x_limits: tuple[float, float] | None = (-0.02, 1.02)
    y_limits: tuple[float, float] | None = (-0.02, 1.02)


def curves(panels: Sequence[Panel]) -> Figure:
    """All panels in one figure."""
    figure, axes = panels_of(len(panels))
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel)
    return figure


def _draw(axis: Axes, panel: Panel) -> None:
    if panel.guess:
        axis.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    for label, (x, y) in panel.lines.items():
        shown = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_POINTS)).round().astype(int))
        axis.plot(x[shown], y[shown], label=label, linewidth=1.4)
    axis.set_title(panel.title, fontsize="medium")
    axis.set_xlabel(panel.x_label)
    axis.set_ylabel(panel.y_label)
    axis.set_xlim(panel.x_limits)
    axis.set_ylim(panel.y_limits)
    axis.grid(alpha=0.3)
    if panel.lines:
        axis.legend(fontsize="x-small", loc="best")
