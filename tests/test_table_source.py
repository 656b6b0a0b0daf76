"""Pictures listed in a CSV file."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_trees import folder_of, picture, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import table
from yolo_leuk.prepare.sources.source_tree import SourceTree


def tree(tmp_path, text: str | bytes, make=folder_of, **files: bytes) -> SourceTree:
    made = {"cells.csv": text, "img/a.png": picture(), "img/b.png": picture(), **files}
    return make(tmp_path / "set", made)


def what_is_wrong(made: SourceTree) -> str:
    """The reason for the one picture that is left out of two."""
    scan = table.scan(made)
    assert [image.key for image in scan.images] == ["img-b"]
    (problem,) = scan.problems
    assert problem.file == "set/cells.csv"
    return problem.reason


@pytest.mark.parametrize("make", [folder_of, zip_of])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_row_gives_label_subject_split_and_mask(tmp_path, make, separator):
    rows = ["Path,Label,Subject,Split,Mask", "img/a.png,blast,P1,train,img/b.png", ""]
    text = "\ufeff" + "\r\n".join(rows).replace(",", separator)
    made = tree(tmp_path, text, make)
    assert table.recognises(made)
    scan = table.scan(made)
    (image,) = scan.images
    assert (image.label, image.subject, image.split) == ("blast", "P1", "train")
    assert (image.mask.name, image.mask_kind) == ("img/b.png", "values")
    assert (image.key, image.source) == ("img-a", "set")
    assert image.boxes_cxcywhn is None
    assert scan.scheme.names == ("blast",)


def test_a_table_is_recognised_by_its_column_path(tmp_path):
    assert not table.recognises(tree(tmp_path / "1", "file,label\nimg/a.png,x\n"))
    assert not table.recognises(tree(tmp_path / "2", b"\xff\xfe"))
    assert not table.recognises(tree(tmp_path / "3", "path,label\n"))
    assert not table.recognises(tree_of(["img/a.png"]))


def test_paths_are_relative_to_the_table_in_the_folder_that_holds_all(tmp_path):
    files = {"top/cells.csv": "path\nimg/a.png\n", "top/img/a.png": b"", "top/b.png": b""}
    (image,) = table.scan(folder_of(tmp_path, files)).images
    assert image.file.name == "top/img/a.png"


def test_several_rows_of_a_path_are_its_boxes(tmp_path):
    text = (
        "path,label,subject,x1,y1,x2,y2\n"
        "img/a.png,WBC,P1,10,3,30,27\nimg/b.png,,P2,,,,\nimg/a.png,rbc,P1,0,0,40,30\n"
        "img/a.png,,P1,0,0,20,15\n"
    )
    scan = table.scan(tree(tmp_path, text))
    first, second = scan.images
    assert first.box_labels == ("white", "red", "white")
    np.testing.assert_allclose(first.boxes_cxcywhn[0], [0.5, 0.5, 0.5, 0.8])
    assert (first.label, first.subject) == (None, "P1")
    assert (second.boxes_cxcywhn.shape, second.subject) == ((0, 4), "P2")
    assert (scan.scheme, scan.problems) == (None, [])


def test_a_box_without_area_is_left_out_and_told(tmp_path):
    text = "path,x1,y1,x2,y2\nimg/a.png,1,1,1,5\nimg/a.png,1,1,5,5\n"
    scan = table.scan(tree(tmp_path, text))
    assert scan.images[0].box_labels == ("white",)
    assert reasons(scan.problems) == {"set/img/a.png": "box 1 (white) has no area"}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("../secret.png,x,P1,train", "expected a path inside the source"),
        ("/etc/passwd,x,P1,train", "expected a path inside the source"),
        ("img\\a.png,x,P1,train", "expected a path inside the source"),
        ("img/gone.png,x,P1,train", "there is no file 'img/gone.png'"),
        (",x,P1,train", "there is no file ''"),
        ("img/a.png,x,P1,later", "split is 'later'"),
        ("img/a.png,x,P1,train\nimg/a.png,x,P2,train", "different values of subject: P1, P2"),
        ("img/a.png,x,P1,train\nimg/a.png,y,P1,train", "different values of label: x, y"),
        ("img/a.png,x,P1,train\nimg/a.png,x,P1,test", "different values of split: test, train"),
    ],
)
def test_a_row_that_cannot_be_right_leaves_its_picture_out(tmp_path, rows, reason):
    (tmp_path / "secret.png").write_bytes(picture())
    text = f"path,label,subject,split\n{rows}\nimg/b.png,x,P3,test\n"
    assert reason in what_is_wrong(tree(tmp_path, text))


@pytest.mark.parametrize("corners", ["1,2,3,", "1,2,3,four", "1,2,,4"])
def test_corners_that_are_no_numbers_leave_their_picture_out(tmp_path, corners):
    text = f"path,x1,y1,x2,y2\nimg/a.png,{corners}\nimg/b.png,1,1,5,5\n"
    assert "expected x1, y1, x2 and y2 as numbers" in what_is_wrong(tree(tmp_path, text))


def test_boxes_in_what_is_no_picture_leave_it_out(tmp_path):
    text = "path,x1,y1,x2,y2\nimg/a.png,1,1,5,5\nimg/b.png,1,1,5,5\n"
    assert "is no JPEG" in what_is_wrong(tree(tmp_path, text, **{"img/a.png": b"no picture"}))


@pytest.mark.parametrize("text", ["path,path\na,b\n", "label\nx\n", "path\nimg/gone.png\n"])
def test_a_table_of_no_use_is_refused(tmp_path, text):
    with pytest.raises(DataError, match=r"set"):
        table.scan(tree(tmp_path, text))
