"""INT8 is calibrated on the training split, on exactly what a net is shown in use."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, SquaresNet
from tests.made_training_data import made_cells, made_fields
from yolo_leuk.dataset import read_dataset, read_picture
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.export.calibration import batches
from yolo_leuk.export.fitting_data import fits, samples_of
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import LabelScheme
from yolo_leuk.sample_input import sample_input


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return read_dataset(made_cells(tmp_path_factory.mktemp("data") / "cells", (5, 2, 1)))


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return read_dataset(made_fields(tmp_path_factory.mktemp("data"), 3))


def shown(data, card, count=256, seed=0) -> np.ndarray:
    return np.concatenate(list(batches(data, card, count, seed)))


def as_set(inputs) -> set[bytes]:
    return {one.tobytes() for one in inputs}


def test_cells_are_shown_as_in_use_and_all_are_of_the_training_split(cells):
    training = [s for s in cells.samples if s.split == "train"]
    expected = [sample_input(cells.folder, sample, CLASSIFIER_CARD) for sample in training]
    found = shown(cells, CLASSIFIER_CARD)
    assert found.shape == (25, 32, 32, 3)
    assert as_set(found) == as_set(expected)


def test_fields_are_shown_in_the_tiles_that_the_detector_cuts(fields):
    expected = SquaresNet(DETECTOR_CARD)
    for sample in fields.samples:
        if sample.split == "train":
            rgb = read_picture(fields.folder, sample)
            FieldDetector(expected).detect(rgb, sample.px_per_rbc)
    found = list(batches(fields, DETECTOR_CARD, 256, 0))
    assert as_set(found) == as_set(expected.batches)


def test_so_many_are_drawn_as_are_asked_for_and_a_seed_draws_the_same_ones(cells):
    first, same, other = (as_set(shown(cells, CLASSIFIER_CARD, 7, seed)) for seed in (1, 1, 2))
    assert len(first) == 7
    assert first == same
    assert first != other


def test_batches_are_small(cells):
    assert [len(batch) for batch in batches(cells, CLASSIFIER_CARD, 20, 0)] == [16, 4]


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (DETECTOR_CARD, "is to detect, the data set .* is to classify the level cell"),
        (
            dataclasses.replace(CLASSIFIER_CARD, level="image"),
            "is to classify the level image, the data set .* is to classify the level cell",
        ),
        (
            dataclasses.replace(
                CLASSIFIER_CARD, scheme=LabelScheme(("all", "hem"), frozenset({"all"}))
            ),
            "the classes of a classifier are all, hem; those of .* are Benign, Early",
        ),
    ],
)
def test_a_data_set_that_is_none_for_the_net_is_refused_before_anything_is_read(cells, card, told):
    assert not fits(cells, card)
    with pytest.raises(UsageError, match=told):
        batches(cells, card, 1, 0)


def test_a_data_set_that_fits_is_told_so(cells, fields):
    assert fits(cells, CLASSIFIER_CARD)
    assert fits(fields, DETECTOR_CARD)


def test_a_data_set_without_the_split_is_refused(cells):
    none = tuple(sample for sample in cells.samples if sample.split != "train")
    with pytest.raises(DataError, match="has no sample in train"):
        batches(dataclasses.replace(cells, samples=none), CLASSIFIER_CARD, 1, 0)


def test_turned_copies_are_left_out(cells):
    first = next(sample for sample in cells.samples if sample.split == "train")
    turned = dataclasses.replace(first, steps="drawn; turned: 90 degrees")
    samples = tuple(turned if sample is first else sample for sample in cells.samples)
    some = dataclasses.replace(cells, samples=samples)
    assert len(samples_of(some, "train")) == len(samples_of(cells, "train")) - 1


def test_a_missing_picture_is_told_before_anything_is_run(cells, tmp_path):
    folder = tmp_path / "cells"
    shutil.copytree(cells.folder, folder)
    lost = next(sample for sample in cells.samples if sample.split == "train")
    (folder / lost.path).unlink()
    with pytest.raises(DataError, match=f"1 pictures are missing, the first is {lost.path}"):
        batches(dataclasses.replace(cells, folder=folder), CLASSIFIER_CARD, 1, 0)
