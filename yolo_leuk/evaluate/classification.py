"""Everything that is measured of classifiers on one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.confusion import confusion_matrices
from yolo_leuk.evaluate.answers import Answer, Answers, Truth, per_image, truth_of
from yolo_leuk.evaluate.asking import answers_of_tables, asked
from yolo_leuk.evaluate.coverage import errors_at
from yolo_leuk.evaluate.figures import ClassifierFigures, Drawn, figures_of
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.joint_errors import JointErrors, joint_errors
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.reliability import Bins, bins_of
from yolo_leuk.evaluate.shortcuts import ColourOnly, colour_only
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS, PAINTED_OUT, WITHOUT_CELLS
from yolo_leuk.evaluate.subjects import Subject, auroc_over_subjects, subjects_of
from yolo_leuk.records import Ints

STRESSED = ("weighted_f1", "balanced_accuracy", "blast_auroc")
"""Keys of the figures that are given under each condition."""


@dataclass(frozen=True)
class UnitResult:
    """What is measured on cells, or on pictures.

    Attributes:
        answers: What the models say.
        figures: By model.
        coverage: By model: share of wrong calls by share of samples that are called.
        reliability: By model: how often it is right, by how sure it is.
        errors: Who is wrong where.
    """

    answers: Answers
    figures: Mapping[str, ClassifierFigures]
    coverage: Mapping[str, Mapping[float, Drawn]]
    reliability: Mapping[str, Bins]
    errors: JointErrors

    @property
    def truth(self) -> Truth:
        """Of the samples."""
        return self.answers.truth

    def difference(self, model: str, other: str) -> dict[str, Drawn]:
        """Figures of one model less those of another on the same draws, where both have them."""
        own, less = self.figures[model].overall, self.figures[other].overall
        return {key: own[key] - less[key] for key in own if key in less}


@dataclass(frozen=True)
class SubjectsResult:
    """What is measured on patients.

    Attributes:
        subjects: All that are named.
        auroc: Of their mean blast probability; None where there are not both kinds.
        bootstrap: Over the groups of the patients.
    """

    subjects: tuple[Subject, ...]
    auroc: Drawn | None
    bootstrap: GroupBootstrap | None


@dataclass(frozen=True)
class StressResult:
    """What is measured under conditions.

    Attributes:
        figures: By condition, model and key of :data:`STRESSED`; white cells painted out are the
            last condition.
        colour_only: Of a classifier that sees colour alone, by condition; None without another
            split to learn from.
        learnt_from: How many samples it learnt from.
        above_colour_only: By model and condition: weighted F1 less that of colour alone.
    """

    figures: Mapping[str, Mapping[str, Mapping[str, Drawn]]]
    colour_only: Mapping[str, Mapping[str, Drawn]] | None
    learnt_from: int
    above_colour_only: Mapping[str, Mapping[str, Drawn]]


@dataclass(frozen=True)
class ClassificationResult:
    """What is measured of classifiers.

    Attributes:
        units: As the data set has its samples; then per picture, where those are cells.
        subjects: By model; empty where no patient is named or no class is a blast.
        stress: None where it was not asked for, or only tables were named.
    """

    units: tuple[UnitResult, ...]
    subjects: Mapping[str, SubjectsResult]
    stress: StressResult | None


def measured(
    models: Sequence[Model],
    held_out: HeldOut,
    *,
    stress: bool,
    draws: int,
    seed: int,
    progress: bool = False,
) -> ClassificationResult:
    """Ask all models and measure what they say.

    Raises:
        DataError: A picture cannot be read, or is not what the manifest says.
        ModelError: A net cannot be run.
    """
    truth = truth_of(held_out, draws=draws, seed=seed)
    clean = {CLEAN: CONDITIONS[CLEAN]}
    conditions = {**CONDITIONS, PAINTED_OUT: WITHOUT_CELLS} if stress else clean
    found = asked(models, held_out, conditions, progress=progress)
    known = {**found.get(CLEAN, {}), **answers_of_tables(models)}
    answers = Answers(truth, {model.name: known[model.name] for model in models})
    pictures = per_image(answers, draws=draws, seed=seed)
    return ClassificationResult(
        tuple(_unit(some) for some in (answers, pictures) if some is not None),
        _subjects(answers, draws, seed),
        _stress(truth, found, colour_only(held_out)) if stress and found else None,
    )


def _unit(answers: Answers) -> UnitResult:
    truth, by_model = answers.truth, answers.by_model
    return UnitResult(
        answers,
        {name: figures_of(truth, answer) for name, answer in by_model.items()},
        {name: errors_at(truth, answer) for name, answer in by_model.items()},
        {name: bins_of(truth, answer) for name, answer in by_model.items()},
        joint_errors(answers),
    )


def _subjects(answers: Answers, draws: int, seed: int) -> dict[str, SubjectsResult]:
    found = {}
    for name, answer in answers.by_model.items():
        subjects = subjects_of(answers.truth, answer)
        if subjects:
            drawn = auroc_over_subjects(subjects, draws=draws, seed=seed)
            bootstrap, auroc = drawn if drawn is not None else (None, None)
            found[name] = SubjectsResult(tuple(subjects), auroc, bootstrap)
    return found


def _stress(
    truth: Truth, found: Mapping[str, Mapping[str, Answer]], colour: ColourOnly | None
) -> StressResult:
    figures = {
        condition: {name: _stressed(truth, answer) for name, answer in answers.items()}
        for condition, answers in found.items()
    }
    of_colour = (
        {condition: _stressed(truth, answer) for condition, answer in colour.by_condition.items()}
        if colour is not None
        else {}
    )
    above = {
        name: {
            condition: figures[condition][name]["weighted_f1"] - alone["weighted_f1"]
            for condition, alone in of_colour.items()
        }
        for name in figures[CLEAN]
    }
    return StressResult(
        figures,
        of_colour or None,
        0 if colour is None else colour.learnt_from,
        above if of_colour else {},
    )


def _stressed(truth: Truth, answer: Answer) -> dict[str, Drawn]:
    overall = figures_of(truth, answer).overall
    return {key: overall[key] for key in STRESSED if key in overall}


# --- as JSON -------------------------------------------------------------------------------------


def to_json(result: ClassificationResult, models: Sequence[Model]) -> dict[str, Any]:
    """The keys of ``metrics.json`` that only classification has."""
    first = models[0].name
    return {
        "models": [
            {
                "name": model.name,
                "kind": model.kind,
                "sha256": model.sha256,
                "units": {u.truth.unit: _unit_json(u, model.name) for u in result.units},
                "subjects": _subjects_json(result.subjects.get(model.name)),
                "stress": _stress_json(result, model.name),
            }
            for model in models
        ],
        "differences": [
            {
                "model": model.name,
                "minus": first,
                "units": {
                    u.truth.unit: _figures_json(u.truth.bootstrap, u.difference(model.name, first))
                    for u in result.units
                },
            }
            for model in models[1:]
        ],
        "errors": {u.truth.unit: u.errors.to_json() for u in result.units},
        "shortcuts": _shortcuts_json(result),
    }


def _figures_json(bootstrap: GroupBootstrap, figures: Mapping[str, Drawn]) -> dict[str, Any]:
    return {key: bootstrap.figure(drawn).to_json() for key, drawn in figures.items()}


def _unit_json(unit: UnitResult, model: str) -> dict[str, Any]:
    bootstrap, figures = unit.truth.bootstrap, unit.figures[model]
    return {
        "figures": _figures_json(bootstrap, figures.overall),
        "classes": {
            name: _figures_json(bootstrap, of_class) for name, of_class in figures.by_class.items()
        },
        "confusion": confusion_of(unit, model).tolist(),
        "coverage": [
            {"coverage": coverage, "error": bootstrap.figure(drawn).to_json()}
            for coverage, drawn in unit.coverage[model].items()
        ],
        "reliability": unit.reliability[model].to_json(),
    }


def confusion_of(unit: UnitResult, model: str) -> Ints:
    """Samples by class (rows) and by what a model calls them, unidentified ones too (columns)."""
    truth = unit.truth
    return confusion_matrices(
        truth.class_ids, unit.answers.by_model[model].calls, len(truth.scheme)
    )


def _subjects_json(found: SubjectsResult | None) -> dict[str, Any] | None:
    if found is None:
        return None
    auroc = None
    if found.auroc is not None and found.bootstrap is not None:
        auroc = found.bootstrap.figure(found.auroc).to_json()
    return {"auroc": auroc, "list": [subject.to_json() for subject in found.subjects]}


def _stress_json(result: ClassificationResult, model: str) -> dict[str, Any] | None:
    stress, bootstrap = result.stress, result.units[0].truth.bootstrap
    if stress is None or model not in stress.figures[CLEAN]:
        return None
    return {name: _figures_json(bootstrap, of[model]) for name, of in stress.figures.items()}


def _shortcuts_json(result: ClassificationResult) -> dict[str, Any] | None:
    stress, bootstrap = result.stress, result.units[0].truth.bootstrap
    if stress is None or stress.colour_only is None:
        return None
    return {
        "learnt_from": stress.learnt_from,
        "colour_only": {
            condition: _figures_json(bootstrap, figures)
            for condition, figures in stress.colour_only.items()
        },
        "weighted_f1_above_colour_only": {
            model: _figures_json(bootstrap, of_model)
            for model, of_model in stress.above_colour_only.items()
        },
    }
