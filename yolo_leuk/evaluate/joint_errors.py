"""Who is wrong where: what all models get wrong, and what one alone gets right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.evaluate.answers import Answers


@dataclass(frozen=True)
class Confused:
    """Samples of one class that all models get wrong, and most call the same.

    Attributes:
        label: What they are.
        called: What most of the models call them.
        rows: Which samples, those first of which the models are surest.
    """

    label: str
    called: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class JointErrors:
    """Wrong calls of several models on the same samples.

    Attributes:
        wrong_models: Number of models to the number of samples that so many get wrong.
        right_alone: Model to the number of samples that it alone gets right; of one model alone
            nothing is told.
        confused: What all get wrong, most frequent first.
    """

    wrong_models: dict[int, int]
    right_alone: dict[str, int]
    confused: tuple[Confused, ...]

    def to_json(self) -> dict[str, Any]:
        """Counts, by name."""
        return {
            "samples_by_wrong_models": {str(k): v for k, v in self.wrong_models.items()},
            "right_alone": self.right_alone,
            "all_wrong": [
                {"label": c.label, "called": c.called, "samples": len(c.rows)}
                for c in self.confused
            ],
        }


def joint_errors(answers: Answers) -> JointErrors:
    """Compare the calls of all models, unidentified ones too."""
    is_right = right_calls(answers)
    wrong = (~is_right).sum(axis=0)
    models = len(is_right)
    return JointErrors(
        wrong_models={number: int((wrong == number).sum()) for number in range(models + 1)},
        right_alone=_right_alone(answers, is_right) if models > 1 else {},
        confused=_confused(answers, wrong == models),
    )


def right_calls(answers: Answers) -> npt.NDArray[np.bool_]:
    """Whether each model is right on each sample, shape (models, n)."""
    calls = np.stack([answer.calls for answer in answers.by_model.values()])
    return np.asarray(calls == answers.truth.class_ids)


def _right_alone(answers: Answers, is_right: npt.NDArray[np.bool_]) -> dict[str, int]:
    alone = is_right & (is_right.sum(axis=0) == 1)
    return {name: int(rows.sum()) for name, rows in zip(answers.by_model, alone, strict=True)}


def _confused(answers: Answers, all_wrong: npt.NDArray[np.bool_]) -> tuple[Confused, ...]:
    names = answers.truth.scheme.names
    mean = np.mean([answer.probabilities for answer in answers.by_model.values()], axis=0)
    rows_of: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(all_wrong):
        called = _most_frequent([int(a.calls[row]) for a in answers.by_model.values()])
        rows_of.setdefault((int(answers.truth.class_ids[row]), called), []).append(int(row))
    found = [
        Confused(names[label], names[called], _surest_first(rows, mean[:, called]))
        for (label, called), rows in rows_of.items()
    ]
    return tuple(sorted(found, key=lambda c: (-len(c.rows), c.label, c.called)))


def _most_frequent(calls: list[int]) -> int:
    """The first of the most frequent ones."""
    return Counter(calls).most_common(1)[0][0]


def _surest_first(rows: list[int], probability: npt.NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(sorted(rows, key=lambda row: -probability[row]))
