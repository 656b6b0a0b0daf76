"""Fields with YOLO boxes, TXL-PBC among them."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.made_trees import folder_of, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import yolo
from yolo_leuk.prepare.sources.source_tree import SourceTree, open_tree

SPLITS = ("train", "val", "test")
BOX = "0 0.5 0.5 0.2 0.2\n"


def files_of(labels: str | bytes = BOX, names: str = "[WBC, RBC]") -> dict[str, str | bytes]:
    """One empty picture and its labels in each split."""
    files: dict[str, str | bytes] = {"data.yaml": f"names: {names}\n"}
    for split in SPLITS:
        files[f"images/{split}/{split} 1.png"] = b""
        files[f"labels/{split}/{split} 1.txt"] = labels
    return files


def tree(tmp_path, **files: str | bytes | None) -> SourceTree:
    """The tree of ``files_of``, with other content for some of its files."""
    changed = {**files_of(), **{name.replace("__", "/"): c for name, c in files.items()}}
    kept = {name: content for name, content in changed.items() if content is not None}
    return folder_of(tmp_path / "set", kept)


def spreadsheet(rows: list[list[str]]) -> bytes:
    """The least that Excel's format needs: shared strings, and a sheet of references to them."""
    xmlns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    texts = sorted({text for row in rows for text in row})
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    cells = "".join(
        "<row>" + "".join(f'<c t="s"><v>{texts.index(t)}</v></c>' for t in row) + "</row>"
        for row in rows
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {xmlns}>{strings}</sst>")
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f"<worksheet {xmlns}><sheetData>{cells}</sheetData></worksheet>",
        )
    return stream.getvalue()


# --- layouts -----------------------------------------------------------------------------------


def test_the_layout_is_recognised_by_its_file_and_its_two_folders():
    names = list(files_of())
    assert yolo.recognises(tree_of(names))
    assert yolo.recognises(tree_of(f"set-main/{name}" for name in names))
    for missing in ("data.yaml", "images", "labels"):
        assert not yolo.recognises(tree_of(name for name in names if missing not in name))


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_every_split_is_read_and_kept(tmp_path, make):
    images = yolo.scan(make(tmp_path / "my set", files_of())).images
    assert [i.split for i in images] == ["train", "val", "test"]
    assert [i.source for i in images] == ["my set"] * 3
    assert [i.key for i in images] == ["train-train 1", "val-val 1", "test-test 1"]
    assert all(i.px_per_rbc is None and not i.has_scale_bar for i in images)


def test_splits_may_stand_above_images_and_labels(tmp_path):
    files = {
        "data.yaml": "names: [WBC]",
        "train/images/a.jpg": b"",
        "train/labels/a.txt": BOX,
        "valid/images/a.jpg": b"",
        "valid/labels/a.txt": BOX,
    }
    made = folder_of(tmp_path, files)
    assert yolo.recognises(made)
    images = yolo.scan(made).images
    assert [(i.split, i.key) for i in images] == [("train", "train-a"), ("val", "valid-a")]


def test_folders_without_splits_have_none(tmp_path):
    files = {"data.yaml": "names: [WBC]", "images/a.jpg": b"", "labels/a.txt": BOX}
    (image,) = yolo.scan(folder_of(tmp_path, files)).images
    assert (image.split, image.key) == (None, "a")


def test_the_folder_that_is_worked_in_has_a_name_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tree(tmp_path).root)
    assert yolo.scan(open_tree(tmp_path.__class__())).images[0].source == "set"


# --- classes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", ["[WBC, RBC, Platelets]", "{0: wbc, 1: 'Red blood cell', 2: platelet}"]
)
def test_classes_take_the_names_of_the_field_whatever_the_source_calls_them(tmp_path, names):
    boxes = "1 0.5 0.5 0.2 0.2\n\n0 0.25 0.25 0.1 0.1\n2 0.1 0.1 0.05 0.05\n"
    scan = yolo.scan(folder_of(tmp_path, files_of(boxes, names)))
    image = scan.images[0]
    assert image.box_labels == ("red", "white", "platelet")
    assert image.boxes_cxcywhn.tolist()[1] == [0.25, 0.25, 0.1, 0.1]
    assert scan.scheme is None


def test_classes_of_its_own_keep_their_names_and_order(tmp_path):
    scan = yolo.scan(folder_of(tmp_path, files_of(BOX, "[lymphoblast, RBC]")))
    assert scan.scheme.names == ("lymphoblast", "red")
    assert scan.images[0].box_labels == ("lymphoblast",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"names: 3",
        b"names: WBC",
        b"nc: 3",
        b"names: [",
        b"\xff\xfe",
        b"- a",
        b"a: &a [x]\nnames: [*a, *a]",
    ],
)
def test_a_description_without_class_names_is_refused_with_its_path(tmp_path, content):
    made = tree(tmp_path, **{"data.yaml": content})
    with pytest.raises(DataError) as caught:
        yolo.scan(made)
    assert f"{made.root}/data.yaml" in str(caught.value)


