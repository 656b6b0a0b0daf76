"""Recipes of training beside each other: the same cells under the same changes for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import balanced_accuracy_score, f1_score

from figures.calling import colour_numbers, fitted_colour_classifier
from yolo_leuk import pixels
from yolo_leuk.bootstrap import over_groups
from yolo_leuk.colour_transfer import colour_statistics, with_colour_of
from yolo_leuk.evaluate import stress
from yolo_leuk.records import Image
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation

Calls = npt.NDArray[np.int64]
Caller = Callable[[Sequence[Image]], Calls]
"""A trained net: windows of cells to class ids, shape (n,)."""

# Not the seed of the swaps that a run chooses its epoch by.
_SEED = 1

CONDITIONS = ("clean", "swapped", "darker", "brighter", "stain", "blurred")
"""Of :data:`yolo_leuk.evaluate.stress.CONDITIONS`; swapped: in the colours of one of the cells."""


def windows_under(condition: str, cells: Sequence[CellPicture]) -> list[Image]:
    """The windows that ``detect`` would cut, changed before anything is resampled."""
    windows = [_window(cell) for cell in cells]
    others = stress.others_of(len(windows))

    def changed(number: int) -> Image:
        return stress.under(
            stress.CONDITIONS[condition],
            windows[number],
            cells[number].sample.px_per_rbc,
            number,
            lambda: windows[int(others[number])],
        )

    return [changed(number) for number in range(len(windows))]


def _window(cell: CellPicture) -> Image:
    return pixels.window_of(cell.crop, cell.sample.px_per_rbc)


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
        return float(f1_score(labels[rows], calls[rows], average="weighted", zero_division=0))

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

    ``as_they_are``; ``in_one_colour``, where all have one mean and covariance, so that what is left
    is form, as how large the dark nucleus is; and
    ``in_training``, varied as a net learns from them. The classifier is fitted to training cells
    and asked about validation cells of the same stream. Whoever knows nothing of the class has one
    over the number of classes, however unequal they are.
    """
    variation = CellVariation(training, recipe)
    colour = colour_statistics(_window(training[0]))
    streams: dict[str, Callable[[CellPicture, np.random.Generator], Image]] = {
        "as_they_are": lambda cell, _: variation.plain(cell),
        "in_one_colour": lambda cell, _: pixels.classifier_input(
            with_colour_of(_window(cell), colour), recipe.size_px
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
) -> list[npt.NDArray[np.float32]]:
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
