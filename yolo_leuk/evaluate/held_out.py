"""The samples of one split of a data set, checked before anything is measured on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk.dataset import DataSet, check_pictures, is_turned_copy, read_dataset
from yolo_leuk.errors import DataError
from yolo_leuk.images import SUFFIXES
from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import Sample

SplitName = Literal["test", "val", "train", "folds"]
"""``folds`` is all that is not test: what a table of out-of-fold probabilities is of."""


@dataclass(frozen=True)
class HeldOut:
    """Samples to measure on.

    Attributes:
        data: The data set.
        split: Which part of it.
        samples: Of the split, by id, without turned copies.
    """

    data: DataSet
    split: SplitName
    samples: tuple[Sample, ...]

    @property
    def scheme(self) -> LabelScheme:
        """Classes of the data set."""
        return self.data.scheme

    @property
    def class_ids(self) -> npt.NDArray[np.int64]:
        """Class of each sample of a classification data set, shape (n,)."""
        ids = {name: number for number, name in enumerate(self.scheme.names)}
        return np.array([ids[sample.label] for sample in self.samples], np.int64)

    @property
    def splits(self) -> frozenset[str]:
        """Those of the manifest that the samples are of."""
        return frozenset({"train", "val"} if self.split == "folds" else {self.split})


def read_held_out(folder: Path, split: SplitName) -> HeldOut:
    """Read a data set and check that the pictures of the split are those of its manifest.

    Raises:
        UsageError: The folder holds no data set.
        DataError: The split is empty, its manifest was changed, pictures are missing, others lie
            among them, or a class of the manifest is none of the data set's.
    """
    data = read_dataset(folder)
    names = {"train", "val"} if split == "folds" else {split}
    of_split = [sample for sample in data.samples if sample.split in names]
    if not of_split:
        raise DataError(
            f"{folder} has no sample in {split}",
            hint="Name another one with --split, or prepare the data set with more folds.",
        )
    check_pictures(folder, of_split)
    _check_no_others(folder, of_split)
    samples = tuple(sample for sample in of_split if not is_turned_copy(sample))
    if data.task == "classify":
        _check_labels(folder, samples, data.scheme)
    return HeldOut(data, split, samples)


def _check_no_others(folder: Path, samples: Sequence[Sample]) -> None:
    """A picture that the manifest does not know was put there by hand, and nobody knows whence."""
    known = {sample.path for sample in samples}
    others = sorted(
        path
        for parent in {path.rpartition("/")[0] for path in known}
        for file in (folder / parent).iterdir()
        if (path := f"{parent}/{file.name}") not in known and file.suffix.lower() in SUFFIXES
    )
    if others:
        raise DataError(
            f"{folder}: {len(others)} pictures are not in its manifest, the first is {others[0]}",
            hint="Prepare the data set again.",
        )


def _check_labels(folder: Path, samples: Sequence[Sample], scheme: LabelScheme) -> None:
    if unknown := sorted({sample.label for sample in samples} - set(scheme.names)):
        raise DataError(
            f"{folder}: the manifest has samples of {', '.join(repr(name) for name in unknown)}; "
            f"the classes of the data set are {', '.join(scheme.names)}",
            hint="Prepare the data set again.",
        )
