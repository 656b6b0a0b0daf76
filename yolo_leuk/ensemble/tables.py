"""What every member says of the samples to search on: all that is not test, or ``val`` alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from yolo_leuk.dataset import DataSet
from yolo_leuk.ensemble.given import Given
from yolo_leuk.ensemble.joined import Joined, difference, joined
from yolo_leuk.ensemble.validation import validation_table
from yolo_leuk.errors import CardError, DataError, UsageError
from yolo_leuk.probabilities import ProbabilityTable, SampleRow, read_probabilities


def gathered(given: Sequence[Given], data: DataSet | None) -> Joined:
    """Read the tables of the members, run those that have none, and join what they say.

    Where all members have tables of the same samples, these are taken. Otherwise, with a data set,
    it is its validation split, on which nets without a table are run.

    Raises:
        UsageError: A member has no table, and there is no data set to run it on.
        DataError: Members are of other samples, classes or data sets than each other.
        LeakageError: A sample is of the test split, or a net has learnt from the samples.
        ModelError: A net cannot be run.
    """
    tables = {one.name: read_probabilities(one.table) for one in given if one.table is not None}
    if data is None:
        if without := [one.name for one in given if one.name not in tables]:
            raise UsageError(
                f"there is no table of probabilities of {', '.join(without)}",
                hint="Name the data set that it was trained on by --data; it is then run on the "
                "validation split.",
            )
        return joined(tables)
    _check_trained_on(given, data)
    if len(tables) < len(given) or not _are_of_same_samples(tables):
        tables = {one.name: _of_validation(one, tables.get(one.name), data) for one in given}
    return _checked(joined(tables), data)


def _are_of_same_samples(tables: Mapping[str, ProbabilityTable]) -> bool:
    sets = [{sample.sample_id for sample in table.samples} for table in tables.values()]
    return all(ids == sets[0] for ids in sets)


def _of_validation(one: Given, table: ProbabilityTable | None, data: DataSet) -> ProbabilityTable:
    if table is None:
        return validation_table(one.nets[0], data)
    rows = [row for row, sample in enumerate(table.samples) if sample.split == "val"]
    if not rows:
        raise DataError(
            f"the table {one.table} has no sample of the validation split, fold 0",
            hint="Give runs of the same folds.",
        )
    samples = tuple(table.samples[row] for row in rows)
    return dataclasses.replace(
        table, samples=samples, probabilities=table.probabilities[np.array(rows)]
    )


def _check_trained_on(given: Sequence[Given], data: DataSet) -> None:
    if data.task != "classify":
        raise DataError(f"{data.folder} is for {data.task}; members of an ensemble classify")
    for one in given:
        if one.manifest_sha256 not in ("", data.manifest_sha256):
            raise DataError(
                f"{one.name} was trained on the manifest of SHA-256 {one.manifest_sha256}; that of "
                f"{data.folder} is {data.manifest_sha256}",
                hint="Name the data set that it was trained on by --data.",
            )


def _checked(found: Joined, data: DataSet) -> Joined:
    """Tables lie about, data sets are prepared anew: each sample must be as in the manifest."""
    if found.classes != data.scheme.names:
        raise CardError(
            f"the classes of the members are {', '.join(found.classes)}; those of {data.folder} "
            f"are {', '.join(data.scheme.names)}, in this order"
        )
    of_manifest = {
        s.sample_id: SampleRow(s.sample_id, s.group, s.split, s.fold, s.label) for s in data.samples
    }
    for sample in found.samples:
        own = of_manifest.get(sample.sample_id)
        if own is None:
            raise DataError(
                f"the tables speak of {sample.sample_id}, which the manifest of {data.folder} does "
                "not have",
                hint="Name the data set that the members were trained on by --data.",
            )
        if told := difference(sample, own, "the tables", "the manifest"):
            raise DataError(told, hint="Make the tables again: the data set was prepared anew.")
    return found
