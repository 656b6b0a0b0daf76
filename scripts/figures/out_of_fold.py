"""Nets of all folds under stress: each asked about the fold that it has not learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KNeighborsClassifier

from yolo_leuk.backends.net import open_net
from yolo_leuk.bootstrap import Figure, GroupBootstrap
from yolo_leuk.colour_numbers import colour_numbers
from yolo_leuk.confusion import weighted_f1
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.showing import Showing, inputs_of
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS, SWAPPED
from yolo_leuk.evaluate.voters import Voter
from yolo_leuk.probabilities import Probabilities

EQUAL = "equal vote"

_DRAWS = 1000
_AT_ONCE = 256


def under_stress(held_out: HeldOut, members: Mapping[str, Path]) -> dict[str, Any]:
    """Weighted F1 of each net and of their equal vote under each condition.

    Args:
        held_out: All samples that are not test.
        members: Runs of all folds, by net.

    Returns:
        ``stress``: by condition and net, figures with intervals over groups. ``colour_alone``: of a
        nearest neighbour on eleven numbers of colour, fitted to the other folds.
    """
    folds = np.array([sample.fold for sample in held_out.samples])
    voters = {
        name: {
            int(fold): Voter(open_net(run / f"fold{fold}" / "weights" / "best.onnx"))
            for fold in np.unique(folds)
        }
        for name, run in members.items()
    }
    figure = _Weighted(held_out)
    stress = {}
    for condition in CONDITIONS:
        answers = _answers(held_out, voters, folds, condition)
        answers[EQUAL] = np.mean(list(answers.values()), axis=0)
        stress[condition] = {
            name: figure.of(p.argmax(axis=1)).to_json() for name, p in answers.items()
        }
    return {
        "stress": stress,
        "colour_alone": {
            condition: figure.of(_by_colour(held_out, folds, condition)).to_json()
            for condition in (CLEAN, SWAPPED)
        },
    }


class _Weighted:
    """Weighted F1 of calls of the samples, with its interval over groups."""

    def __init__(self, held_out: HeldOut) -> None:
        self._labels, self._classes = held_out.class_ids, len(held_out.scheme)
        self._bootstrap = GroupBootstrap(
            [sample.group for sample in held_out.samples],
            strata=[sample.label for sample in held_out.samples],
            draws=_DRAWS,
        )

    def of(self, calls: npt.NDArray[np.int64]) -> Figure:
        size = self._classes
        cells = self._bootstrap.tallies(self._labels * size + calls, size * size)
        return self._bootstrap.figure(weighted_f1(cells.reshape(-1, size, size)))


def _answers(
    held_out: HeldOut,
    voters: Mapping[str, Mapping[int, Voter]],
    folds: npt.NDArray[np.int64],
    condition: str,
) -> dict[str, Probabilities]:
    """Calibrated probabilities of each net, shape (n, classes), in the order of the samples."""
    showing = Showing(held_out)
    shape = (len(held_out.samples), len(held_out.scheme))
    answers = {name: np.zeros(shape) for name in voters}
    for fold in np.unique(folds):
        for numbers in _blocks(np.flatnonzero(folds == fold)):
            shown = showing.under(CONDITIONS[condition], numbers.tolist())
            for name, of_folds in voters.items():
                voter = of_folds[int(fold)]
                answers[name][numbers] = voter.answer(inputs_of(shown, voter.card)).probabilities
    return answers


def _by_colour(
    held_out: HeldOut, folds: npt.NDArray[np.int64], condition: str
) -> npt.NDArray[np.int64]:
    """Classes by the nearest neighbour in colour among the other folds, shape (n,)."""
    labels, calls = held_out.class_ids, np.zeros(len(folds), np.int64)
    known, asked = _numbers(held_out, CLEAN), _numbers(held_out, condition)
    for fold in np.unique(folds):
        of_fold = folds == fold
        nearest = KNeighborsClassifier(n_neighbors=1).fit(known[~of_fold], labels[~of_fold])
        calls[of_fold] = nearest.predict(asked[of_fold])
    return calls


def _numbers(held_out: HeldOut, condition: str) -> npt.NDArray[np.float32]:
    showing = Showing(held_out)
    return np.stack(
        [
            colour_numbers(rgb.reshape(-1, 3))
            for numbers in _blocks(np.arange(len(held_out.samples)))
            for rgb in showing.under(CONDITIONS[condition], numbers.tolist())
        ]
    )


def _blocks(numbers: npt.NDArray[np.int64]) -> Sequence[npt.NDArray[np.int64]]:
    return np.split(numbers, np.arange(_AT_ONCE, len(numbers), _AT_ONCE))
