"""How the populations of the genetic search grew, as a table and as a picture."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yolo_leuk import artifacts
from yolo_leuk.ensemble.comparison import Comparison
from yolo_leuk.ensemble.methods import EQUAL, GRID

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE = "history.csv"
PICTURE = "history.png"


def write_growth(folder: Path, comparison: Comparison) -> None:
    """Write the table and the picture. Raises OutputError."""
    artifacts.write_text(folder / TABLE, growth_table(comparison))
    with artifacts.replaced(folder / PICTURE) as path:
        growth_figure(comparison).savefig(path)


def growth_table(comparison: Comparison) -> str:
    """CSV: the highest and the mean fitness of each generation of each restart, from 1."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["restart", "generation", "best", "mean"])
    best, mean = comparison.history.best, comparison.history.mean
    for (restart, generation), highest in np.ndenumerate(best):
        own = mean[restart, generation]
        writer.writerow([restart + 1, generation + 1, f"{highest:.6f}", f"{own:.6f}"])
    return stream.getvalue()


def growth_figure(comparison: Comparison) -> Figure:
    """A line for each restart, of its best individual so far, and what others reach beside it."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    best, mean = comparison.history.best, comparison.history.mean
    generations = np.arange(1, best.shape[1] + 1)
    figure = Figure(figsize=(8, 5), dpi=110, layout="constrained")
    axis = figure.subplots()
    so_far = np.maximum.accumulate(best, axis=1)
    lines = axis.plot(generations, so_far.T, color="C0", alpha=0.5, linewidth=1)
    lines[0].set_label("best so far, each restart")
    axis.plot(generations, mean.mean(axis=0), color="C1", label="mean of all individuals")
    for method, told, colour in (
        (EQUAL, "equal weights", "0.3"),
        (GRID, "the best on the grid", "C2"),
    ):
        level = comparison.row(method).searched.value
        axis.axhline(level, color=colour, linestyle="--", linewidth=1, label=told)
    axis.set_title("Genetic search on all samples")
    axis.set_xlabel("generation")
    axis.set_ylabel(comparison.fitness)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure
