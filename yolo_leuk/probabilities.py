"""Logits to calibrated probabilities, the vote, and the table of probabilities on disk.

``probabilities.csv`` has a row per sample: ``sample_id, group, split, fold, label, p_<class>…``,
sorted by sample. Its probabilities are raw: the softmax of the logits at temperature 1. Whoever
votes with them fits a temperature first, and can: their logarithms are the logits but for a
constant per row, which the softmax does not see.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts
from yolo_leuk.errors import DataError
from yolo_leuk.manifest import SPLITS
from yolo_leuk.records import Sample

Probabilities = npt.NDArray[np.float64]


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Probabilities:
    """Softmax of ``logits / temperature`` over the last axis; rows sum to 1.

    A temperature fitted on data that training did not see makes the probabilities honest:
    Guo C, Pleiss G, Sun Y, Weinberger KQ. ICML 2017 (arXiv:1706.04599).
    """
    scaled = np.asarray(logits, np.float64) / temperature
    shifted = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def logits_of(probabilities: npt.ArrayLike) -> Probabilities:
    """Logits that :func:`softmax` makes these probabilities of: their logarithms.

    A probability of 0, which no finite logit has, counts as the smallest normal number.
    """
    p = np.asarray(probabilities, np.float64)
    return np.asarray(np.log(np.maximum(p, np.finfo(np.float64).tiny)))


def vote(probabilities: npt.NDArray[Any], weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The soft vote: the weighted mean over members.

    Args:
        probabilities: Of each member, calibrated, shape (m, …); as a rule (m, n, classes).
        weights: None below 0, summing to 1 over the last axis, shape (*w, m).

    Returns:
        Shape (*w, …). With many weights that is large: whoever searches hands them in by parts.
    """
    return np.tensordot(weights, probabilities, axes=1)


def calibrated_vote(
    logits: npt.ArrayLike,
    temperatures: npt.ArrayLike,
    weights: npt.NDArray[np.float64],
    temperature: float = 1.0,
) -> Probabilities:
    """Members' logits to the probabilities of their vote, rows summing to 1.

    Args:
        logits: Shape (m, n, classes).
        temperatures: Of the members, shape (m,).
        weights: Of the members, shape (m,).
        temperature: Of the vote itself: its logarithms are divided by it.
    """
    members = [
        softmax(own, float(t))
        for own, t in zip(np.asarray(logits), np.asarray(temperatures), strict=True)
    ]
    return softmax(logits_of(vote(np.stack(members), weights)), temperature)


def negative_log_likelihood(
    logits: npt.ArrayLike, labels: npt.NDArray[np.integer], temperature: float = 1.0
) -> float:
    """Mean of −log p of the true class; ``labels`` are class ids, shape (n,)."""
    probabilities = softmax(logits, temperature)
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: npt.ArrayLike, labels: npt.NDArray[np.integer]) -> float:
    """The temperature between 0.05 and 20 of least negative log-likelihood.

    The likelihood has one minimum in the logarithm of the temperature, so golden-section search
    finds it.
    """
    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if negative_log_likelihood(logits, labels, float(np.exp(left))) < negative_log_likelihood(
            logits, labels, float(np.exp(right))
        ):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def threshold_for_coverage(highest: npt.NDArray[np.floating], coverage: float) -> float:
    """The least top probability that still calls ``coverage`` of the cells, shape (n,) in."""
    return float(np.quantile(highest, 1 - coverage))


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share.

    Wilson EB. J Am Stat Assoc 1927;22:209-212. Unlike the usual one it stays within [0, 1] and
    says something at 0 of n.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    reach = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, float((centre - reach) / scale)), min(1.0, float((centre + reach) / scale))


# --- the table on disk ---------------------------------------------------------------------------

_SAMPLE_COLUMNS = ("sample_id", "group", "split", "fold", "label")
_CLASS_PREFIX = "p_"

# Text keeps every digit of a float64; what is left is the rounding of the softmax itself.
_ROW_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class SampleRow:
    """Which sample a row of probabilities is of; as in the manifest."""

    sample_id: str
    group: str
    split: str
    fold: int
    label: str


