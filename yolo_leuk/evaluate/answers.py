"""What models say of samples, and what is known of these: what every figure is computed of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.labels import LabelScheme
from yolo_leuk.probabilities import Probabilities, softmax
from yolo_leuk.records import Sample

Unit = Literal["cells", "images"]
Bools = npt.NDArray[np.bool_]

# Of a probability whose logarithm is taken: one cell that is wholly sure must not outvote all.
_LEAST = 1e-9


@dataclass(frozen=True)
class Answer:
    """What a model says of n samples.

    Attributes:
        probabilities: Shape (n, classes), rows summing to 1.
        is_called: False where the model leaves a sample unidentified, shape (n,); None for a model
            that was not asked, as a table of probabilities.
    """

    probabilities: Probabilities
    is_called: Bools | None = None

    @cached_property
    def calls(self) -> npt.NDArray[np.int64]:
        """The most probable class of each sample, unidentified or not, shape (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)


@dataclass(frozen=True)
class Truth:
    """What is known of n samples.

    Attributes:
        unit: What a sample is.
        scheme: The classes.
        samples: Rows of the manifest; of a picture with several cells the first one.
        class_ids: Shape (n,).
        bootstrap: Over their groups.
    """

    unit: Unit
    scheme: LabelScheme
    samples: tuple[Sample, ...]
    class_ids: npt.NDArray[np.int64]
    bootstrap: GroupBootstrap

    @cached_property
    def is_blast(self) -> Bools:
        """Whether each sample is of a blast class, shape (n,)."""
        return np.isin(self.class_ids, self.scheme.blast_ids)


@dataclass(frozen=True)
class Answers:
    """What several models say of the same samples.

    Attributes:
        truth: Of the samples.
        by_model: Name of a model to its answer, in the order in which models were named.
    """

    truth: Truth
    by_model: Mapping[str, Answer]


def truth_of(held_out: HeldOut, *, draws: int, seed: int) -> Truth:
    """Truth of the samples of a classification data set."""
    unit: Unit = "cells" if held_out.data.level == "cell" else "images"
    return _truth(unit, held_out.scheme, held_out.samples, held_out.class_ids, draws, seed)


def per_image(answers: Answers, *, draws: int, seed: int) -> Answers | None:
    """Answers for pictures, of those for their cells: the softmax of their mean log-probability.

    Pictures whose cells are of several classes have none of their own, and are left out. A picture
    is called where most of its cells are.

    Returns:
        None where no picture holds more than one cell.
    """
    truth = answers.truth
    rows_of = _rows_of_pictures(truth.samples)
    if max(map(len, rows_of)) < 2:
        return None
    whole = [rows for rows in rows_of if len(set(truth.class_ids[rows])) == 1]
    if not whole:
        return None
    first = [rows[0] for rows in whole]
    picture_of = np.repeat(np.arange(len(whole)), [len(rows) for rows in whole])
    rows = np.concatenate(whole)
    by_model = {
        name: _gathered(answer, rows, picture_of, len(whole))
        for name, answer in answers.by_model.items()
    }
    samples = tuple(truth.samples[row] for row in first)
    of_pictures = _truth("images", truth.scheme, samples, truth.class_ids[first], draws, seed)
    return Answers(of_pictures, by_model)


def mean_log_probability(
    probabilities: Probabilities, picture_of: npt.NDArray[np.int64], pictures: int
) -> Probabilities:
    """The softmax of the mean logarithm over the cells of each picture, shape (pictures, classes).

    Args:
        probabilities: Of cells, shape (n, classes).
        picture_of: Number of each cell's picture, shape (n,).
        pictures: How many there are; each has a cell.
    """
    sums = np.zeros((pictures, probabilities.shape[1]))
    np.add.at(sums, picture_of, np.log(np.maximum(probabilities, _LEAST)))
    return softmax(sums / np.bincount(picture_of, minlength=pictures)[:, None])


def _gathered(
    answer: Answer, rows: npt.NDArray[np.int64], picture_of: npt.NDArray[np.int64], pictures: int
) -> Answer:
    p = mean_log_probability(answer.probabilities[rows], picture_of, pictures)
    if answer.is_called is None:
        return Answer(p)
    cells = np.bincount(picture_of, minlength=pictures)
    called = np.bincount(picture_of, weights=answer.is_called[rows], minlength=pictures)
    return replace(answer, probabilities=p, is_called=called > cells / 2)


def _rows_of_pictures(samples: Sequence[Sample]) -> list[list[int]]:
    """Rows of the cells of each picture; cells of one have its file's SHA-256."""
    rows_of: dict[str, list[int]] = {}
    for row, sample in enumerate(samples):
        rows_of.setdefault(sample.sha256, []).append(row)
    return list(rows_of.values())


def _truth(
    unit: Unit,
    scheme: LabelScheme,
    samples: tuple[Sample, ...],
    class_ids: npt.NDArray[np.int64],
    draws: int,
    seed: int,
) -> Truth:
    bootstrap = GroupBootstrap(
        [sample.group for sample in samples],
        strata=[sample.label for sample in samples],
        draws=draws,
        seed=seed,
    )
    return Truth(unit, scheme, samples, class_ids, bootstrap)