# --- label files -------------------------------------------------------------------------------


def test_an_empty_label_file_means_no_boxes(tmp_path):
    image = yolo.scan(folder_of(tmp_path, files_of("\n"))).images[0]
    assert image.boxes_cxcywhn.shape == (0, 4)
    assert image.box_labels == ()


@pytest.mark.parametrize(
    "line",
    [
        "0 0.5 0.5 0.2",
        "0 0.5 0.5 0.2 0.2 0.9",
        "2 0.5 0.5 0.2 0.2",
        "-1 0.5 0.5 0.2 0.2",
        "white 0.5 0.5 0.2 0.2",
        "0.5 0.5 0.5 0.2 0.2",
        "0 nan 0.5 0.2 0.2",
        "0 320 240 64 48",
        "0 0.5 0.5 -0.2 0.2",
        "0 0,5 0,5 0,2 0,2",
    ],
)
def test_a_line_that_is_no_box_leaves_its_picture_out_and_is_told(tmp_path, line):
    scan = yolo.scan(tree(tmp_path, **{"labels/val/val 1.txt": f"{BOX}{line}\n"}))
    assert [i.split for i in scan.images] == ["train", "test"]
    (found,) = reasons(scan.problems).items()
    assert found[0] == "set/images/val/val 1.png"
    assert found[1].startswith("set/labels/val/val 1.txt, line 2: expected")
    assert repr(line) in found[1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "has no label file labels/val/val 1.txt"), (b"\xff\xd8\xff", "is not UTF-8 text")],
)
def test_a_picture_whose_label_file_is_missing_or_no_text_is_left_out(tmp_path, content, reason):
    scan = yolo.scan(tree(tmp_path, **{"labels/val/val 1.txt": content}))
    assert len(scan.images) == 2
    assert reason in reasons(scan.problems)["set/images/val/val 1.png"]


def test_a_label_file_without_a_picture_is_told(tmp_path):
    scan = yolo.scan(tree(tmp_path, **{"labels/val/other.txt": BOX}))
    assert len(scan.images) == 3
    assert reasons(scan.problems) == {
        "set/labels/val/other.txt": "is a label file without a picture"
    }


def test_a_box_without_area_is_left_out_and_told(tmp_path):
    scan = yolo.scan(tree(tmp_path, **{"labels/val/val 1.txt": f"{BOX}1 0.5 0.5 0 0.2\n"}))
    assert [len(i.box_labels) for i in scan.images] == [1, 1, 1]
    assert reasons(scan.problems) == {"set/labels/val/val 1.txt": "line 2: the box has no area"}


def test_a_data_set_of_which_nothing_can_be_used_is_refused_with_the_first_reason(tmp_path):
    with pytest.raises(
        DataError, match=r"no picture that can be used; first of 3 problems: .*line 1"
    ):
        yolo.scan(folder_of(tmp_path, files_of("broken")))


# --- TXL-PBC's spreadsheet ---------------------------------------------------------------------


def test_a_spreadsheet_names_the_data_set_that_each_picture_was_taken_from(tmp_path):
    rows = [
        ["No", "Source_Dataset", "New_Image_Name"],
        ["1", "BCCD", "train 1.png"],
        ["2", "Raabin", "val 1.png"],
    ]
    made = tree(tmp_path, **{"metadata_file.xlsx": spreadsheet(rows)})
    sources = [i.source for i in yolo.scan(made).images]
    assert sources == ["txl-pbc/BCCD", "txl-pbc/Raabin", "txl-pbc"]


@pytest.mark.parametrize(
    "content",
    [
        b"no zip",
        spreadsheet([["a", "b"], ["c", "d"]]),
        spreadsheet([["a"]]).replace(b"<t>", b"<&>"),
    ],
)
def test_a_spreadsheet_that_says_something_else_is_refused(tmp_path, content):
    with pytest.raises(DataError, match=r"metadata_file\.xlsx"):
        yolo.scan(tree(tmp_path, **{"metadata_file.xlsx": content}))


def test_the_real_data_set_is_complete(real_data):
    scan = yolo.scan(open_tree(real_data / "txl-pbc"))
    labels = [label for image in scan.images for label in image.box_labels]
    assert [sum(i.split == s for i in scan.images) for s in SPLITS] == [882, 252, 126]
    assert {name: labels.count(name) for name in set(labels)} == {
        "white": 1291, "red": 16262, "platelet": 543,
    }  # fmt: skip
    assert all("/" in image.source for image in scan.images)
    assert (scan.problems, scan.unlabelled, scan.scheme) == ([], 0, None)