@dataclass(frozen=True)
class ProbabilityTable:
    """What a net says of samples that it did not learn from.

    Attributes:
        samples: One for each row.
        classes: Names, in the order of the columns.
        probabilities: At temperature 1, shape (n, classes), rows summing to 1.

    Raises:
        DataError: When built: shapes disagree, a sample stands twice, a label is no class, a split
            is unknown, or a row is no probability distribution.
    """

    samples: tuple[SampleRow, ...]
    classes: tuple[str, ...]
    probabilities: Probabilities

    def __post_init__(self) -> None:
        expected = (len(self.samples), len(self.classes))
        if self.probabilities.shape != expected:
            raise DataError(
                f"expected probabilities of shape {expected}, got {self.probabilities.shape}"
            )
        seen: set[str] = set()
        for sample, row in zip(self.samples, self.probabilities, strict=True):
            if sample.sample_id in seen:
                raise DataError(f"sample {sample.sample_id} stands twice in the probabilities")
            seen.add(sample.sample_id)
            _check_row(sample, row, self.classes)

    @property
    def class_ids(self) -> npt.NDArray[np.int64]:
        """Position of each sample's label among the classes, shape (n,)."""
        position = {name: i for i, name in enumerate(self.classes)}
        return np.array([position[sample.label] for sample in self.samples], np.int64)


def _check_row(sample: SampleRow, row: Probabilities, classes: Sequence[str]) -> None:
    if sample.label not in classes:
        raise DataError(
            f"the label of {sample.sample_id} is {sample.label!r}; "
            f"the classes are {', '.join(classes)}"
        )
    if sample.split not in SPLITS:
        raise DataError(
            f"the split of {sample.sample_id} is {sample.split!r}, not one of {', '.join(SPLITS)}"
        )
    if not (row >= 0).all() or not abs(float(row.sum()) - 1) <= _ROW_SUM_TOLERANCE:
        raise DataError(
            f"the probabilities of {sample.sample_id} are {', '.join(f'{p:g}' for p in row)}; "
            "expected none below 0 and a sum of 1"
        )


def table_of(
    samples: Sequence[Sample], classes: Sequence[str], logits: npt.ArrayLike
) -> ProbabilityTable:
    """The table of a net's logits, shape (n, classes), for samples of a manifest."""
    rows = tuple(SampleRow(s.sample_id, s.group, s.split, s.fold, s.label) for s in samples)
    return ProbabilityTable(rows, tuple(classes), softmax(logits))


def gathered(tables: Sequence[ProbabilityTable]) -> ProbabilityTable:
    """One table of several with different samples, as the folds of a data set have them.

    Raises:
        DataError: They have other classes, or a sample stands in two.
    """
    classes = tables[0].classes
    if other := next((table.classes for table in tables if table.classes != classes), None):
        raise DataError(
            f"expected tables of the same classes, got {', '.join(classes)} and {', '.join(other)}"
        )
    return ProbabilityTable(
        tuple(sample for table in tables for sample in table.samples),
        classes,
        np.concatenate([table.probabilities for table in tables]),
    )


def write_probabilities(path: Path, table: ProbabilityTable) -> None:
    """Write a table, sorted by sample, so that the same answers give the same bytes.

    Raises:
        OutputError: The file cannot be written.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_SAMPLE_COLUMNS, *(_CLASS_PREFIX + name for name in table.classes)])
    rows = zip(table.samples, table.probabilities.tolist(), strict=True)
    for sample, row in sorted(rows, key=lambda pair: pair[0].sample_id):
        own = (sample.sample_id, sample.group, sample.split, sample.fold, sample.label)
        writer.writerow([*own, *(repr(p) for p in row)])
    artifacts.write_text(path, stream.getvalue())


def read_probabilities(path: Path) -> ProbabilityTable:
    """Read and check a table. Raises DataError where it is missing or breaks its schema."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"cannot read the probabilities {path}: {error}",
            hint="Give a probabilities.csv that `yolo-leuk train` wrote.",
        ) from error
    first, names = tuple(header[: len(_SAMPLE_COLUMNS)]), header[len(_SAMPLE_COLUMNS) :]
    if first != _SAMPLE_COLUMNS or not names or not all(n.startswith(_CLASS_PREFIX) for n in names):
        raise DataError(
            f"{path}: expected the columns {', '.join(_SAMPLE_COLUMNS)}, {_CLASS_PREFIX}<class>…; "
            f"found {', '.join(header) or 'none'}"
        )
    samples, probabilities = [], []
    for number, row in enumerate(rows, 2):
        where = f"{path}, line {number}"
        if len(row) != len(header):
            raise DataError(f"{where}: expected {len(header)} values, found {len(row)}")
        sample_id, group, split, fold, label, *values = row
        try:
            samples.append(SampleRow(sample_id, group, split, int(fold), label))
            probabilities.append([float(value) for value in values])
        except ValueError as error:
            raise DataError(f"{where}: {error}") from error
    try:
        return ProbabilityTable(
            tuple(samples),
            tuple(name.removeprefix(_CLASS_PREFIX) for name in names),
            np.array(probabilities, np.float64).reshape(len(samples), len(names)),
        )
    except DataError as error:
        raise DataError(f"{path}: {error}", hint=error.hint) from error
