"""What one task has to tell, in every form in which it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yolo_leuk.bootstrap import Figure
from yolo_leuk.contact_sheet import sheet_jpeg
from yolo_leuk.evaluate import (
    classification,
    classification_report,
    detection,
    field_results,
    fields_report,
    whole_pipeline,
)
from yolo_leuk.evaluate.charts.chart import Chart
from yolo_leuk.evaluate.classification_charts import charts_of, stress_chart
from yolo_leuk.evaluate.field_charts import detector_charts, pipeline_charts
from yolo_leuk.evaluate.figures import TITLES, UNBOUNDED
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.wrong_samples import all_wrong_sheet, wrong_samples_csv
from yolo_leuk.markup import Html

WRONG_NAME = "wrong-samples.csv"
SHEET_NAME = "all-wrong.jpg"


@dataclass(frozen=True)
class Asked:
    """How it is measured.

    Attributes:
        stress: Under conditions too.
        draws: Of the bootstrap.
        seed: Of the draws.
        progress: Show a bar.
    """

    stress: bool
    draws: int
    seed: int
    progress: bool


@dataclass(frozen=True)
class Found:
    """What one task has to tell.

    Attributes:
        keys: Of ``metrics.json``.
        table: Model to its figures by title, for a terminal.
        bounded: Those figures that lie between 0 and 1, by model and title.
        charts: All pictures.
        sections: Of the page.
        files: Name to content of what else is written.
    """

    keys: Mapping[str, Any]
    table: Mapping[str, Mapping[str, Figure]]
    bounded: Mapping[str, Mapping[str, Figure]]
    charts: Sequence[Chart]
    sections: Sequence[Html]
    files: Mapping[str, bytes]


def of_classifiers(models: Sequence[Model], held_out: HeldOut, asked: Asked) -> Found:
    """Measure classifiers. Raises DataError or ModelError."""
    result = classification.measured(
        models,
        held_out,
        stress=asked.stress,
        draws=asked.draws,
        seed=asked.seed,
        progress=asked.progress,
    )
    first = result.units[0]
    bootstrap = first.truth.bootstrap
    charts = [charts_of(unit) for unit in result.units]
    stress = None if result.stress is None else stress_chart(result.stress, bootstrap)
    sheet = all_wrong_sheet(first, held_out)
    jpeg = None if sheet is None else sheet_jpeg(sheet)
    table = {
        name: {TITLES[key]: bootstrap.figure(drawn) for key, drawn in of.overall.items()}
        for name, of in first.figures.items()
    }
    unbounded = {TITLES[key] for key in UNBOUNDED}
    files = {WRONG_NAME: wrong_samples_csv(first).encode()}
    if jpeg is not None:
        files[SHEET_NAME] = jpeg
    return Found(
        keys=classification.to_json(result, models),
        table=table,
        bounded=_without(table, unbounded),
        charts=[*(chart for some in charts for chart in some), *([stress] if stress else [])],
        sections=classification_report.sections_of(result, charts, stress, jpeg),
        files=files,
    )


def of_fields(models: Sequence[Model], held_out: HeldOut, asked: Asked) -> Found:
    """Measure detectors and pipelines. Raises DataError or ModelError."""
    result = field_results.measured(
        models,
        held_out,
        stress=asked.stress,
        draws=asked.draws,
        seed=asked.seed,
        progress=asked.progress,
    )
    figure = result.fields.bootstrap.figure
    table: dict[str, dict[str, Figure]] = {
        model: {
            f"{name}: {detection.TITLES[key]}": figure(drawn)
            for name, of_class in of.figures.by_class.items()
            for key, drawn in of_class.items()
        }
        for model, of in result.detectors.items()
    }
    for model, whole in result.pipelines.items():
        table[model] = {
            whole_pipeline.TITLES[key]: figure(drawn) for key, drawn in whole.figures.items()
        }
    unbounded = {detection.TITLES[key] for key in detection.UNBOUNDED}
    detectors, pipelines = detector_charts(result), pipeline_charts(result)
    return Found(
        keys=field_results.to_json(result, models),
        table=table,
        bounded=_without(table, unbounded),
        charts=[*detectors, *pipelines],
        sections=fields_report.sections_of(result, detectors, pipelines),
        files={},
    )


def _without(
    table: Mapping[str, Mapping[str, Figure]], titles: set[str]
) -> dict[str, dict[str, Figure]]:
    """The table without some figures, of whatever class."""
    return {
        model: {t: one for t, one in of.items() if t.rpartition(": ")[2] not in titles}
        for model, of in table.items()
    }
