"""Fields with the boxes of a COCO JSON file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.made_trees import folder_of, picture, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import coco
from yolo_leuk.prepare.sources.source_tree import SourceTree

CATEGORIES = [{"id": 7, "name": "WBC"}, {"id": 3, "name": "RBC"}]


def image(name: Any = "a.png", key: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": key, "file_name": name, "width": 40, "height": 30, **more}


def box(
    values: Any = (10, 3, 20, 24), image_id: Any = 1, category_id: Any = 7, **more: Any
) -> dict:
    return {"image_id": image_id, "category_id": category_id, "bbox": values, **more}


def content(images: list, boxes: list, categories: list | None = None) -> str:
    return json.dumps(
        {"images": images, "annotations": boxes, "categories": categories or CATEGORIES}
    )


def tree(tmp_path, text: str | bytes, **files: bytes | str) -> SourceTree:
    made = {"annotations.json": text, "a.png": picture(), "b.png": picture(), **files}
    return folder_of(tmp_path / "set", made)


@pytest.mark.parametrize(
    "name",
    ["annotations/instances_train2017.json", "train/_annotations.coco.json", "x/annotations.json"],
)
def test_the_layout_is_recognised_by_the_name_of_its_json_file(name):
    assert coco.recognises(tree_of([name, "images/a.png"]))
    assert coco.recognises(tree_of([f"set/{name}", "set/images/a.png"]))
    assert not coco.recognises(tree_of([name]))
    assert not coco.recognises(tree_of(["package.json", "images/a.png"]))


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_corner_and_size_become_fractions_with_the_names_of_the_field(tmp_path, make):
    text = content([image("images/a.png")], [box(), box((0, 0, 40, 30), category_id=3)])
    files = {"annotations.json": text, "images/a.png": picture()}
    scan = coco.scan(make(tmp_path / "my set", files))
    (found,) = scan.images
    assert found.box_labels == ("white", "red")
    np.testing.assert_allclose(found.boxes_cxcywhn, [[0.5, 0.5, 0.5, 0.8], [0.5, 0.5, 1, 1]])
    assert (found.key, found.source, found.split, scan.scheme) == ("a", "my set", None, None)


def test_a_picture_without_a_box_has_none(tmp_path):
    (found,) = coco.scan(tree(tmp_path, content([image()], []))).images
    assert found.boxes_cxcywhn.shape == (0, 4)


def test_categories_of_its_own_are_the_classes_in_their_order(tmp_path):
    categories = [{"id": 7, "name": "myeloblast"}, {"id": 3, "name": "lymphoblast"}]
    scan = coco.scan(tree(tmp_path, content([image()], [box()], categories)))
    assert scan.scheme.names == ("myeloblast", "lymphoblast")
    assert scan.images[0].box_labels == ("myeloblast",)


def test_each_split_has_a_json_file_in_its_folder(tmp_path):
    files = {}
    for split in ("train", "valid", "test"):
        files[f"{split}/_annotations.coco.json"] = content([image()], [box()])
        files[f"{split}/a.png"] = picture()
    images = coco.scan(folder_of(tmp_path, files)).images
    assert [(i.split, i.key) for i in images] == [
        ("test", "test-a"),
        ("train", "train-a"),
        ("val", "valid-a"),
    ]


def test_each_split_has_a_json_file_of_its_name(tmp_path):
    files = {}
    for split in ("train", "val"):
        files[f"annotations/instances_{split}2017.json"] = content([image()], [box()])
        files[f"images/{split}/a.png"] = picture()
    images = coco.scan(folder_of(tmp_path, files)).images
    assert [(i.split, i.file.name) for i in images] == [
        ("train", "images/train/a.png"),
        ("val", "images/val/a.png"),
    ]


def test_crowds_are_passed_over(tmp_path):
    text = content([image()], [box(), box([], iscrowd=1)])
    scan = coco.scan(tree(tmp_path, text))
    assert scan.images[0].box_labels == ("white",)
    assert not scan.problems


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (box((1, 1, 0, 5)), "box 1 (white) has no area"),
        (box((1, 1, 5, -5)), "box 1 (white) has no area"),
        (box((40, 1, 5, 5)), "box 1 (white) lies outside the picture"),
    ],
)
def test_a_box_without_area_in_the_picture_is_left_out_and_told(tmp_path, wrong, reason):
    scan = coco.scan(tree(tmp_path, content([image()], [wrong, box()])))
    assert scan.images[0].box_labels == ("white",)
    assert reasons(scan.problems) == {"set/a.png": reason}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (box((1, 1, 5)), "one of its boxes is [1, 1, 5]"),
        (box("1 1 5 5"), "one of its boxes is 1 1 5 5"),
        (box((1, 1, "5", 5)), "one of its boxes is"),
        (box((1, 1, float("inf"), 5)), "one of its boxes is"),
        (box((1, 1, 10**400, 5)), "one of its boxes is"),
        (box(category_id=9), "unknown category 9"),
        (box(category_id=None), "unknown category None"),
    ],
)
def test_a_box_that_is_none_leaves_its_picture_out(tmp_path, wrong, reason):
    text = content([image(), image("b.png", 2)], [wrong, box(image_id=2)])
    scan = coco.scan(tree(tmp_path, text))
    assert [i.key for i in scan.images] == ["b"]
    assert reason in reasons(scan.problems)["set/a.png"]


def test_a_size_that_is_not_that_of_the_picture_leaves_it_out(tmp_path):
    scan = coco.scan(tree(tmp_path, content([image(width=80), image("b.png", 2)], [])))
    assert [i.key for i in scan.images] == ["b"]
    assert "of a picture of 80×30 pixels" in reasons(scan.problems)["set/a.png"]


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/secret.png", "c.png", "x/a.png", "", None, 5, "..\\a.png"]
)
def test_a_path_that_leads_elsewhere_is_told_and_not_followed(tmp_path, name):
    (tmp_path / "secret.png").write_bytes(picture())
    scan = coco.scan(tree(tmp_path, content([image(name), image("b.png", 2)], [])))
    assert [i.key for i in scan.images] == ["b"]
    assert "expected" in reasons(scan.problems)["set/annotations.json"]


def test_a_picture_that_is_listed_twice_is_taken_once(tmp_path):
    scan = coco.scan(tree(tmp_path, content([image(), image(key=2)], [box()])))
    assert [i.box_labels for i in scan.images] == [("white",)]
    assert reasons(scan.problems) == {"set/annotations.json": "set/a.png is listed twice"}


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b"\xff", b'{"images": []}', b"[" * 100_000, content([3], []).encode()],
)
def test_a_json_file_that_says_something_else_is_told(tmp_path, text):
    with pytest.raises(DataError, match=r"first of 1 problems: set/annotations\.json"):
        coco.scan(tree(tmp_path, text))


def test_a_broken_json_file_beside_a_good_one_is_told(tmp_path):
    files = {"annotations/broken.json": "{", "annotations/ok.json": content([image()], [box()])}
    scan = coco.scan(folder_of(tmp_path / "set", {**files, "images/a.png": picture()}))
    assert len(scan.images) == 1
    assert list(reasons(scan.problems)) == ["set/annotations/broken.json"]
