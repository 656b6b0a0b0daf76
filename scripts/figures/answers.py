"""Figures of a table of probabilities: per cell, and per picture that the cells come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from yolo_leuk.bootstrap import Figure, over_groups
from yolo_leuk.calibration import expected_calibration_error
from yolo_leuk.evaluate.answers import mean_log_probability
from yolo_leuk.labels import LabelScheme
from yolo_leuk.probabilities import ProbabilityTable

_DRAWS = 1000


def figures_of(table: ProbabilityTable, scheme: LabelScheme) -> dict[str, Any]:
    """Weighted F1, balanced accuracy, calibration error, and AUROC of blast against normal."""
    labels, probabilities = table.class_ids, table.probabilities
    groups = [sample.group for sample in table.samples]
    strata = [sample.label for sample in table.samples]
    called = probabilities.argmax(axis=1)

    def f1(rows: npt.NDArray[np.int64]) -> float:
        return float(f1_score(labels[rows], called[rows], average="weighted", zero_division=0))

    def balanced(rows: npt.NDArray[np.int64]) -> float:
        return float(balanced_accuracy_score(labels[rows], called[rows]))

    found: dict[str, Figure] = {
        "weighted_f1": over_groups(f1, groups, strata=strata, draws=_DRAWS),
        "balanced_accuracy": over_groups(balanced, groups, strata=strata, draws=_DRAWS),
    }
    blast = np.isin(labels, scheme.blast_ids)
    if blast.any() and not blast.all():
        score = probabilities[:, scheme.blast_ids].sum(axis=1)

        def auroc(rows: npt.NDArray[np.int64]) -> float:
            return float(roc_auc_score(blast[rows], score[rows]))

        found["blast_auroc"] = over_groups(auroc, groups, strata=strata, draws=_DRAWS)
    ece = round(expected_calibration_error(probabilities, labels), 4)
    return {**{name: figure.to_json() for name, figure in found.items()}, "ece": ece}


def per_picture(table: ProbabilityTable, picture_of: Mapping[str, str]) -> ProbabilityTable:
    """One row for each picture: the softmax of the mean log-probability of its cells.

    Args:
        table: A row for each cell.
        picture_of: What tells a cell's picture, by sample id, for instance the file's SHA-256.
    """
    pictures = [picture_of[sample.sample_id] for sample in table.samples]
    numbers = {picture: number for number, picture in enumerate(dict.fromkeys(pictures))}
    number_of = np.array([numbers[picture] for picture in pictures], np.int64)
    first = np.unique(number_of, return_index=True)[1]
    return ProbabilityTable(
        tuple(table.samples[int(row)] for row in first),
        table.classes,
        mean_log_probability(table.probabilities, number_of, len(numbers)),
    )


def row_of(title: str, net: str, found: Mapping[str, Any]) -> str:
    """Line of a Markdown table: weighted F1 with colours swapped and clean, AUROC of blasts."""
    return (
        f"| {title} | {net} | {_cell(found['swapped'], 'weighted_f1')} | "
        f"{_cell(found['clean'], 'weighted_f1')} | {_cell(found['clean'], 'blast_auroc')} |"
    )


def _cell(figures: Mapping[str, Any], key: str) -> str:
    if key not in figures:
        return "–"
    figure = figures[key]
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"
