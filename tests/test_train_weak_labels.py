"""Cells of malignant pictures that hardly look their class are not learnt from a second time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_training_data import made_cells
from tests.test_train_cells import SAMPLE
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import read_manifest
from yolo_leuk.probabilities import table_of, write_probabilities
from yolo_leuk.train.dataset import checked_dataset
from yolo_leuk.train.weak_labels import WeakLabels, doubted


def samples_of(*labels: str):
    return [
        dataclasses.replace(SAMPLE, sample_id=f"{number}-{label}", label=label)
        for number, label in enumerate(labels)
    ]


def first_pass(folder, samples, own: list[float]) -> WeakLabels:
    """A table in which each sample has this probability of its own class."""
    ids = [MATURITY.id_of(sample.label) for sample in samples]
    rows = np.repeat(((1 - np.array(own)) / (len(MATURITY) - 1))[:, None], len(MATURITY), axis=1)
    rows[np.arange(len(ids)), ids] = own
    path = folder / "probabilities.csv"
    write_probabilities(path, table_of(samples, MATURITY.names, np.log(rows)))
    return WeakLabels(path)


def test_malignant_cells_below_the_least_probability_are_doubted(tmp_path):
    samples = samples_of("Early", "Pre", "Pro", "Pro")
    weak = first_pass(tmp_path, samples, [0.1, 0.25, 0.19, 0.9])
    assert doubted(samples, MATURITY, weak) == {"0-Early", "2-Pro"}
    lower = dataclasses.replace(weak, least=0.15)
    assert doubted(samples, MATURITY, lower) == {"0-Early"}


def test_benign_cells_are_never_doubted(tmp_path):
    samples = samples_of("Benign", "Other", "Pro")
    weak = first_pass(tmp_path, samples, [0.01, 0.01, 0.5])
    assert doubted(samples, MATURITY, weak) == frozenset()


def test_without_a_table_nothing_is_doubted():
    assert doubted(samples_of("Pro"), MATURITY, WeakLabels()) == frozenset()


def test_a_table_that_says_nothing_of_a_malignant_cell_is_of_other_data(tmp_path):
    samples = samples_of("Benign", "Pro", "Pre")
    weak = first_pass(tmp_path, samples[:2], [0.5, 0.5])
    with pytest.raises(DataError, match=r"nothing of 1 of 2 malignant samples, .* 2-Pre \(Pre\)"):
        doubted(samples, MATURITY, weak)


def test_a_table_in_which_a_cell_has_another_class_is_of_other_data(tmp_path):
    samples = samples_of("Pro")
    weak = first_pass(tmp_path, [dataclasses.replace(samples[0], label="Pre")], [0.5])
    with pytest.raises(DataError, match=r"0-Pro \(Pro\)"):
        doubted(samples, MATURITY, weak)


def test_a_detector_has_no_weak_labels(tmp_path):
    data = made_cells(tmp_path / "fields", per_class=(1, 1, 1))
    card = data / "dataset.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"classify"', '"detect"'))
    with pytest.raises(UsageError, match="the task is detect"):
        checked_dataset(data, "detect", weak_labels=WeakLabels(tmp_path / "probabilities.csv"))


def test_a_class_of_which_all_cells_are_doubted_is_told_with_what_to_lower(tmp_path):
    data = made_cells(tmp_path / "cells", per_class=(2, 1, 1))
    samples = [sample for sample in read_manifest(data) if sample.split != "test"]
    own = [0.05 if sample.label == "Pro" else 0.8 for sample in samples]
    weak = first_pass(tmp_path, samples, own)
    with pytest.raises(DataError, match="no sample of Pro") as caught:
        checked_dataset(data, "classify", weak_labels=weak)
    assert "2 are left out" in caught.value.hint
    assert "lower weak_labels.least" in caught.value.hint


def test_doubted_cells_are_not_learnt_from_but_validated_on(tmp_path):
    data = made_cells(tmp_path / "cells", per_class=(2, 1, 1))
    samples = [sample for sample in read_manifest(data) if sample.split != "test"]
    hard = {"Pro-train-0", "Pro-val-0", "Benign-train-0"}
    own = [0.05 if sample.sample_id in hard else 0.8 for sample in samples]
    weak = first_pass(tmp_path, samples, own)
    found = checked_dataset(data, "classify", weak_labels=weak)
    assert found.doubted == 1
    learnt = {sample.sample_id for sample in found.training}
    assert learnt == {s.sample_id for s in samples if s.split == "train"} - {"Pro-train-0"}
    assert "Pro-val-0" in {sample.sample_id for sample in found.validation}
