"""Whose word is taken for which samples: tables that are there, and nets run on ``val``."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tests.made_members import card_of, run_folder
from tests.made_training_data import made_cells
from yolo_leuk.backends.net import open_net
from yolo_leuk.dataset import read_dataset
from yolo_leuk.ensemble.given import all_given
from yolo_leuk.ensemble.tables import gathered
from yolo_leuk.ensemble.validation import validation_table
from yolo_leuk.errors import CardError, DataError, LeakageError, UsageError
from yolo_leuk.manifest import FILE_NAME, read_manifest, write_manifest
from yolo_leuk.probabilities import ProbabilityTable, SampleRow, softmax, table_of
from yolo_leuk.train.cells import CellRecipe, CellVariation, load_cells


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return read_dataset(made_cells(tmp_path_factory.mktemp("data") / "cells", (2, 3, 1)))


def card_for(data, name="best", **changes):
    training = {"manifest_sha256": data.manifest_sha256, "config": {"fold": 0}}
    return card_of(name, **{"training": training, "px_per_rbc": 20.0, **changes})


def weights(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.02, (3, 5)).astype(np.float32)


def table_for(data, splits=("val", "train"), seed=0) -> ProbabilityTable:
    samples = [sample for sample in data.samples if sample.split in splits]
    return table_of(
        samples, data.scheme.names, np.random.default_rng(seed).normal(0, 1, (len(samples), 5))
    )


def run_of(data, folder, seed=0, found=None, **card):
    return run_folder(
        folder,
        found,
        manifest_sha256=data.manifest_sha256,
        card=card_for(data, **card),
        weights=weights(seed),
    )


# --- nets run on the validation split ------------------------------------------------------------


def test_a_net_sees_the_cells_of_the_validation_split_as_training_and_detect_do(data, tmp_path):
    net_file = run_of(data, tmp_path / "run") / "weights" / "best.onnx"
    found = validation_table(net_file, data)
    samples = [sample for sample in data.samples if sample.split == "val"]
    assert [row.sample_id for row in found.samples] == [s.sample_id for s in samples]
    cells = load_cells(data.folder, samples, data.scheme)
    variation = CellVariation(cells, CellRecipe(size_px=32))
    expected = open_net(net_file).run(np.stack([variation.plain(cell) for cell in cells]))
    np.testing.assert_allclose(found.probabilities, softmax(expected["logits"]))


def test_a_net_sees_whole_pictures_squared(tmp_path):
    data = read_dataset(made_cells(tmp_path / "pictures", (1, 2, 1), level="image"))
    net_file = run_of(data, tmp_path / "run", level="image") / "weights" / "best.onnx"
    found = validation_table(net_file, data)
    assert {row.split for row in found.samples} == {"val"}


def test_turned_copies_are_no_samples_to_validate_on(data, tmp_path):
    folder = made_cells(tmp_path / "cells", (1, 2, 1))
    samples = read_manifest(folder)
    number = next(n for n, sample in enumerate(samples) if sample.split == "val")
    samples[number] = dataclasses.replace(samples[number], steps="drawn; turned: 90 degrees")
    write_manifest(folder / FILE_NAME, samples)
    changed = dataclasses.replace(data, folder=folder, samples=tuple(samples))
    net_file = run_of(data, tmp_path / "run") / "weights" / "best.onnx"
    ids = {row.sample_id for row in validation_table(net_file, changed).samples}
    assert samples[number].sample_id not in ids
    assert len(ids) == 9


def test_a_net_that_has_learnt_from_the_validation_split_is_refused(data, tmp_path):
    training = {"manifest_sha256": data.manifest_sha256, "config": {"fold": 2}}
    net_file = run_of(data, tmp_path / "run", training=training) / "weights" / "best.onnx"
    with pytest.raises(LeakageError, match="validated on fold 2, so it has learnt from fold 0"):
        validation_table(net_file, data)


@pytest.mark.parametrize("training", [{}, {"manifest_sha256": "77" * 32}])
def test_a_net_of_which_nobody_knows_what_it_has_learnt_from_is_refused(data, tmp_path, training):
    net_file = run_of(data, tmp_path / "run", training=training) / "weights" / "best.onnx"
    with pytest.raises(LeakageError, match="may have learnt from the validation split"):
        validation_table(net_file, data)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"level": "image"}, "is to classify the level image"),
        ({"classes": ("Other", "Pro", "Pre", "Early", "Benign")}, "Other, Pro, Pre, Early, Benign"),
    ],
)
def test_a_net_for_other_data_is_refused(data, tmp_path, changes, told):
    net_file = run_of(data, tmp_path / "run", **changes) / "weights" / "best.onnx"
    with pytest.raises(CardError, match=told):
        validation_table(net_file, data)


def test_a_picture_that_is_not_what_the_manifest_says_is_refused(data, tmp_path):
    folder = made_cells(tmp_path / "cells", (2, 3, 1))
    sample = next(sample for sample in data.samples if sample.split == "val")
    cv2.imwrite(str(folder / sample.path), np.zeros((9, 9, 3), np.uint8))
    changed = dataclasses.replace(data, folder=folder)
    net_file = run_of(data, tmp_path / "run") / "weights" / "best.onnx"
    with pytest.raises(DataError, match="is 9×9, its manifest says"):
        validation_table(net_file, changed)


# --- gathered ------------------------------------------------------------------------------------


def test_tables_of_the_same_samples_are_taken_whole(data, tmp_path):
    runs = [run_of(data, tmp_path / n, found=table_for(data, seed=i)) for i, n in enumerate("ab")]
    for found in (gathered(all_given(runs), None), gathered(all_given(runs), data)):
        assert len(found.samples) == 25
        assert {sample.split for sample in found.samples} == {"train", "val"}


def test_a_net_without_a_table_is_run_and_the_others_keep_to_the_validation_split(data, tmp_path):
    whole = table_for(data)
    runs = [run_of(data, tmp_path / "a", found=whole), run_of(data, tmp_path / "b", seed=1)]
    found = gathered(all_given(runs), data)
    assert {sample.split for sample in found.samples} == {"val"}
    rows = [whole.samples.index(sample) for sample in found.samples]
    np.testing.assert_allclose(softmax(found.logits[0]), whole.probabilities[rows])
    own = validation_table(runs[1] / "weights" / "best.onnx", data)
    rows = [own.samples.index(sample) for sample in found.samples]
    np.testing.assert_allclose(softmax(found.logits[1]), own.probabilities[rows])


def test_tables_of_different_folds_meet_on_the_validation_split(data, tmp_path):
    runs = [
        run_of(data, tmp_path / "a", found=table_for(data)),
        run_of(data, tmp_path / "b", found=table_for(data, ("val",), seed=1)),
    ]
    assert len(gathered(all_given(runs), data).samples) == 15
    with pytest.raises(DataError, match="10 are in a alone") as caught:
        gathered(all_given(runs), None)
    assert "--data" in caught.value.hint


def test_without_a_data_set_each_member_needs_a_table(data, tmp_path):
    runs = [run_of(data, tmp_path / "a", found=table_for(data)), run_of(data, tmp_path / "b")]
    with pytest.raises(UsageError, match="no table of probabilities of b") as caught:
        gathered(all_given(runs), None)
    assert "--data" in caught.value.hint


def test_a_table_without_validation_samples_cannot_meet_the_others(data, tmp_path):
    runs = [
        run_of(data, tmp_path / "a", found=table_for(data, ("train",))),
        run_of(data, tmp_path / "b", seed=1),
    ]
    with pytest.raises(DataError, match="has no sample of the validation split"):
        gathered(all_given(runs), data)


def test_members_of_another_data_set_are_refused(data, tmp_path):
    runs = [
        run_folder(tmp_path / name, table_for(data), manifest_sha256="77" * 32) for name in "ab"
    ]
    with pytest.raises(DataError, match=f"a was trained on the manifest of SHA-256 {'77' * 32}"):
        gathered(all_given(runs), data)


def test_tables_that_are_not_of_this_manifest_are_refused(data, tmp_path):
    found = table_for(data)
    samples = (dataclasses.replace(found.samples[0], group="another"), *found.samples[1:])
    stale = dataclasses.replace(found, samples=samples)
    runs = [run_of(data, tmp_path / name, found=stale) for name in "ab"]
    with pytest.raises(DataError, match=r"is another in the tables and .* in the manifest"):
        gathered(all_given(runs), data)


def test_tables_of_samples_that_the_manifest_does_not_have_are_refused(data, tmp_path):
    found = table_for(data)
    samples = (dataclasses.replace(found.samples[0], sample_id="stranger"), *found.samples[1:])
    strange = dataclasses.replace(found, samples=samples)
    runs = [run_of(data, tmp_path / name, found=strange) for name in "ab"]
    with pytest.raises(DataError, match="speak of stranger, which the manifest"):
        gathered(all_given(runs), data)


def test_tables_of_other_classes_than_the_data_set_are_refused(data, tmp_path):
    rows = tuple(SampleRow(label, "g", "val", 0, label) for label in ("hem", "all"))
    other = ProbabilityTable(rows, ("hem", "all"), np.full((2, 2), 0.5))
    runs = [run_of(data, tmp_path / name, found=other) for name in "ab"]
    with pytest.raises(CardError, match="the classes of the members are hem, all"):
        gathered(all_given(runs), data)
