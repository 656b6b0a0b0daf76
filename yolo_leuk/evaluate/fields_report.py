"""The sections of the page that tell of detectors and pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from yolo_leuk.bootstrap import Figure, GroupBootstrap
from yolo_leuk.evaluate import detection, whole_pipeline
from yolo_leuk.evaluate.charts.chart import Chart
from yolo_leuk.evaluate.field_results import FieldsResult, differences
from yolo_leuk.evaluate.figures import Drawn
from yolo_leuk.evaluate.page_parts import (
    chart,
    difference_table,
    figure_table,
    heading,
    note,
    section,
    table,
    value,
)
from yolo_leuk.evaluate.stress import CONDITIONS
from yolo_leuk.markup import Html

_DETECTORS = (
    "Average precision as COCO has it, each picture at the scale that the data set tells. Recall, "
    "precision and counts are of the boxes that reach the thresholds in the model's card, matched "
    "at IoU 0.5 so that as many boxes as possible find a cell."
)
_PIPELINES = (
    "As detect runs it, at the scale that it measures on the picture. A box meets a white cell at "
    "IoU 0.5. What is only known to be a white cell has the class of its picture."
)


def sections_of(
    result: FieldsResult, detectors: Sequence[Chart], pipelines: Sequence[Chart]
) -> list[Html]:
    """All sections.

    Args:
        result: What was measured.
        detectors: Pictures of the detectors.
        pipelines: Pictures of the pipelines.
    """
    found = []
    if result.detectors:
        found.append(_of_detectors(result, detectors))
    if result.pipelines:
        found.append(_of_pipelines(result, pipelines))
    return found


def _of_all(bootstrap: GroupBootstrap, figures: Mapping[str, Drawn]) -> dict[str, Figure]:
    return {key: bootstrap.figure(drawn) for key, drawn in figures.items()}


def _of_detectors(result: FieldsResult, charts: Sequence[Chart]) -> Html:
    bootstrap = result.fields.bootstrap
    tables = [
        figure_table(
            detection.TITLES,
            {
                **{n: _of_all(bootstrap, own) for n, own in of.figures.by_class.items()},
                "mean": _of_all(bootstrap, of.mean),
            },
            corner=name,
        )
        for name, of in result.detectors.items()
    ]
    stress = {
        f"{name}, AP50 of {of_class}": {row: found[of_class] for row, found in of.stress.items()}
        for name, of in result.detectors.items()
        for of_class in of.figures.by_class
        if not np.isnan(of.figures.by_class[of_class]["ap50"][0])
    }
    return section(
        "detection",
        "Detection",
        note(f"{_counted(result)} {_DETECTORS}"),
        *tables,
        *_differences(result, set(result.detectors), detection.TITLES),
        *map(chart, charts),
        *_conditions(bootstrap, stress),
    )


def _of_pipelines(result: FieldsResult, charts: Sequence[Chart]) -> Html:
    bootstrap = result.fields.bootstrap
    stress = {
        f"{name}, {told}": {row: found[key] for row, found in of.stress.items()}
        for name, of in result.pipelines.items()
        for key, told in (("recall", "found"), ("right", "found and rightly called"))
    }
    return section(
        "pipelines",
        "The pipeline as a whole",
        note(f"{_counted(result)} {_PIPELINES}"),
        figure_table(
            whole_pipeline.TITLES,
            {name: _of_all(bootstrap, of.figures) for name, of in result.pipelines.items()},
        ),
        *_differences(result, set(result.pipelines), whole_pipeline.TITLES),
        *map(chart, charts),
        *_conditions(bootstrap, stress),
    )


def _differences(result: FieldsResult, models: set[str], titles: Mapping[str, str]) -> list[Html]:
    bootstrap = result.fields.bootstrap
    columns = {
        f"{found.model} − {found.minus}" + (f", {name}" if name != "cells" else ""): _of_all(
            bootstrap, own
        )
        for found in differences(result)
        if found.model in models
        for name, own in found.figures.items()
    }
    if not columns:
        return []
    return [heading("Differences"), difference_table(titles, columns)]


def _conditions(
    bootstrap: GroupBootstrap, by_column: Mapping[str, Mapping[str, Drawn]]
) -> list[Html]:
    """Figures under each condition, by column; nothing without conditions."""
    if not any(by_column.values()):
        return []
    rows = [
        [name, one.text, *(value(bootstrap.figure(of[name])) for of in by_column.values())]
        for name, one in CONDITIONS.items()
    ]
    return [heading("Under stress"), table(["condition", "what is changed", *by_column], rows)]


def _counted(result: FieldsResult) -> str:
    bootstrap = result.fields.bootstrap
    return f"{bootstrap.samples:,} images of {bootstrap.groups:,} groups."
