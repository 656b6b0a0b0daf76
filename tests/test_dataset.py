"""What a data set says of itself is read whole, or refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.made_training_data import made_cells, made_fields
from yolo_leuk import artifacts
from yolo_leuk.dataset import (
    CARD,
    check_pictures,
    is_turned_copy,
    read_boxes,
    read_dataset,
)
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.labels import FIELD, MATURITY
from yolo_leuk.manifest import FILE_NAME, read_manifest


@pytest.fixture
def cells(tmp_path):
    return made_cells(tmp_path / "cells", per_class=(2, 1, 1))


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return made_fields(tmp_path_factory.mktemp("made"), 1)


def test_a_data_set_tells_what_it_is(cells):
    data = read_dataset(cells)
    assert (data.task, data.level, data.sources) == ("classify", "cell", ("drawn cells",))
    assert data.scheme is MATURITY
    assert data.warnings == ("drawn, not photographed",)
    assert data.class_weights is None
    assert data.samples == tuple(read_manifest(cells))
    assert data.manifest_sha256 == artifacts.sha256_of_file(cells / FILE_NAME)


def test_one_for_detection_is_of_fields(fields):
    data = read_dataset(fields)
    assert (data.task, data.level) == ("detect", "field")
    assert data.scheme is FIELD


def test_a_folder_without_one_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match=r"holds no data set: it has no dataset\.json") as caught:
        read_dataset(tmp_path)
    assert "yolo-leuk prepare" in caught.value.hint


def test_another_manifest_than_it_speaks_of_is_refused(cells):
    manifest = cells / FILE_NAME
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.csv is not the manifest that dataset\.json"):
        read_dataset(cells)


def test_another_schema_is_refused(cells):
    content = json.loads((cells / CARD).read_text(encoding="utf-8"))
    artifacts.write_json(cells / CARD, {**content, "schema": "yolo-leuk/dataset/9"})
    with pytest.raises(DataError, match="yolo-leuk/dataset/1"):
        read_dataset(cells)


def test_missing_pictures_are_counted_and_the_first_is_named(cells):
    data = read_dataset(cells)
    check_pictures(cells, data.samples)
    (cells / data.samples[3].path).unlink()
    (cells / data.samples[5].path).unlink()
    with pytest.raises(
        DataError, match=f"2 pictures are missing, the first is {data.samples[3].path}"
    ):
        check_pictures(cells, data.samples)


def test_boxes_are_read_in_pixels_with_their_classes(fields):
    data = read_dataset(fields)
    sample = data.samples[0]
    boxes = read_boxes(fields, sample, len(data.scheme))
    assert sorted(boxes.class_id.tolist()) == [0, 0, 1, 1, 1, 1, 1, 1, 2]
    sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    for class_id, side in ((0, 49), (1, 31), (2, 11)):  # twice the radius that was drawn, and one
        assert np.allclose(sides[boxes.class_id == class_id], side, atol=0.01)


@pytest.mark.parametrize("text", ["0 0.5 0.5 0.1\n", "0 0.5 0.5 0.1 wide\n", "7 0.5 0.5 0.1 0.1\n"])
def test_a_broken_label_file_is_refused_by_name(tmp_path, fields, text):
    data = read_dataset(fields)
    sample = data.samples[0]
    file = tmp_path / "labels" / sample.split / f"{sample.sample_id}.txt"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=f"{sample.sample_id}.txt: expected"):
        read_boxes(tmp_path, sample, len(data.scheme))


def test_a_missing_label_file_is_refused(tmp_path, fields):
    with pytest.raises(DataError, match="expected rows of a class and four numbers"):
        read_boxes(tmp_path, read_dataset(fields).samples[0], 3)


def test_a_field_without_boxes_has_none(tmp_path, fields):
    sample = read_dataset(fields).samples[0]
    file = tmp_path / "labels" / sample.split / f"{sample.sample_id}.txt"
    file.parent.mkdir(parents=True)
    file.write_text("", encoding="utf-8")
    boxes = read_boxes(tmp_path, sample, 3)
    assert (boxes.xyxy.shape, boxes.class_id.shape) == ((0, 4), (0,))


def test_turned_copies_are_told_by_their_last_step(cells):
    sample = read_dataset(cells).samples[0]
    assert not is_turned_copy(sample)
    assert is_turned_copy(dataclasses.replace(sample, steps="drawn; turned: 90"))
    assert not is_turned_copy(dataclasses.replace(sample, steps="turned: 90; drawn"))
