"""Fields with Pascal VOC boxes, BCCD among them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.made_trees import folder_of, picture, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import voc
from yolo_leuk.prepare.sources.source_tree import SourceTree, open_tree


def xml(*boxes: tuple, size: tuple[int, int] | None = (40, 30)) -> str:
    """An annotation of boxes (name, xmin, ymin, xmax, ymax)."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    objects = "".join(
        f"<object><name>{name}</name><bndbox>"
        + "".join(f"<{key}>{v}</{key}>" for key, v in zip(corners, values, strict=True))
        + "</bndbox></object>"
        for name, *values in boxes
    )
    said = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    return f"<annotation>{said}{objects}</annotation>"


def tree(tmp_path, annotation: str | bytes, **files: str | bytes) -> SourceTree:
    """A tree of two pictures: ``a`` with this annotation, ``ok`` with a good one."""
    made = {
        "JPEGImages/a.png": picture(),
        "JPEGImages/ok.png": picture(),
        "Annotations/a.xml": annotation,
        "Annotations/ok.xml": xml(("WBC", 0, 0, 10, 10)),
        **files,
    }
    return folder_of(tmp_path / "set", made)


@pytest.mark.parametrize("prefix", ["", "VOC2007/", "set-main/data/"])
def test_the_layout_is_recognised_by_xml_files_with_the_names_of_pictures(prefix):
    names = ["JPEGImages/a.jpg", "Annotations/a.xml", "ImageSets/Main/train.txt"]
    assert voc.recognises(tree_of(prefix + name for name in names))
    assert voc.recognises(tree_of([f"{prefix}train/a.jpg", f"{prefix}train/a.xml"]))
    assert not voc.recognises(tree_of(["JPEGImages/a.jpg", "Annotations/b.xml"]))


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_boxes_become_fractions_with_the_names_of_the_field(tmp_path, make):
    annotation = xml(("WBC", 10, 3, 30, 27), ("RBC", 0, 0, 40, 30), ("Platelets", 1, 1, 5, 4))
    files = {"JPEGImages/a.jpg": picture(suffix=".jpg"), "Annotations/a.xml": annotation}
    scan = voc.scan(make(tmp_path / "my set", files))
    (image,) = scan.images
    assert image.box_labels == ("white", "red", "platelet")
    np.testing.assert_allclose(image.boxes_cxcywhn[0], [0.5, 0.5, 0.5, 0.8])
    np.testing.assert_allclose(image.boxes_cxcywhn[1], [0.5, 0.5, 1, 1])
    assert (image.key, image.source, image.split, scan.scheme) == ("a", "my set", None, None)


def test_an_annotation_may_lie_beside_its_picture_and_the_folder_is_the_split(tmp_path):
    files = {}
    for split in ("train", "valid"):
        files[f"{split}/a.png"] = picture()
        files[f"{split}/a.xml"] = xml(("WBC", 1, 1, 9, 9))
    images = voc.scan(folder_of(tmp_path, files)).images
    assert [image.split for image in images] == ["train", "val"]
    assert len({image.sample_id for image in images}) == 2


def test_lists_of_names_are_the_splits(tmp_path):
    lists = {"ImageSets/Main/train.txt": "a\n", "ImageSets/Main/test.txt": "ok\n"}
    others = {"ImageSets/Main/trainval.txt": "a\nok\n", "ImageSets/Layout/val.txt": "a\n"}
    scan = voc.scan(tree(tmp_path, xml(), **lists, **others))
    assert {image.key: image.split for image in scan.images} == {"a": "train", "ok": "test"}
    assert not scan.problems


def test_a_picture_in_two_lists_is_told(tmp_path):
    lists = {"ImageSets/Main/train.txt": "a\n", "ImageSets/Main/test.txt": "a\n"}
    scan = voc.scan(tree(tmp_path, xml(), **lists))
    assert reasons(scan.problems) == {
        "set/ImageSets/Main/train.txt": "a is in the list of test too"
    }


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (("RBC", 5, 5, 5, 9), "box 2 (red) has no area"),
        (("RBC", 5, 9, 9, 5), "box 2 (red) has no area"),
        (("RBC", 50, 5, 60, 9), "box 2 (red) lies outside the picture"),
        (("RBC", "nan", 5, 60, 9), "box 2 (red) has a corner that is no number"),
    ],
)
def test_a_box_without_area_in_the_picture_is_left_out_and_told(tmp_path, box, reason):
    scan = voc.scan(tree(tmp_path, xml(("WBC", 1, 1, 9, 9), box)))
    assert [image.box_labels for image in scan.images] == [("white",), ("white",)]
    assert reasons(scan.problems) == {"set/Annotations/a.xml": reason}


