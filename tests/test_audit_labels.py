"""What is wrong in files with boxes."""

from __future__ import annotations

import pytest
from made_smears import save, smear

from yolo_leuk.audit.labels import check_labels
from yolo_leuk.audit.layout import open_data_set

VOC = """<annotation><size><width>{0}</width><height>{1}</height></size>
<object><name>WBC</name><bndbox><xmin>{2}</xmin><ymin>{3}</ymin><xmax>{4}</xmax><ymax>{5}</ymax>
</bndbox></object></annotation>"""


@pytest.fixture
def yolo(tmp_path):
    """Check a picture of 100×50 pixels with these lines as its label file."""

    def check(text, names="names: [WBC, RBC]"):
        (tmp_path / "data.yaml").write_text(names)
        save(tmp_path / "images/train/a.png", smear(0, (100, 50)))
        (tmp_path / "labels/train").mkdir(parents=True, exist_ok=True)
        (tmp_path / "labels/train/a.txt").write_text(text, encoding="utf-8")
        data_set = open_data_set(tmp_path)
        return check_labels(data_set, {"images/train/a.png": (100, 50)})

    return check


def test_good_boxes_are_counted_by_split_and_class(yolo):
    labels = yolo("0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.2 0.2\n\n")
    assert labels.problems == ()
    assert labels.boxes == (("train", "WBC"), ("train", "RBC"))


@pytest.mark.parametrize(
    ("line", "kind", "detail"),
    [
        ("0 0.5 0.5 0 0.2", "no_area", "line 1: WBC from (50, 20) to (50, 30) px"),
        ("0 0.5 0.5 0.2 -0.2", "no_area", "line 1"),
        ("0 0.95 0.5 0.2 0.2", "outside", "to (105, 30) px of a picture of 100×50"),
        ("7 0.5 0.5 0.2 0.2", "unknown_class", "line 1: 7; known are 0 WBC, 1 RBC"),
        ("0 0.5 0.5 0.2", "unreadable", "found 4 numbers"),
        ("0 0.5 0.5 0.2 nan", "unreadable", "expected numbers, found '0 0.5 0.5 0.2 nan'"),
        ("WBC 0.5 0.5 0.2 0.2", "unreadable", "expected numbers"),
    ],
)
def test_a_bad_box_is_named_with_its_line(yolo, line, kind, detail):
    (problem,) = yolo(line).problems
    assert (problem.kind, problem.file) == (kind, "labels/train/a.txt")
    assert detail in problem.detail


def test_a_box_may_reach_out_by_a_rounding_error(yolo):
    assert yolo("0 0.9 0.5 0.215 0.2").problems == ()


def test_the_same_box_twice_is_found(yolo):
    labels = yolo("0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2")
    assert labels.counts == {"twice": 1}
    assert labels.problems[0].detail.endswith("as in line 1")


def test_an_outline_counts_as_the_box_around_it(yolo):
    assert yolo("0 0.1 0.1 0.3 0.1 0.2 0.4").problems == ()
    assert yolo("0 0.1 0.1 1.3 0.1 0.2 0.4").counts == {"outside": 1}


def test_without_names_a_class_is_called_by_its_number(yolo):
    assert yolo("7 0.5 0.5 0.2 0.2", names="path: .").boxes == (("train", "7"),)


def test_a_data_yaml_that_is_none_is_named(yolo):
    labels = yolo("0 0.5 0.5 0.2 0.2", names="names: [")
    assert [(p.kind, p.file) for p in labels.problems] == [("unreadable", "data.yaml")]


def test_files_without_a_counterpart_are_found(tmp_path):
    save(tmp_path / "images/a.png", smear(0))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/b.txt").write_text("")
    labels = check_labels(open_data_set(tmp_path), {})
    assert [(p.kind, p.file) for p in labels.problems] == [
        ("no_picture", "labels/b.txt"),
        ("no_label_file", "images/a.png"),
    ]


@pytest.fixture
def voc(tmp_path):
    def check(text):
        save(tmp_path / "JPEGImages/a.jpg", smear(0, (100, 50)))
        (tmp_path / "Annotations").mkdir(exist_ok=True)
        (tmp_path / "Annotations/a.xml").write_text(text, encoding="utf-8")
        return check_labels(open_data_set(tmp_path), {"JPEGImages/a.jpg": (100, 50)})

    return check


def test_pascal_voc_is_read(voc):
    labels = voc(VOC.format(100, 50, 1, 1, 100, 50))
    assert (labels.boxes, labels.problems) == ((("", "WBC"),), ())


@pytest.mark.parametrize(
    ("text", "kind", "detail"),
    [
        (VOC.format(100, 50, 9, 9, 9, 20), "no_area", "object 1: WBC from (9, 9) to (9, 20) px"),
        (VOC.format(100, 50, 1, 1, 20, 60), "outside", "to (20, 60) px of a picture of 100×50"),
        (VOC.format(200, 50, 1, 1, 20, 20), "wrong_size", "200×50 instead of 100×50"),
        (VOC.format(100, 50, "x", 1, 20, 20), "unreadable", "object 1: no box of four numbers"),
        ("<annotation>", "unreadable", "no XML that can be read"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "unreadable", "declares entities"),
    ],
)
def test_what_is_wrong_in_pascal_voc_is_found(voc, text, kind, detail):
    (problem,) = voc(text).problems
    assert problem.kind == kind
    assert detail in problem.detail
