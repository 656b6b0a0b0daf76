"""ALL-IDB1 and ALL-IDB2: the label in the name, the centres of blasts beside it."""

from __future__ import annotations

import pytest

from tests.made_trees import folder_of, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import idb1, idb2
from yolo_leuk.prepare.sources.source_tree import SourceTree


def fields(tmp_path, make=folder_of, **xyc: str | bytes) -> SourceTree:
    """Two fields, the first with blasts; others of the ``.xyc`` files by name."""
    files = {
        "im/Im001_1.jpg": b"",
        "im/Im002_0.jpg": b"",
        "xyc/Im001_1.xyc": "446\t164\n168 442\n",
        "xyc/Im002_0.xyc": "",
    }
    changed = {f"xyc/{name}.xyc": content for name, content in xyc.items()}
    return make(tmp_path / "ALL_IDB1", {**files, **changed})


def test_both_parts_are_recognised_by_their_names():
    first = tree_of(["ALL_IDB1/im/Im001_1.jpg", "ALL_IDB1/xyc/Im001_1.xyc"])
    second = tree_of(["ALL_IDB2/img/Im001_1.tif"])
    assert (idb1.recognises(first), idb2.recognises(first)) == (True, False)
    assert (idb1.recognises(second), idb2.recognises(second)) == (False, True)
    assert not idb1.recognises(tree_of(["Im001.jpg", "Im001_2.jpg", "xIm001_1.jpg"]))


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_a_field_has_its_label_and_the_centres_of_its_blasts(tmp_path, make):
    scan = idb1.scan(fields(tmp_path, make))
    ill, healthy = scan.images
    assert (ill.label, ill.number, ill.centres_xy) == ("ALL", 1, ((446.0, 164.0), (168.0, 442.0)))
    assert (healthy.label, healthy.number, healthy.centres_xy) == ("healthy", 2, ())
    assert (ill.source, ill.sample_id) == ("all-idb1", "all-idb1-Im001_1")
    assert not ill.is_cell
    assert ill.boxes_cxcywhn is None
    assert scan.scheme.blasts == {"ALL"}
    assert (scan.problems, scan.unlabelled) == ([], 0)


def test_fields_without_any_file_of_centres_have_none():
    scan = idb1.scan(tree_of(["Im001_1.jpg", "Im002_0.JPG"]))
    assert [image.centres_xy for image in scan.images] == [(), ()]
    assert not scan.problems


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("Im001_1", "446\n", "line 1: expected 'x y', found '446'"),
        ("Im001_1", "1 2\n1 2 3\n", "line 2: expected 'x y', found '1 2 3'"),
        ("Im001_1", "a b\n", "line 1: expected 'x y', found 'a b'"),
        ("Im001_1", "nan 2\n", "line 1: 'nan 2' is no place in a picture"),
        ("Im001_1", "-1 2\n", "line 1: '-1 2' is no place in a picture"),
        ("Im001_1", b"\xff", "is not UTF-8 text"),
        ("Im001_1", "", "is named as ALL, but has 0 centres of blasts"),
        ("Im002_0", "5 5\n", "is named as healthy, but has 1 centres of blasts"),
    ],
)
def test_centres_that_cannot_be_right_leave_their_field_out(tmp_path, name, content, reason):
    scan = idb1.scan(fields(tmp_path, **{name: content}))
    assert len(scan.images) == 1
    assert reason in reasons(scan.problems)[f"ALL_IDB1/im/{name}.jpg"]


def test_a_cell_has_its_label_in_its_name():
    scan = idb2.scan(tree_of(["img/Im001_1.tif", "img/im131_0.TIFF", "img/other.tif"]))
    blast, normal = scan.images
    assert (blast.label, blast.number, blast.is_cell) == ("blast", 1, True)
    assert (normal.label, normal.number) == ("normal", 131)
    assert blast.sample_id == "all-idb2-Im001_1"
    assert scan.scheme.blasts == {"blast"}
    assert scan.unlabelled == 1


def test_another_folder_is_refused():
    for part in (idb1, idb2):
        with pytest.raises(DataError, match="no picture that can be used"):
            part.scan(tree_of(["a.jpg", "b.tif"]))
