"""A data set with boxes in the JSON files of COCO, and what is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_smears import save, smear

from yolo_leuk.audit.labels import check_labels
from yolo_leuk.audit.layout import open_data_set
from yolo_leuk.errors import DataError

CATEGORIES = [{"id": 3, "name": "WBC"}, {"id": 1, "name": "RBC"}]
SIZE_WH = (100, 50)


def image(name: Any = "a.png", key: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": key, "file_name": name, **more}


def box(bbox: Any = (10, 10, 20, 30), **more: Any) -> dict[str, Any]:
    return {"id": 7, "image_id": 1, "category_id": 3, "bbox": bbox, **more}


def coco_set(
    root: Path, images: list, boxes: list, file: str = "images/_annotations.coco.json"
) -> Path:
    """Two pictures, and a JSON file."""
    for name in ("a.png", "b.png"):
        save(root / "images" / name, smear(0, SIZE_WH))
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annotations": boxes, "categories": CATEGORIES}
    (root / file).write_text(json.dumps(content), encoding="utf-8")
    return root


def checked(root: Path):
    data_set = open_data_set(root)
    return check_labels(data_set, {picture.path: SIZE_WH for picture in data_set.pictures})


def both() -> list:
    return [image(), image("b.png", 2)]


def test_good_boxes_are_counted_by_split_and_class(tmp_path):
    boxes = [box(), box(image_id=2, category_id=1), box((0, 0, 100, 50), iscrowd=1)]
    for split in ("train", "valid"):
        coco_set(tmp_path, both(), boxes, f"{split}/_annotations.coco.json")
        for picture in (tmp_path / "images").iterdir():
            picture.rename(tmp_path / split / picture.name)
    data_set = open_data_set(tmp_path)
    assert data_set.layout == "pictures with boxes in COCO files"
    assert data_set.label_files == ("train/_annotations.coco.json", "valid/_annotations.coco.json")
    labels = checked(tmp_path)
    assert labels.boxes == (("train", "WBC"), ("train", "RBC"), ("val", "WBC"), ("val", "RBC"))
    assert labels.problems == ()


def test_the_name_of_the_json_file_is_the_split_where_folders_name_none(tmp_path):
    coco_set(tmp_path, [image()], [box()], "annotations/instances_train2017.json")
    coco_set(tmp_path, [image("images/b.png")], [], "annotations/instances_val2017.json")
    data_set = open_data_set(tmp_path)
    assert {p.path: p.split for p in data_set.pictures} == {
        "images/a.png": "train",
        "images/b.png": "val",
    }
    assert checked(tmp_path).boxes == (("train", "WBC"),)


@pytest.mark.parametrize(
    ("wrong", "kind", "detail"),
    [
        (box((10, 10, 0, 5)), "no_area", "annotation 7: WBC from (10, 10) to (10, 15) px"),
        (box((90, 10, 30, 5)), "outside", "to (120, 15) px of a picture of 100×50"),
        (box(category_id=9), "unknown_class", "annotation 7: 9"),
        (box([1, 2, 3]), "unreadable", "expected [x, y, w, h], found [1, 2, 3]"),
        (box([1, 2, 3, "x"]), "unreadable", "expected [x, y, w, h]"),
        (box([1, 2, 3, float("nan")]), "unreadable", "expected [x, y, w, h]"),
        (box(None), "unreadable", "expected [x, y, w, h], found None"),
        (box(image_id=5), "unreadable", "5, annotation 7: there is no such image"),
    ],
)
def test_a_bad_box_is_named_with_its_picture(tmp_path, wrong, kind, detail):
    (problem,) = checked(coco_set(tmp_path, both(), [wrong])).problems
    assert (problem.kind, problem.file) == (kind, "images/_annotations.coco.json")
    assert detail in problem.detail
    assert problem.detail.startswith(("images/a.png, ", "5, "))


def test_the_same_box_twice_in_one_picture_is_found_and_in_two_it_is_none(tmp_path):
    boxes = [box(), box(image_id=2), box(id=8)]
    labels = checked(coco_set(tmp_path, both(), boxes))
    assert labels.counts == {"twice": 1}
    assert labels.problems[0].detail.endswith("as in images/a.png, annotation 7")


def test_pictures_that_are_not_there_not_listed_or_of_another_size_are_found(tmp_path):
    images = [image(width=200, height=50), image("c.png", 3)]
    labels = checked(coco_set(tmp_path, images, []))
    assert [(p.kind, p.detail or p.file) for p in labels.problems] == [
        ("no_label_file", "images/b.png"),
        ("wrong_size", "images/a.png: 200×50 instead of 100×50"),
        ("no_picture", "no picture, or several, for c.png"),
    ]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"images": [1]}', '{"images": [], "annotations": {}}', "[" * 9999]
)
def test_a_json_file_that_is_none_of_coco_is_named(tmp_path, content):
    root = coco_set(tmp_path, [], [])
    (root / "images/_annotations.coco.json").write_text(content, encoding="utf-8")
    found = [p for p in checked(root).problems if p.kind == "unreadable"]
    assert [p.file for p in found] == ["images/_annotations.coco.json"]


def test_a_json_file_of_another_name_is_none_of_coco_s(tmp_path):
    root = coco_set(tmp_path, both(), [box()], "images/settings.json")
    assert open_data_set(root).label_files == ()


def test_a_zip_is_no_folder_and_the_error_says_what_to_do(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"found the file .*set\.zip") as caught:
        open_data_set(tmp_path / "set.zip")
    assert "Unpack it" in caught.value.hint
