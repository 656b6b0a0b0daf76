"""Recipes of training beside each other: the same cells under the same changes for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import balanced_accuracy_score

from figures.bootstrap import over_groups
from figures.calling import colour_numbers, fitted_colour_classifier
from yolo_leuk import pixels
from yolo_leuk.records import Image
from yolo_leuk.train.cell_figures import weighted_f1
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation

Calls = npt.NDArray[np.int64]
Caller = Callable[[Sequence[Image]], Calls]
"""A trained net: windows of cells to class ids, shape (n,)."""

Change = Callable[[Image, float], Image]
"""Of a window, and the width of a red cell in it in pixels."""

# Not the seed of the swaps that a run chooses its epoch by.
_SEED = 1

# More haematoxylin and less eosin than training ever makes of a cell.
_STAIN_GAIN = (1.4, 0.7, 1.0)

# In red-cell widths: 1.5 px where a red cell has 20.
_BLUR_RBC = 0.075

_CHANGES: dict[str, Change] = {
    "clean": lambda window, _: window,
    "darker": lambda window, _: pixels.with_brightness(window, 0.6),
    "brighter": lambda window, _: pixels.with_brightness(window, 1.4),
    "stain": lambda window, _: pixels.with_stain(window, _STAIN_GAIN, (0.0, 0.0, 0.0)),
    "blurred": lambda window, px_per_rbc: pixels.blurred(window, _BLUR_RBC * px_per_rbc),
}

CONDITIONS = ("clean", "swapped", "darker", "brighter", "stain", "blurred")
"""``swapped``: in the colours of a random one of the cells; the others are fixed changes."""


def windows_under(condition: str, cells: Sequence[CellPicture]) -> list[Image]:
    """The windows that ``detect`` would cut, changed before anything is resampled."""
    windows = [_window(cell) for cell in cells]
    if condition == "swapped":
        return _swapped(windows)
    change = _CHANGES[condition]
    return [change(w, cell.sample.px_per_rbc) for w, cell in zip(windows, cells, strict=True)]


def _window(cell: CellPicture) -> Image:
    return pixels.window_of(cell.crop, cell.sample.px_per_rbc)


def _swapped(windows: Sequence[Image]) -> list[Image]:
    colours = [pixels.colour_statistics(window) for window in windows]
    others = np.random.default_rng(_SEED).integers(len(windows), size=len(windows))
    return [
        pixels.with_colour_of(window, colours[int(other)])
        for window, other in zip(windows, others, strict=True)
    ]


def compared(
    cells: Sequence[CellPicture], ours: Caller, theirs: Caller, draws: int
) -> dict[str, dict[str, Any]]:
    """Weighted F1 of two nets under each condition.

    Args:
        cells: To ask the nets about.
        ours: A net.
        theirs: Another one.
        draws: Of the bootstrap.

    Returns:
        By condition: the figures of ``ours`` and ``theirs``, how far ours is ``ahead``, paired; and
        which share of its clean figure each has ``kept``.
    """
    found: dict[str, dict[str, Any]] = {}
    for condition in CONDITIONS:
        windows = windows_under(condition, cells)
        found[condition] = _figures(cells, ours(windows), theirs(windows), draws)
    for figures in found.values():
        figures["kept"] = {
            side: _share(figures[side]["value"], found["clean"][side]["value"])
            for side in ("ours", "theirs")
        }
    return found


def _figures(
    cells: Sequence[CellPicture], ours: Calls, theirs: Calls, draws: int
) -> dict[str, Any]:
    labels = np.array([cell.class_id for cell in cells])

    def f1(calls: Calls, rows: npt.NDArray[np.int64]) -> float:
        return weighted_f1(labels[rows], calls[rows])

    statistics: dict[str, Callable[[npt.NDArray[np.int64]], float]] = {
        "ours": lambda rows: f1(ours, rows),
        "theirs": lambda rows: f1(theirs, rows),
        "ahead": lambda rows: f1(ours, rows) - f1(theirs, rows),
    }
    return {name: _over_groups(statistic, cells, draws) for name, statistic in statistics.items()}


def _share(value: float, of: float) -> float | None:
    return round(value / of, 4) if of else None


def colour_alone(
    training: Sequence[CellPicture],
    validation: Sequence[CellPicture],
    recipe: CellRecipe,
    draws: int,
) -> dict[str, Any]:
    """Balanced accuracy of the colour-only classifier on three streams of the same cells.

    ``as_they_are``; ``in_one_colour``, where all have one mean and deviation, so that what is left
    is form, as how large the dark nucleus is, and how colours lie to each other within a cell; and
    ``in_training``, varied as a net learns from them. The classifier is fitted to training cells
    and asked about validation cells of the same stream. Whoever knows nothing of the class has one
    over the number of classes, however unequal they are.
    """
    variation = CellVariation(training, recipe)
    colour = pixels.colour_statistics(_window(training[0]))
    streams: dict[str, Callable[[CellPicture, np.random.Generator], Image]] = {
        "as_they_are": lambda cell, _: variation.plain(cell),
        "in_one_colour": lambda cell, _: pixels.classifier_input(
            pixels.with_colour_of(_window(cell), colour), recipe.size_px
        ),
        "in_training": variation.varied,
    }
    labels = np.array([cell.class_id for cell in validation])
    found: dict[str, Any] = {"chance": round(1 / len(set(labels.tolist())), 4)}
    for name, stream in streams.items():
        classifier = fitted_colour_classifier(
            _numbers(stream, training, 0), [cell.class_id for cell in training]
        )
        called = classifier.predict(_numbers(stream, validation, 1))
        found[name] = _over_groups(partial(_balanced_accuracy, labels, called), validation, draws)
    return found


def _numbers(
    stream: Callable[[CellPicture, np.random.Generator], Image],
    cells: Sequence[CellPicture],
    part: int,
) -> list[npt.NDArray[np.float64]]:
    return [
        colour_numbers(stream(cell, np.random.default_rng([_SEED, part, number])))
        for number, cell in enumerate(cells)
    ]


def _balanced_accuracy(labels: Calls, called: Calls, rows: npt.NDArray[np.int64]) -> float:
    return float(balanced_accuracy_score(labels[rows], called[rows]))


def _over_groups(
    statistic: Callable[[npt.NDArray[np.int64]], float], cells: Sequence[CellPicture], draws: int
) -> dict[str, Any]:
    return over_groups(
        statistic,
        [cell.sample.group for cell in cells],
        strata=[cell.sample.label for cell in cells],
        draws=draws,
    ).to_json()
