"""Any folder of pictures for each class."""

from __future__ import annotations

import pytest

from tests.made_trees import folder_of, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import class_folders


@pytest.mark.parametrize("prefix", ["", "set-main/", "a/b/"])
def test_two_folders_of_pictures_are_classes_wherever_they_lie(prefix):
    assert class_folders.recognises(tree_of([f"{prefix}x/1.jpg", f"{prefix}y/1.jpg"]))
    assert not class_folders.recognises(tree_of([f"{prefix}x/1.jpg", f"{prefix}y/1.txt"]))
    assert not class_folders.recognises(tree_of([f"{prefix}1.jpg", f"{prefix}2.jpg"]))


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_the_folder_is_the_class(tmp_path, make):
    files = {"blast/1.jpg": b"", "normal/a/2.png": b"", "normal/notes.txt": b""}
    scan = class_folders.scan(make(tmp_path / "my set", files))
    assert [(i.label, i.key, i.split) for i in scan.images] == [
        ("blast", "blast-1", None),
        ("normal", "normal-a-2", None),
    ]
    assert {i.source for i in scan.images} == {"my set"}
    assert scan.scheme.names == ("blast", "normal")
    assert not scan.scheme.blasts


def test_folders_above_the_classes_may_be_splits():
    names = ["train/x/1.jpg", "valid/x/1.jpg", "test/y/1.jpg"]
    scan = class_folders.scan(tree_of(names))
    assert [(i.split, i.label) for i in scan.images] == [
        ("test", "y"),
        ("train", "x"),
        ("val", "x"),
    ]
    assert len({i.sample_id for i in scan.images}) == 3


def test_pictures_outside_the_classes_are_counted_and_not_taken():
    scan = class_folders.scan(tree_of(["x/1.jpg", "y/1.jpg", "preview.png"]))
    assert (len(scan.images), scan.unlabelled) == (2, 1)


def test_pictures_that_differ_in_their_suffix_only_stay_two():
    images = class_folders.scan(tree_of(["x/1.jpg", "x/1.png", "y/1.jpg"])).images
    assert len({i.sample_id for i in images}) == 3


def test_classes_that_differ_in_case_only_are_refused():
    with pytest.raises(DataError, match="'Blast' and 'blast' differ in case only"):
        class_folders.scan(tree_of(["Blast/1.jpg", "blast/2.jpg"]))


def test_a_class_that_no_folder_may_be_called_everywhere_is_told():
    scan = class_folders.scan(tree_of(["x/1.jpg", "what?/2.jpg"]))
    assert [i.label for i in scan.images] == ["x"]
    assert "cannot be the name of a folder" in scan.problems[0].reason
