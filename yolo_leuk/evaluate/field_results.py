"""Everything that is measured on fields with boxes: of detectors, and of whole pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.evaluate import detection, whole_pipeline
from yolo_leuk.evaluate.detection import DetectorFigures, Fields, read_fields
from yolo_leuk.evaluate.figures import Drawn
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS, Condition
from yolo_leuk.evaluate.whole_pipeline import MISSED, NO_CELL, FieldCalls, true_cells
from yolo_leuk.labels import LabelScheme
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.records import UNIDENTIFIED

STRESSED = ("recall", "precision", "right")
"""Keys of the figures of a pipeline that are given under each condition."""


@dataclass(frozen=True)
class DetectorResult:
    """What is measured of a detector.

    Attributes:
        figures: By class.
        stress: By condition: AP50 by class; empty where it was not asked for.
    """

    figures: DetectorFigures
    stress: Mapping[str, Mapping[str, Drawn]]

    @property
    def mean(self) -> dict[str, Drawn]:
        """Average precisions, mean over the classes that have boxes; nothing where none has."""
        classes = [of for of in self.figures.by_class.values() if not np.isnan(of["ap50"][0])]
        if not classes:
            return {}
        return {key: np.mean([of[key] for of in classes], axis=0) for key in ("ap50", "ap50_95")}


@dataclass(frozen=True)
class PipelineResult:
    """What is measured of a pipeline.

    Attributes:
        scheme: Its classes.
        calls: What it makes of each field.
        figures: By key.
        stress: By condition and key of :data:`STRESSED`; empty where it was not asked for.
    """

    scheme: LabelScheme
    calls: tuple[FieldCalls, ...]
    figures: Mapping[str, Drawn]
    stress: Mapping[str, Mapping[str, Drawn]]


@dataclass(frozen=True)
class FieldsResult:
    """What is measured on fields.

    Attributes:
        fields: With their true boxes.
        detectors: By model.
        pipelines: By model.
    """

    fields: Fields
    detectors: Mapping[str, DetectorResult]
    pipelines: Mapping[str, PipelineResult]


def measured(
    models: Sequence[Model],
    held_out: HeldOut,
    *,
    stress: bool,
    draws: int,
    seed: int,
    progress: bool = False,
) -> FieldsResult:
    """Run all models and measure what they find.

    Raises:
        DataError: A picture or a label file cannot be read, or the classes do not fit.
        ModelError: A net cannot be run.
    """
    fields = read_fields(held_out, draws=draws, seed=seed)
    conditions = {k: v for k, v in CONDITIONS.items() if k != CLEAN} if stress else {}
    detectors = {
        model.name: _detector(model.subject, fields, conditions, progress)
        for model in models
        if isinstance(model.subject, EagerDetector)
    }
    pipelines = {
        model.name: _pipeline(model.subject, fields, conditions, progress)
        for model in models
        if isinstance(model.subject, Pipeline)
    }
    return FieldsResult(fields, detectors, pipelines)


def _detector(
    detector: EagerDetector, fields: Fields, conditions: Mapping[str, Condition], progress: bool
) -> DetectorResult:
    clean = detection.detected(detector, fields, CONDITIONS[CLEAN], progress=progress)
    figures = detection.figures_of(fields, clean)
    stress = {
        name: detection.ap50s(
            fields, detection.detected(detector, fields, condition, progress=progress)
        )
        for name, condition in conditions.items()
    }
    if stress:
        stress = {CLEAN: {k: of["ap50"] for k, of in figures.by_class.items()}, **stress}
    return DetectorResult(figures, stress)


def _pipeline(
    pipeline: Pipeline, fields: Fields, conditions: Mapping[str, Condition], progress: bool
) -> PipelineResult:
    scheme = pipeline.labels
    truth = true_cells(fields, scheme)
    clean = whole_pipeline.called(pipeline, fields, truth, CONDITIONS[CLEAN], progress=progress)
    figures = whole_pipeline.figures_of(fields, clean, scheme)
    stress = {}
    for name, condition in conditions.items():
        calls = whole_pipeline.called(pipeline, fields, truth, condition, progress=progress)
        stress[name] = _stressed(whole_pipeline.figures_of(fields, calls, scheme))
    if stress:
        stress = {CLEAN: _stressed(figures), **stress}
    return PipelineResult(scheme, tuple(clean), figures, stress)


def _stressed(figures: Mapping[str, Drawn]) -> dict[str, Drawn]:
    return {key: figures[key] for key in STRESSED}


# --- differences ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """Figures of one model less those of another, on the same draws.

    Attributes:
        model: The one.
        minus: The other.
        figures: By class, or by ``cells`` for pipelines, then by key.
    """

    model: str
    minus: str
    figures: Mapping[str, Mapping[str, Drawn]]


def differences(result: FieldsResult) -> list[Difference]:
    """Each detector less the first one, and each pipeline less the first one."""
    tables: list[dict[str, Mapping[str, Mapping[str, Drawn]]]] = [
        {name: of.figures.by_class for name, of in result.detectors.items()},
        {name: {"cells": of.figures} for name, of in result.pipelines.items()},
    ]
    found = []
    for table in tables:
        first, *others = table or [""]
        found += [Difference(name, first, _less(table[name], table[first])) for name in others]
    return found


def _less(
    own: Mapping[str, Mapping[str, Drawn]], other: Mapping[str, Mapping[str, Drawn]]
) -> dict[str, dict[str, Drawn]]:
    return {
        name: {key: own[name][key] - other[name][key] for key in own[name] if key in other[name]}
        for name in own
        if name in other
    }


# --- as JSON -------------------------------------------------------------------------------------


def to_json(result: FieldsResult, models: Sequence[Model]) -> dict[str, Any]:
    """The keys of ``metrics.json`` that only fields have."""
    bootstrap = result.fields.bootstrap
    return {
        "models": [_model_json(result, model) for model in models],
        "differences": [
            {
                "model": difference.model,
                "minus": difference.minus,
                "figures": _nested_json(bootstrap, difference.figures),
            }
            for difference in differences(result)
        ],
    }


def _model_json(result: FieldsResult, model: Model) -> dict[str, Any]:
    bootstrap = result.fields.bootstrap
    head = {"name": model.name, "kind": model.kind, "sha256": model.sha256}
    if model.name in result.detectors:
        found = result.detectors[model.name]
        return {
            **head,
            "classes": _nested_json(bootstrap, found.figures.by_class),
            "mean": _figures_json(bootstrap, found.mean),
            "stress": _nested_json(bootstrap, found.stress) or None,
        }
    whole = result.pipelines[model.name]
    return {
        **head,
        "cells": _figures_json(bootstrap, whole.figures),
        "confusion": {
            "rows": [*whole.scheme.names, NO_CELL],
            "columns": [*whole.scheme.names, UNIDENTIFIED, MISSED],
            "counts": whole_pipeline.matrix_of(whole.calls).tolist(),
        },
        "stress": _nested_json(bootstrap, whole.stress) or None,
    }


def _figures_json(bootstrap: GroupBootstrap, figures: Mapping[str, Drawn]) -> dict[str, Any]:
    return {key: bootstrap.figure(drawn).to_json() for key, drawn in figures.items()}


def _nested_json(
    bootstrap: GroupBootstrap, figures: Mapping[str, Mapping[str, Drawn]]
) -> dict[str, Any]:
    return {name: _figures_json(bootstrap, own) for name, own in figures.items()}
