"""The table of epochs as a picture: losses, figures on validation, learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yolo_leuk import artifacts
from yolo_leuk.train import run_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILE_NAME = "learning-curves.png"

_PARTS = {"train": "training", "val": "validation"}
_STYLES = {"train": "-", "val": "--"}


@dataclass(frozen=True)
class _Panel:
    """One chart: its title, what its y axis tells, and the columns that it shows, by name."""

    title: str
    y_label: str
    columns: Mapping[str, str]


_PANELS = (
    _Panel(
        "Validation in swapped colours",
        "fraction, 1 is best",
        {"metrics/weighted_f1": "weighted F1", "metrics/balanced_accuracy": "balanced accuracy"},
    ),
    _Panel(
        "Calibration in swapped colours",
        "fraction, 0 is best",
        {"metrics/ece": "expected calibration error"},
    ),
    _Panel(
        "Validation over all confidences",
        "fraction, 1 is best",
        {"metrics/mAP50(B)": "AP50", "metrics/mAP50-95(B)": "AP50-95"},
    ),
    _Panel(
        "Validation at the confidence of best F1",
        "fraction, 1 is best",
        {"metrics/precision(B)": "precision", "metrics/recall(B)": "recall"},
    ),
    # The other groups of weights have the same but for the first epoch.
    _Panel("Learning rate", "per step", {"lr/pg0": "learning rate"}),
)


def write_learning_curves(folder: Path, best_epoch: int) -> None:
    """Draw the table of epochs of a run, and write the picture into its folder.

    Args:
        folder: Of the run.
        best_epoch: The one that ``best.pt`` is of, counted from 1.

    Raises:
        OutputError: The picture cannot be written.
    """
    figure = learning_curves(run_folder.epochs(folder), best_epoch)
    with artifacts.replaced(folder / FILE_NAME) as path:
        figure.savefig(path)


def learning_curves(table: Mapping[str, Sequence[float]], best_epoch: int) -> Figure:
    """The picture of a table of epochs; what the table does not have is not drawn.

    Args:
        table: Column to its values, one for each epoch, in Ultralytics' words.
        best_epoch: Is marked, counted from 1.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    panels = [panel for panel in (_losses(table), *_PANELS) if panel.columns.keys() & table.keys()]
    figure = Figure(figsize=(11, 7.5), dpi=110, layout="constrained")
    axes = figure.subplots(2, (len(panels) + 1) // 2, squeeze=False).ravel()
    for panel, axis in zip(panels, axes, strict=False):
        _draw(panel, table, axis)
        axis.axvline(best_epoch, color="0.4", linestyle=":")
        axis.set_xlim(0.5, len(table["epoch"]) + 0.5)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        # Below the chart, where it covers no line; each loss is a column of it.
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3, frameon=False)
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    figure.suptitle(f"Kept epoch (dotted): {best_epoch} of {len(table['epoch'])}")
    return figure


def _losses(table: Mapping[str, Sequence[float]]) -> _Panel:
    """Whatever losses the net has: they differ between nets, the figures do not."""
    names = [column.removeprefix("train/") for column in table if column.startswith("train/")]
    columns = {}
    for name in names:
        kind = name.removesuffix("loss").strip("_")
        for part, told in _PARTS.items():
            if f"{part}/{name}" in table:
                columns[f"{part}/{name}"] = f"{kind}, {told}" if kind else told
    return _Panel("Losses", "loss", columns)


def _draw(panel: _Panel, table: Mapping[str, Sequence[float]], axis: Axes) -> None:
    """A line for each column; a loss has one colour, dashed where it is of validation."""
    colours: dict[str, str] = {}
    for column, label in panel.columns.items():
        part, _, name = column.partition("/")
        colour = colours.setdefault(name, f"C{len(colours)}")
        axis.plot(
            table["epoch"],
            table[column],
            color=colour,
            linestyle=_STYLES.get(part, "-"),
            marker=".",  # a run of one epoch is a point
            markersize=4,
            label=label,
        )
    axis.set_title(panel.title)
    axis.set_xlabel("epoch")
    axis.set_ylabel(panel.y_label)
    axis.grid(alpha=0.3)
