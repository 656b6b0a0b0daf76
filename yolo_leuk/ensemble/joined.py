"""Tables of several members joined by sample, or what keeps them from being joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError, LeakageError
from yolo_leuk.probabilities import ProbabilityTable, SampleRow, logits_of


@dataclass(frozen=True)
class Joined:
    """What all members say of the same samples.

    Attributes:
        members: Their names.
        classes: Names, in the order of the logits.
        samples: Sorted by id.
        logits: Shape (members, samples, classes).
    """

    members: tuple[str, ...]
    classes: tuple[str, ...]
    samples: tuple[SampleRow, ...]
    logits: npt.NDArray[np.float64]

    @property
    def class_ids(self) -> npt.NDArray[np.int64]:
        """Position of each sample's label among the classes, shape (n,)."""
        position = {name: i for i, name in enumerate(self.classes)}
        return np.array([position[sample.label] for sample in self.samples], np.int64)

    @property
    def groups(self) -> tuple[str, ...]:
        """Group of each sample."""
        return tuple(sample.group for sample in self.samples)

    def part(self, rows: npt.NDArray[np.integer]) -> Joined:
        """Some of the samples."""
        samples = tuple(self.samples[int(row)] for row in rows)
        return dataclasses.replace(self, samples=samples, logits=self.logits[:, rows])


def joined(tables: Mapping[str, ProbabilityTable]) -> Joined:
    """Join the tables of members.

    Args:
        tables: By the name of the member.

    Raises:
        DataError: They have other classes, or classes in another order, or other samples, or say
            different things of the same sample; or all samples are of one class.
        LeakageError: A sample is of the test split.
    """
    first, *others = tables
    for other in others:
        _check_classes(first, tables[first], other, tables[other])
        _check_samples(first, tables[first], other, tables[other])
    samples = tuple(sorted(tables[first].samples, key=lambda sample: sample.sample_id))
    if not samples:
        raise DataError("the tables of probabilities hold no sample")
    labels = {sample.label for sample in samples}
    if len(labels) == 1:
        raise DataError(f"all {len(samples)} samples are {next(iter(labels))}: any vote is right")
    if test := [sample for sample in samples if sample.split == "test"]:
        raise LeakageError(
            f"{len(test)} samples are of the test split, for instance {test[0].sample_id}; "
            "weights are never searched there",
            hint="Give out-of-fold probabilities, or those of the validation split.",
        )
    logits = [_logits(table, samples) for table in tables.values()]
    return Joined(tuple(tables), tables[first].classes, samples, np.stack(logits))


def _logits(table: ProbabilityTable, samples: tuple[SampleRow, ...]) -> npt.NDArray[np.float64]:
    row_of = {sample.sample_id: row for row, sample in enumerate(table.samples)}
    rows = [row_of[sample.sample_id] for sample in samples]
    return logits_of(table.probabilities[rows])


def _check_classes(
    first: str, table: ProbabilityTable, other: str, others_table: ProbabilityTable
) -> None:
    if others_table.classes == table.classes:
        return
    same = set(others_table.classes) == set(table.classes)
    raise DataError(
        f"the classes of {first} are {', '.join(table.classes)}; "
        f"those of {other} are {', '.join(others_table.classes)}"
        + (", in another order" if same else ""),
        hint="Members must be trained on one data set, whose classes have one order.",
    )


def _check_samples(
    first: str, table: ProbabilityTable, other: str, others_table: ProbabilityTable
) -> None:
    """Each sample is in both tables, and stands for the same there."""
    own = {sample.sample_id: sample for sample in table.samples}
    theirs = {sample.sample_id: sample for sample in others_table.samples}
    for has, lacks, name, without in ((own, theirs, first, other), (theirs, own, other, first)):
        if missing := sorted(has.keys() - lacks.keys()):
            raise DataError(
                f"{name} speaks of {len(has)} samples, {without} of {len(lacks)}; "
                f"{len(missing)} are in {name} alone, for instance {missing[0]}",
                hint="Members must be of the same folds of one data set. With --data only the "
                "validation split is taken.",
            )
    for sample_id, sample in own.items():
        if told := difference(sample, theirs[sample_id], first, other):
            raise DataError(told, hint="Members must be trained on one data set, split once.")


def difference(one: SampleRow, other: SampleRow, where: str, elsewhere: str) -> str:
    """What is said differently of a sample in two places; empty where nothing is."""
    for field in dataclasses.fields(SampleRow):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if mine != theirs:
            return (
                f"{field.name} of {one.sample_id} is {mine} in {where} and {theirs} in {elsewhere}"
            )
    return ""
