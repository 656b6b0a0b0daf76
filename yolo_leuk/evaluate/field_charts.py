"""The pictures of what is measured on fields."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from yolo_leuk.bootstrap import Figure
from yolo_leuk.evaluate import coco, whole_pipeline
from yolo_leuk.evaluate.charts.agreement import Agreement, agreement
from yolo_leuk.evaluate.charts.chart import Chart, drawn
from yolo_leuk.evaluate.charts.curves import Panel, curves
from yolo_leuk.evaluate.charts.intervals import intervals
from yolo_leuk.evaluate.charts.matrices import matrices
from yolo_leuk.evaluate.field_results import DetectorResult, FieldsResult, PipelineResult
from yolo_leuk.evaluate.whole_pipeline import MISSED, NO_CELL
from yolo_leuk.records import UNIDENTIFIED

_MOST_FALSE = 4.0
_MOVED = "Points are moved a little, so that equal ones can be told apart."


def detector_charts(result: FieldsResult) -> list[Chart]:
    """Recall against false boxes, and counts; nothing where no detector was named."""
    if not result.detectors:
        return []
    names = result.fields.scheme.names
    found = [
        drawn(
            "recall",
            "Recall at IoU 0.5 against false boxes per image, as the confidence falls.",
            curves([_recall_panel(result.detectors, name) for name in names]),
        ),
        *(
            drawn(
                f"counts-{number}",
                f"{model}: boxes that it believes against true ones, by image. {_MOVED}",
                agreement(
                    [_counts(name, of.figures.counts[name]) for name in names], "true", "found"
                ),
            )
            for number, (model, of) in enumerate(result.detectors.items(), 1)
        ),
    ]
    if any(of.stress for of in result.detectors.values()):
        found.append(_detector_stress(result))
    return found


def pipeline_charts(result: FieldsResult) -> list[Chart]:
    """Calls, blast fractions, and what conditions change; nothing without a pipeline."""
    if not result.pipelines:
        return []
    found = []
    for number, (name, of) in enumerate(result.pipelines.items(), 1):
        classes = of.scheme.names
        counts = {name: whole_pipeline.matrix_of(of.calls)}
        rows, columns = [*classes, NO_CELL], [*classes, UNIDENTIFIED, MISSED]
        found.append(
            drawn(
                f"pipeline-{number}-calls",
                f"{name}: white cells by what they are and what becomes of them.",
                matrices(counts, rows, columns),
            )
        )
    found.append(
        drawn(
            "blast-fractions",
            f"Blast fraction that is given against the true one, a point for each image. {_MOVED}",
            agreement(
                [_fractions(name, of) for name, of in result.pipelines.items()], "true", "given"
            ),
        )
    )
    if any(of.stress for of in result.pipelines.values()):
        found.append(_pipeline_stress(result))
    return found


def _recall_panel(detectors: Mapping[str, DetectorResult], class_name: str) -> Panel:
    lines = {
        model: coco.recall_curve(of.figures.ranked[class_name])
        for model, of in detectors.items()
        if of.figures.ranked[class_name].truths.any()
    }
    limits = (-0.02 * _MOST_FALSE, _MOST_FALSE)
    return Panel(class_name, "false boxes per image", "recall", lines, x_limits=limits)


def _counts(name: str, counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Agreement:
    found, true = counts.T.astype(np.float64)
    return Agreement(name, true, found, jitter=0.25)


def _fractions(name: str, of: PipelineResult) -> Agreement:
    true = np.array([call.true_fraction for call in of.calls])
    given = np.array([call.fraction for call in of.calls])
    return Agreement(name, true, given, jitter=0.015)


def _detector_stress(result: FieldsResult) -> Chart:
    figure = result.fields.bootstrap.figure
    conditions = list(next(of.stress for of in result.detectors.values() if of.stress))
    by_line: dict[str, list[Figure | None]] = {
        f"{model}, {name}": [figure(of.stress[condition][name]) for condition in conditions]
        for model, of in result.detectors.items()
        for name in of.figures.by_class
        if not np.isnan(of.figures.by_class[name]["ap50"][0])
    }
    text = "AP50 under each condition."
    return drawn("stress", text, intervals(conditions, by_line, "AP50"))


def _pipeline_stress(result: FieldsResult) -> Chart:
    figure = result.fields.bootstrap.figure
    conditions = list(next(of.stress for of in result.pipelines.values() if of.stress))
    by_line: dict[str, list[Figure | None]] = {
        f"{model}: {whole_pipeline.TITLES[key]}": [
            figure(of.stress[condition][key]) for condition in conditions
        ]
        for model, of in result.pipelines.items()
        for key in ("recall", "right")
    }
    text = "Cells found, and found and rightly called, under each condition."
    return drawn("pipeline-stress", text, intervals(conditions, by_line, "share of white cells"))
