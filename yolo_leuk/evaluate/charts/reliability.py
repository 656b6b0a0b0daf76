"""Reliability diagrams: how often a model is right, against how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from yolo_leuk import calibration
from yolo_leuk.evaluate.charts.chart import panels_of
from yolo_leuk.evaluate.reliability import Bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def reliability(by_model: Mapping[str, Bins]) -> Figure:
    """A panel for each model; below each point stands how many samples it is of."""
    figure, axes = panels_of(len(by_model))
    for axis, (name, bins) in zip(axes, by_model.items(), strict=True):
        _draw(axis, bins)
        axis.set_title(name, fontsize="medium")
    return figure


def _draw(axis: Axes, bins: Bins) -> None:
    share = bins.samples / bins.samples.sum()
    width = 0.9 / calibration.BINS
    axis.bar(bins.confidence, share, width=width, color="0.85", label="share of samples")
    axis.plot([0, 1], [0, 1], color="0.6", linestyle=":")
    reach = [
        np.nan_to_num(np.maximum(bins.accuracy - bins.low, 0)),
        np.nan_to_num(np.maximum(bins.high - bins.accuracy, 0)),
    ]
    axis.errorbar(
        bins.confidence, bins.accuracy, yerr=reach, fmt="o-", markersize=4, capsize=2, label="right"
    )
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel("mean top probability")
    axis.set_ylabel("share right")
    axis.grid(alpha=0.3)
    axis.legend(fontsize="x-small", loc="upper left")
