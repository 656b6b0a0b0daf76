"""The data set that a training takes, checked before the run writes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk import artifacts
from yolo_leuk.dataset import CARD, SCHEMA, DataSet, check_pictures, read_dataset
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import Sample
from yolo_leuk.train.folds import divided
from yolo_leuk.train.weak_labels import WeakLabels, doubted

DATASETS = Path("datasets")


@dataclass(frozen=True)
class TrainingData(DataSet):
    """What a data set says of itself, and which of its samples a run takes.

    Attributes:
        training: Samples to learn from.
        doubted: Number of samples that are not, for their weak labels.
        validation: Samples to be measured on.
    """

    training: tuple[Sample, ...]
    doubted: int
    validation: tuple[Sample, ...]

    def part(self, name: str) -> tuple[Sample, ...]:
        """The samples to learn from (``train``) or to be measured on (``val``)."""
        return {"train": self.training, "val": self.validation}[name]


def newest_dataset(task: str, root: Path = DATASETS) -> Path:
    """The data set of a task that was prepared last. Raises UsageError where there is none."""
    found = [
        (card.stat().st_mtime, card.parent)
        for card in root.glob(f"*/{CARD}")
        if artifacts.read_json(card, schema=SCHEMA)["task"] == task
    ]
    if not found:
        raise UsageError(
            f"no data set for {task} lies under {root}",
            hint=f"Make one with `yolo-leuk prepare SOURCE --task {task}`, or name one by --data.",
        )
    return max(found)[1]


def checked_dataset(
    folder: Path,
    task: str,
    leave_out: Sequence[str] = (),
    fold: int = 0,
    weak_labels: WeakLabels | None = None,
) -> TrainingData:
    """A data set whose files are those of its manifest, and from which the task can be learnt.

    Args:
        folder: That ``prepare`` wrote.
        task: ``classify`` or ``detect``.
        leave_out: Sources that training does not see.
        fold: To validate on; all others are learnt from.
        weak_labels: Which samples are not learnt from for theirs; None is all are.

    Raises:
        UsageError: There is no data set, it is for another task, the fold or a source to leave out
            is none of its own, or weak labels are given for a detector.
        DataError: Its manifest was changed, pictures are missing, a part or class is empty, a group
            stands on both sides, or the table of weak labels is of other data.
    """
    data = read_dataset(folder)
    if data.task != task:
        raise UsageError(
            f"{folder} is for {data.task}, not for {task}",
            hint=f"Train on it with --task {data.task}, or prepare one with --task {task}.",
        )
    if task != "classify" and weak_labels and weak_labels.probabilities:
        raise UsageError(f"weak_labels are those of cells to classify; the task is {task}")
    scheme, samples = data.scheme, data.samples
    check_pictures(folder, samples)
    _check_sources(folder, samples, leave_out)
    division = divided([sample for sample in samples if sample.source not in leave_out], fold)
    out = doubted(division.training, scheme, weak_labels) if weak_labels else frozenset()
    training = tuple(sample for sample in division.training if sample.sample_id not in out)
    _check_training(folder, training, scheme if task == "classify" else None, len(out))
    return TrainingData(
        **vars(data), training=training, doubted=len(out), validation=division.validation
    )


def _check_sources(folder: Path, samples: Sequence[Sample], leave_out: Sequence[str]) -> None:
    sources = {sample.source for sample in samples}
    if unknown := sorted(set(leave_out) - sources):
        raise UsageError(
            f"leave_out names {', '.join(unknown)}; "
            f"the sources of {folder} are {', '.join(sorted(sources))}"
        )


def _check_training(
    folder: Path, training: Sequence[Sample], scheme: LabelScheme | None, doubted: int
) -> None:
    """There are samples to learn from, and of every class of the scheme, where there is one."""
    if not training:
        raise DataError(
            f"{folder} has no pictures to learn from: all are in one fold, or test",
            hint="Prepare it with more --folds.",
        )
    if scheme is None:
        return
    labels = {sample.label for sample in training}
    if absent := [name for name in scheme.names if name not in labels]:
        there = ",".join(name for name in scheme.names if name in labels)
        raise DataError(
            f"{folder} has no sample of {', '.join(absent)} to learn from",
            hint=f"{doubted} are left out for their weak labels; lower weak_labels.least."
            if doubted
            else f"Prepare it from sources that have every class, or with --set classes=[{there}].",
        )
