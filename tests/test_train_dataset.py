"""A data set is checked before a run writes anything."""

from __future__ import annotations

import json
import os

import pytest

from tests.made_training_data import made_cells
from yolo_leuk import artifacts
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import FILE_NAME, read_manifest, write_manifest
from yolo_leuk.train.dataset import checked_dataset, newest_dataset


@pytest.fixture
def data_set(tmp_path):
    return made_cells(tmp_path / "cells", per_class=(1, 1, 1))


def without(folder, unwanted) -> None:
    """Write the manifest anew without some samples, and the card with its hash."""
    samples = [sample for sample in read_manifest(folder) if not unwanted(sample)]
    write_manifest(folder / FILE_NAME, samples)
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    card["manifest_sha256"] = artifacts.sha256_of_file(folder / FILE_NAME)
    artifacts.write_json(folder / "dataset.json", card)


def test_a_whole_data_set_tells_its_classes_and_what_a_card_says_of_it(data_set):
    found = checked_dataset(data_set, "classify")
    assert found.scheme is MATURITY
    assert found.sources == ("drawn cells",)
    assert found.warnings == ("drawn, not photographed",)
    assert found.manifest_sha256 == artifacts.sha256_of_file(data_set / FILE_NAME)


def test_a_folder_without_data_set_is_wrong_usage_and_the_hint_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="holds no data set") as caught:
        checked_dataset(tmp_path / "nowhere", "detect")
    assert "yolo-leuk prepare SOURCE --task" in caught.value.hint


def test_a_data_set_for_another_task_is_wrong_usage(data_set):
    with pytest.raises(UsageError, match="is for classify, not for detect"):
        checked_dataset(data_set, "detect")


@pytest.mark.parametrize("level", ["cell", "image"])
def test_a_data_set_tells_what_its_pictures_show(data_set, level):
    card = json.loads((data_set / "dataset.json").read_text(encoding="utf-8"))
    artifacts.write_json(data_set / "dataset.json", {**card, "level": level})
    assert checked_dataset(data_set, "classify").level == level


def test_a_data_set_of_an_older_version_is_of_cells(data_set):
    card = json.loads((data_set / "dataset.json").read_text(encoding="utf-8"))
    del card["level"]
    artifacts.write_json(data_set / "dataset.json", card)
    assert checked_dataset(data_set, "classify").level == "cell"


def test_without_a_fold_train_is_learnt_from_and_val_validated_on(data_set):
    found = checked_dataset(data_set, "classify")
    assert {sample.split for sample in found.training} == {"train"}
    assert {sample.split for sample in found.validation} == {"val"}


def test_a_fold_is_validated_on_and_all_others_but_test_are_learnt_from(data_set):
    found = checked_dataset(data_set, "classify", fold=1)
    assert {sample.split for sample in found.training} == {"val"}
    assert {sample.split for sample in found.validation} == {"train"}


def test_sources_can_be_left_out_on_both_sides(data_set):
    card = json.loads((data_set / "dataset.json").read_text(encoding="utf-8"))
    artifacts.write_json(
        data_set / "dataset.json", {**card, "classes": ["Benign", "Early", "Pre", "Pro"]}
    )
    found = checked_dataset(data_set, "classify", leave_out=("drawn/other",))
    assert {s.source for s in (*found.training, *found.validation)} == {"drawn/leukemia"}


def test_a_manifest_that_was_changed_is_refused(data_set):
    manifest = data_set / FILE_NAME
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.csv is not the manifest"):
        checked_dataset(data_set, "classify")


def test_missing_pictures_are_counted_and_the_first_is_named(data_set):
    for label in ("Pre", "Pro"):
        (data_set / "test" / label / f"{label}-test-0.png").unlink()
    with pytest.raises(DataError, match=r"2 pictures are missing, the first is test/Pre/Pre-test-"):
        checked_dataset(data_set, "classify")


def test_a_class_without_training_cells_is_refused_by_name(data_set):
    without(data_set, lambda s: s.split == "train" and s.label in {"Early", "Other"})
    with pytest.raises(DataError, match="no sample of Early, Other to learn from"):
        checked_dataset(data_set, "classify")


def test_a_class_may_be_missing_in_validation(data_set):
    without(data_set, lambda s: s.split == "val" and s.label == "Early")
    assert checked_dataset(data_set, "classify").scheme is MATURITY


def test_a_fold_that_is_not_there_is_refused_and_those_that_are_are_named(data_set):
    without(data_set, lambda s: s.split == "val")
    with pytest.raises(UsageError, match="there is no fold 0; the data set has 1"):
        checked_dataset(data_set, "classify")


def test_one_fold_alone_leaves_nothing_to_learn_from(data_set):
    without(data_set, lambda s: s.split == "train")
    with pytest.raises(DataError, match="no pictures to learn from"):
        checked_dataset(data_set, "classify")


def test_leaving_out_a_source_that_is_not_there_is_refused_with_those_that_are(data_set):
    with pytest.raises(
        UsageError, match=r"drawn/othr; the sources of .* drawn/leukemia, drawn/oth"
    ):
        checked_dataset(data_set, "classify", leave_out=("drawn/othr",))


def test_leaving_out_the_only_source_of_a_class_is_refused(data_set):
    with pytest.raises(DataError, match="no sample of Other"):
        checked_dataset(data_set, "classify", leave_out=("drawn/other",))


def test_the_newest_data_set_of_the_task_is_taken(tmp_path):
    for age, name in enumerate(("new", "old", "oldest")):
        card = made_cells(tmp_path / name, per_class=(1, 1, 1)) / "dataset.json"
        os.utime(card, (1_000_000 - age, 1_000_000 - age))
    other = made_cells(tmp_path / "for-detection", per_class=(1, 1, 1)) / "dataset.json"
    other.write_text(other.read_text().replace('"classify"', '"detect"'), encoding="utf-8")
    assert newest_dataset("classify", tmp_path) == tmp_path / "new"
    assert newest_dataset("detect", tmp_path) == tmp_path / "for-detection"


def test_with_no_data_set_at_all_the_hint_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="no data set for classify") as caught:
        newest_dataset("classify", tmp_path / "datasets")
    assert "yolo-leuk prepare SOURCE --task classify" in caught.value.hint
