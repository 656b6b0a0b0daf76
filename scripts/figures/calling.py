"""Figures of the classifier: are the cells called rightly, and is it more than their colour?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from figures.sources import BoxedImage, CellImage
from yolo_leuk.bootstrap import over_groups
from yolo_leuk.cell_classifier import classify
from yolo_leuk.colour_numbers import colour_numbers as numbers_of_pixels
from yolo_leuk.images import load_image
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.records import Image
from yolo_leuk.train.cells import CellPicture, CellRecipe, CellVariation


def cells_of_held_out_groups(
    pipeline: Pipeline, training: Sequence[CellPicture], test: Sequence[CellPicture]
) -> dict[str, Any]:
    """Weighted F1 on the test split, colours swapped and clean, beside colour alone."""
    size = pipeline.classifier.card.input_px
    variation = CellVariation(test, CellRecipe(size_px=size))
    plain = np.stack([variation.plain(cell) for cell in test])
    swapped = np.stack(
        [variation.swapped(cell, np.random.default_rng([1, i])) for i, cell in enumerate(test)]
    )
    labels = np.array([cell.class_id for cell in test])
    groups = [cell.sample.group for cell in test]
    strata = [cell.sample.label for cell in test]
    colour_only = fitted_colour_classifier(
        [colour_numbers(variation.plain(cell)) for cell in training],
        [cell.class_id for cell in training],
    )
    called = {
        "swapped": classify(pipeline.classifier, swapped).probabilities.argmax(axis=1),
        "clean": classify(pipeline.classifier, plain).probabilities.argmax(axis=1),
        "colour_only_swapped": colour_only.predict([colour_numbers(p) for p in swapped]),
        "colour_only_clean": colour_only.predict([colour_numbers(p) for p in plain]),
    }

    def f1_of(calls: npt.NDArray[np.int64]) -> Callable[[npt.NDArray[np.int64]], float]:
        return lambda rows: _weighted_f1(labels[rows], calls[rows])

    def difference(condition: str) -> Callable[[npt.NDArray[np.int64]], float]:
        ours, theirs = f1_of(called[condition]), f1_of(called[f"colour_only_{condition}"])
        return lambda rows: ours(rows) - theirs(rows)

    result: dict[str, Any] = {
        name: over_groups(f1_of(calls), groups, strata=strata).to_json()
        for name, calls in called.items()
    }
    for condition in ("swapped", "clean"):
        above = over_groups(difference(condition), groups, strata=strata)
        result[f"{condition}_above_colour_only"] = above.to_json()
    result["malignant_called_blast"] = _malignant_called_blast(pipeline, test, plain)
    return result


def colour_numbers(rgb: Image) -> npt.NDArray[np.float32]:
    """Eleven numbers of a picture: colour of its brightest and darkest tenth, five percentiles."""
    return numbers_of_pixels(rgb.reshape(-1, 3))


def fitted_colour_classifier(
    numbers: Sequence[npt.NDArray[np.float32]], class_ids: Sequence[int]
) -> KNeighborsClassifier:
    """Nearest neighbour on :func:`colour_numbers`: what colour alone tells of the class."""
    return KNeighborsClassifier(n_neighbors=1).fit(np.stack(numbers), class_ids)


def called_blast_in_fields(pipeline: Pipeline, pictures: Sequence[BoxedImage]) -> dict[str, Any]:
    """Share of the white cells that ``detect`` finds in fields and calls a blast."""
    calls, groups, unidentified = [], [], 0
    for picture in pictures:
        result = pipeline.run(load_image(picture.path), picture.path.name, view="field")
        for cell in result.cells:
            unidentified += cell.status != "called"
            calls.append(cell.label in pipeline.labels.blasts)
            groups.append(picture.path.name)
    return {**_share(calls, groups), "unidentified": unidentified}


def called_blast_in_cells(pipeline: Pipeline, pictures: Sequence[CellImage]) -> dict[str, Any]:
    """Share of fields with one white cell in which a cell is called a blast."""
    return called_blast_in_fields(
        pipeline,
        [BoxedImage(p.path, {}, np.zeros((0, 4), np.float32)) for p in pictures],
    )


def blast_auroc(pipeline: Pipeline, pictures: Sequence[CellImage]) -> dict[str, Any]:
    """AUROC of blast against normal on pictures of single cells, interval over subjects."""
    score, unidentified = [], 0
    for picture in pictures:
        result = pipeline.run(load_image(picture.path), picture.path.name, view="cell")
        score.append(result.cells[0].blast_probability)
        unidentified += result.cells[0].status != "called"
    truth = np.array([picture.is_blast for picture in pictures])
    scores = np.array(score)
    figure = over_groups(
        lambda rows: float(roc_auc_score(truth[rows], scores[rows])),
        [picture.subject for picture in pictures],
        strata=[str(picture.is_blast) for picture in pictures],
    )
    return {"auroc": figure.to_json(), "unidentified": unidentified}


def _malignant_called_blast(
    pipeline: Pipeline, test: Sequence[CellPicture], plain: npt.NDArray[np.uint8]
) -> dict[str, Any]:
    scheme = pipeline.labels
    malignant = np.flatnonzero([cell.sample.label in scheme.blasts for cell in test])
    answers = classify(pipeline.classifier, plain[malignant])
    is_blast = np.isin(answers.probabilities.argmax(axis=1), scheme.blast_ids)
    calls = list(is_blast & answers.is_called)
    groups = [test[int(i)].sample.group for i in malignant]
    return {**_share(calls, groups), "unidentified": int((~answers.is_called).sum())}


def _share(calls: Sequence[bool], groups: Sequence[str]) -> dict[str, Any]:
    values = np.array(calls, float)
    if not len(values):
        return {"share": None, "cells": 0}
    share = over_groups(lambda rows: float(values[rows].mean()), groups, draws=1000)
    return {"share": share.to_json(), "cells": len(values)}


def _weighted_f1(labels: npt.NDArray[np.int64], called: npt.NDArray[np.int64]) -> float:
    return float(f1_score(labels, called, average="weighted", zero_division=0))
