"""The sections of the page that tell of classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yolo_leuk.bootstrap import Figure, GroupBootstrap
from yolo_leuk.evaluate.charts.chart import Chart
from yolo_leuk.evaluate.classification import ClassificationResult, StressResult, UnitResult
from yolo_leuk.evaluate.classification_charts import COLOUR_ONLY
from yolo_leuk.evaluate.figures import CLASS_TITLES, TITLES, Drawn
from yolo_leuk.evaluate.page_parts import (
    chart,
    difference_table,
    figure_table,
    heading,
    jpeg,
    note,
    number,
    section,
    table,
    value,
)
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS, PAINTED_OUT, WITHOUT_CELLS
from yolo_leuk.markup import Html

_MOST_SUBJECTS = 60

_TITLES_OF_UNITS = {"cells": "Per cell", "images": "Per image"}
_OF_PICTURES = (
    "A picture's answer is the softmax of the mean log-probability of its cells. Pictures whose "
    "cells are of several classes are left out."
)


def sections_of(
    result: ClassificationResult,
    charts: Sequence[Sequence[Chart]],
    stress: Chart | None,
    sheet: bytes | None,
) -> list[Html]:
    """All sections.

    Args:
        result: What was measured.
        charts: Pictures of each unit.
        stress: Picture of the conditions; None where they were not asked for.
        sheet: JPEG of what all models get wrong; None where there is nothing.
    """
    first, *others = result.units
    found = [_unit(first, charts[0], ""), _errors(first, sheet)]
    found += [
        _unit(unit, pictures, _OF_PICTURES)
        for unit, pictures in zip(others, charts[1:], strict=True)
    ]
    if result.subjects:
        found.append(_subjects(result))
    if result.stress is not None and stress is not None:
        found.append(_stress(result.stress, first.truth.bootstrap, stress))
    return found


def _of_all(bootstrap: GroupBootstrap, figures: Mapping[str, Drawn]) -> dict[str, Figure]:
    return {key: bootstrap.figure(drawn) for key, drawn in figures.items()}


# --- one unit ------------------------------------------------------------------------------------


def _unit(unit: UnitResult, charts: Sequence[Chart], text: str) -> Html:
    bootstrap = unit.truth.bootstrap
    counted = f"{bootstrap.samples:,} {unit.truth.unit} of {bootstrap.groups:,} groups."
    overview, *others = charts
    of_models = {name: _of_all(bootstrap, of.overall) for name, of in unit.figures.items()}
    return section(
        unit.truth.unit,
        _TITLES_OF_UNITS[unit.truth.unit],
        note(f"{counted} {text}".strip()),
        figure_table(TITLES, of_models),
        chart(overview),
        *_differences(unit),
        heading("Class by class"),
        *(_classes(unit, name) for name in unit.figures),
        *(chart(picture) for picture in others),
        _coverage(unit),
    )


def _differences(unit: UnitResult) -> list[Html]:
    first, *others = unit.figures
    if not others:
        return []
    bootstrap = unit.truth.bootstrap
    columns = {
        f"{name} − {first}": _of_all(bootstrap, unit.difference(name, first)) for name in others
    }
    text = (
        "Both models are measured on the same draws of groups. Bold: the interval leaves out 0. Of "
        "twenty comparisons of equal models one is bold by chance."
    )
    return [heading("Differences"), difference_table(TITLES, columns), note(text)]


def _classes(unit: UnitResult, model: str) -> Html:
    bootstrap = unit.truth.bootstrap
    by_class = {
        name: _of_all(bootstrap, figures) for name, figures in unit.figures[model].by_class.items()
    }
    return figure_table(CLASS_TITLES, by_class, corner=model)


def _coverage(unit: UnitResult) -> Html:
    bootstrap = unit.truth.bootstrap
    coverages = next(iter(unit.coverage.values()))
    rows = [
        [
            f"{coverage:.0%} called",
            *(value(bootstrap.figure(of[coverage])) for of in unit.coverage.values()),
        ]
        for coverage in coverages
    ]
    return table(["share of wrong calls", *unit.coverage], rows)


# --- errors --------------------------------------------------------------------------------------


def _errors(unit: UnitResult, sheet: bytes | None) -> Html:
    errors, what = unit.errors, unit.truth.unit
    parts = [
        table(
            ["models that are wrong", what],
            [[str(number), f"{count:,}"] for number, count in errors.wrong_models.items()],
        )
    ]
    if errors.right_alone:
        rows = [[name, f"{count:,}"] for name, count in errors.right_alone.items()]
        parts.append(table(["right where all others are wrong", what], rows))
    if sheet is not None:
        wrong = "every model gets" if len(unit.figures) > 1 else "the model gets"
        parts.append(
            jpeg(sheet, f"What {wrong} wrong, the surest first. All of it is in wrong-samples.csv.")
        )
    return section("errors", "Errors", *parts)


# --- patients ------------------------------------------------------------------------------------


def _subjects(result: ClassificationResult) -> Html:
    aurocs = [
        [
            name,
            value(of.bootstrap.figure(of.auroc))
            if of.auroc is not None and of.bootstrap is not None
            else "–",
        ]
        for name, of in result.subjects.items()
    ]
    listed = next(iter(result.subjects.values())).subjects
    rows = [
        [
            subject.name,
            "blasts" if subject.has_blasts else "none",
            f"{subject.samples:,}",
            *(number(of.subjects[row].share_called_blast) for of in result.subjects.values()),
        ]
        for row, subject in enumerate(listed[:_MOST_SUBJECTS])
    ]
    parts = [
        note(
            "A subject has blasts where any of the samples is labelled one. AUROC is that of the "
            "mean blast probability of each subject."
        ),
        table(["", "AUROC over subjects"], aurocs),
        table(["share called blast", "labelled", "samples", *result.subjects], rows),
    ]
    if len(listed) > _MOST_SUBJECTS:
        parts.append(note(f"{len(listed) - _MOST_SUBJECTS} more stand in metrics.json."))
    return section("subjects", "Per subject", *parts)


# --- conditions ----------------------------------------------------------------------------------


def _stress(stress: StressResult, bootstrap: GroupBootstrap, picture: Chart) -> Html:
    models = list(stress.figures[CLEAN])
    conditions = {**CONDITIONS, PAINTED_OUT: WITHOUT_CELLS}
    rows = [
        [
            condition.replace("_", " "),
            conditions[condition].text,
            *(value(bootstrap.figure(of[name]["weighted_f1"])) for name in models),
        ]
        for condition, of in stress.figures.items()
    ]
    return section(
        "stress",
        "Under stress",
        note("Weighted F1 of the same samples. Each is changed in the same way for every model."),
        table(["condition", "what is changed", *models], rows),
        chart(picture),
        *_shortcuts(stress, bootstrap),
    )


def _shortcuts(stress: StressResult, bootstrap: GroupBootstrap) -> list[Html]:
    """How much is left when colour and cells are taken away."""
    parts = [heading("Shortcuts")]
    if stress.colour_only is None:
        parts.append(note("No other split is there to learn from what colour alone tells."))
    else:
        parts += [
            note(
                f"{COLOUR_ONLY.capitalize()} is a nearest neighbour on eleven numbers that hold "
                f"colour and no form, learnt from {stress.learnt_from:,} samples of other splits."
            ),
            table(["weighted F1", *stress.colour_only], _beside_colour(stress, bootstrap)),
        ]
    balanced = [
        [name, value(bootstrap.figure(of["balanced_accuracy"]))]
        for name, of in stress.figures[PAINTED_OUT].items()
    ]
    return [
        *parts,
        table(["cells painted out", "balanced accuracy"], balanced),
        note("Of what is painted out nothing can be known: a guess has 1 ÷ the number of classes."),
    ]


def _beside_colour(stress: StressResult, bootstrap: GroupBootstrap) -> list[list[Html | str]]:
    """Colour alone, then how far each model is above it, on clean and on swapped colours."""
    alone = [of["weighted_f1"] for of in (stress.colour_only or {}).values()]
    rows: dict[str, Sequence[Drawn]] = {COLOUR_ONLY: alone}
    for name, of_model in stress.above_colour_only.items():
        rows[f"{name} − {COLOUR_ONLY}"] = list(of_model.values())
    return [[name, *(value(bootstrap.figure(d)) for d in drawn)] for name, drawn in rows.items()]
