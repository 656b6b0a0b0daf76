"""The pictures of what is measured of classifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from yolo_leuk import ranking
from yolo_leuk.bootstrap import Figure, GroupBootstrap
from yolo_leuk.evaluate.charts.chart import Chart, drawn
from yolo_leuk.evaluate.charts.curves import Panel, curves
from yolo_leuk.evaluate.charts.intervals import intervals
from yolo_leuk.evaluate.charts.matrices import matrices
from yolo_leuk.evaluate.charts.reliability import reliability
from yolo_leuk.evaluate.classification import StressResult, UnitResult, confusion_of
from yolo_leuk.evaluate.coverage import error_curve
from yolo_leuk.evaluate.figures import TITLES, Drawn
from yolo_leuk.evaluate.stress import CLEAN

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

HEADLINES = (
    "weighted_f1",
    "macro_f1",
    "balanced_accuracy",
    "auroc",
    "blast_sensitivity",
    "blast_specificity",
    "blast_auroc",
)
"""Keys of the figures that the first picture shows."""

COLOUR_ONLY = "colour alone"

_ONE_ANSWER = "A line for each model; the dotted one is a guess."


def charts_of(unit: UnitResult) -> list[Chart]:
    """The pictures of one unit: figures, calls, curves, calibration, coverage."""
    names = unit.truth.scheme.names
    what = unit.truth.unit
    return [
        drawn(f"{what}-figures", f"Figures on {what}.", _headlines(unit)),
        drawn(
            f"{what}-confusion",
            f"Number of {what} by what they are and what they are called; the darker, the larger "
            "the share of the row.",
            matrices({name: confusion_of(unit, name) for name in unit.figures}, names, names),
        ),
        drawn(
            f"{what}-roc",
            f"Share of {what} of a class that are called so, against the share of others that are, "
            f"as the threshold falls. {_ONE_ANSWER}",
            curves(_roc_panels(unit)),
        ),
        drawn(
            f"{what}-precision-recall",
            f"Share of calls that are right, against the share of {what} that are found, as the "
            "threshold falls.",
            curves(_precision_recall_panels(unit)),
        ),
        drawn(
            f"{what}-reliability",
            "How often a model is right, by how sure it is: on the dotted line it is as often "
            "right as it says.",
            reliability(unit.reliability),
        ),
        drawn(
            f"{what}-coverage",
            f"Share of wrong calls when the least sure {what} are left unidentified.",
            curves([_coverage_panel(unit)]),
        ),
    ]


def stress_chart(stress: StressResult, bootstrap: GroupBootstrap) -> Chart:
    """Weighted F1 of each model under each condition, with colour alone beside it."""
    by_model: dict[str, list[Figure | None]] = {
        name: [bootstrap.figure(of[name]["weighted_f1"]) for of in stress.figures.values()]
        for name in stress.figures[CLEAN]
    }
    if stress.colour_only is not None:
        alone = stress.colour_only
        by_model[COLOUR_ONLY] = [
            bootstrap.figure(alone[row]["weighted_f1"]) if row in alone else None
            for row in stress.figures
        ]
    rows = [row.replace("_", " ") for row in stress.figures]
    text = "Weighted F1 under each condition."
    return drawn("stress", text, intervals(rows, by_model, TITLES["weighted_f1"]))


def _headlines(unit: UnitResult) -> MatplotlibFigure:
    keys = [key for key in HEADLINES if any(key in of.overall for of in unit.figures.values())]
    figure = unit.truth.bootstrap.figure
    by_model: dict[str, list[Figure | None]] = {
        name: [figure(of.overall[key]) if key in of.overall else None for key in keys]
        for name, of in unit.figures.items()
    }
    return intervals([TITLES[key] for key in keys], by_model, "1 is best")


_Line = tuple[Drawn, Drawn]
_Curve = Callable[[Drawn, npt.NDArray[np.bool_]], ranking.Curve]


def _roc_panels(unit: UnitResult) -> list[Panel]:
    return [
        Panel(title, "false-positive rate", "true-positive rate", lines, guess=True)
        for title, lines in _panels(unit, ranking.roc_curve, with_auroc=True).items()
    ]


def _precision_recall_panels(unit: UnitResult) -> list[Panel]:
    return [
        Panel(title, "recall", "precision", lines)
        for title, lines in _panels(unit, ranking.precision_recall_curve, with_auroc=False).items()
    ]


def _panels(unit: UnitResult, curve: _Curve, *, with_auroc: bool) -> dict[str, dict[str, _Line]]:
    """Lines of all models, by what is told from the rest: blasts, then each class."""
    truth = unit.truth
    questions: dict[str, tuple[npt.NDArray[np.bool_], list[int]]] = {}
    if truth.is_blast.any() and not truth.is_blast.all():
        questions["blasts"] = (truth.is_blast, list(truth.scheme.blast_ids))
    # Of two classes, what is told of the one is told of the other.
    several = len(truth.scheme) > 2 or not questions
    for number, name in enumerate(truth.scheme.names if several else ()):
        is_own = truth.class_ids == number
        if is_own.any() and not is_own.all():
            questions[name] = (is_own, [number])
    panels: dict[str, dict[str, _Line]] = {}
    for title, (is_positive, columns) in questions.items():
        lines = panels.setdefault(title, {})
        for name, answer in unit.answers.by_model.items():
            scores = answer.probabilities[:, columns].sum(axis=1)
            label = f"{name}, {ranking.auroc(scores, is_positive):.3f}" if with_auroc else name
            found = curve(scores, is_positive)
            lines[label] = found.x, found.y
    return panels


def _coverage_panel(unit: UnitResult) -> Panel:
    lines = {name: error_curve(unit.truth, a) for name, a in unit.answers.by_model.items()}
    return Panel("", "share called", "share of wrong calls", lines, y_limits=None)