def test_a_box_that_reaches_beyond_the_picture_is_cut(tmp_path):
    scan = voc.scan(tree(tmp_path, xml(("WBC", -10, 15, 20, 45))))
    np.testing.assert_allclose(scan.images[0].boxes_cxcywhn, [[0.25, 0.75, 0.5, 0.5]])
    assert not scan.problems


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("<annotation><object>", "is no XML that can be read"),
        (b"\xff\xd8", "is no XML that can be read"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares XML entities"),
        (xml(size=(640, 480)), "its boxes are of a picture of 640×480 pixels"),
        (xml(("RBC", "", 1, 9, 9)), "the corners of a box (RBC) are , 1, 9, 9"),
        (xml(("RBC", "left", 1, 9, 9)), "the corners of a box (RBC) are left, 1, 9, 9"),
        (xml(("", 1, 1, 9, 9)), "a box has no class"),
        (xml(("../up", 1, 1, 9, 9)), "its class '../up' cannot be the name of a folder"),
    ],
)
def test_an_annotation_that_cannot_be_right_leaves_its_picture_out(tmp_path, annotation, reason):
    scan = voc.scan(tree(tmp_path, annotation))
    assert [image.key for image in scan.images] == ["ok"]
    assert reason in reasons(scan.problems)["set/JPEGImages/a.png"]


def test_a_size_that_was_left_empty_or_zero_is_that_of_the_picture(tmp_path):
    for number, size in enumerate((None, (0, 0))):
        scan = voc.scan(tree(tmp_path / str(number), xml(("WBC", 10, 3, 30, 27), size=size)))
        np.testing.assert_allclose(scan.images[0].boxes_cxcywhn, [[0.5, 0.5, 0.5, 0.8]])


def test_a_picture_that_is_none_is_left_out(tmp_path):
    scan = voc.scan(tree(tmp_path, xml(), **{"JPEGImages/a.png": b"no picture"}))
    assert "is no JPEG, PNG" in reasons(scan.problems)["set/JPEGImages/a.png"]


def test_what_has_no_partner_is_told(tmp_path):
    files = {"JPEGImages/alone.png": picture(), "Annotations/alone too.xml": xml()}
    scan = voc.scan(tree(tmp_path, xml(), **files))
    assert reasons(scan.problems) == {
        "set/JPEGImages/alone.png": "has no XML file of its name",
        "set/Annotations/alone too.xml": "expected one picture of the same name, found 0",
    }


def test_nothing_that_can_be_used_is_an_error_with_the_first_reason(tmp_path):
    files = {"JPEGImages/a.png": picture(), "Annotations/a.xml": "broken"}
    with pytest.raises(DataError, match=r"first of 1 problems: .*a\.png: .*is no XML"):
        voc.scan(folder_of(tmp_path, files))


def test_the_real_data_set_is_complete_but_for_two_boxes_without_area(real_data):
    scan = voc.scan(open_tree(real_data / "bccd"))
    labels = Counter(label for image in scan.images for label in image.box_labels)
    assert len(scan.images) == 364
    assert labels == {"red": 4155 - 2, "white": 372, "platelet": 361}
    assert reasons(scan.problems) == {
        "bccd/Annotations/BloodImage_00338.xml": "box 13 (red) has no area",
        "bccd/Annotations/BloodImage_00343.xml": "box 4 (red) has no area",
    }
    assert Counter(image.split for image in scan.images) == {"train": 205, "val": 87, "test": 72}
    assert {image.source for image in scan.images} == {"bccd"}
    for image in scan.images:
        edges = image.boxes_cxcywhn[:, :2] + image.boxes_cxcywhn[:, 2:] / 2
        assert edges.max(initial=0) <= 1 + 1e-9
