"""Fields with YOLO boxes, TXL-PBC among them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import yolo


def tree(folder: Path, labels: str = "0 0.5 0.5 0.2 0.2\n", names: str = "[WBC, RBC]") -> Path:
    """One empty picture and its labels in each split."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.yaml").write_text(f"names: {names}\n", encoding="utf-8")
    for split in ("train", "val", "test"):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        (folder / "images" / split / f"{split} 1.png").touch()
        (folder / "labels" / split / f"{split} 1.txt").write_text(labels, encoding="utf-8")
    return folder


def spreadsheet(path: Path, rows: list[list[str]]) -> None:
    """The least that Excel's format needs: shared strings, and a sheet of references to them."""
    xmlns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    texts = sorted({text for row in rows for text in row})
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    cells = "".join(
        "<row>" + "".join(f'<c t="s"><v>{texts.index(t)}</v></c>' for t in row) + "</row>"
        for row in rows
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {xmlns}>{strings}</sst>")
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f"<worksheet {xmlns}><sheetData>{cells}</sheetData></worksheet>",
        )


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        yolo.scan(folder)
    return str(caught.value)


def test_the_layout_is_recognised_by_its_file_and_its_two_folders(tmp_path):
    folder = tree(tmp_path / "set")
    assert yolo.recognises(folder)
    (folder / "data.yaml").unlink()
    assert not yolo.recognises(folder)


def test_every_split_is_read_and_kept(tmp_path):
    images = yolo.scan(tree(tmp_path / "my set"))
    assert [i.split for i in images] == ["train", "val", "test"]
    assert [i.source for i in images] == ["my set"] * 3
    assert all(i.px_per_rbc is None and not i.has_scale_bar for i in images)


def test_the_folder_that_is_worked_in_has_a_name_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tree(tmp_path / "set"))
    assert yolo.scan(Path())[0].source == "set"


@pytest.mark.parametrize(
    "names", ["[WBC, RBC, Platelets]", "{0: wbc, 1: 'Red blood cell', 2: platelet}"]
)
def test_classes_take_the_names_of_the_field_whatever_the_source_calls_them(tmp_path, names):
    boxes = "1 0.5 0.5 0.2 0.2\n\n0 0.25 0.25 0.1 0.1\n2 0.1 0.1 0.05 0.05\n"
    image = yolo.scan(tree(tmp_path, boxes, names))[0]
    assert image.box_labels == ("red", "white", "platelet")
    assert image.boxes_cxcywhn.tolist()[1] == [0.25, 0.25, 0.1, 0.1]


def test_an_empty_label_file_means_no_boxes(tmp_path):
    image = yolo.scan(tree(tmp_path, "\n"))[0]
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
def test_a_line_that_is_no_box_is_refused_with_its_file_and_number(tmp_path, line):
    folder = tree(tmp_path, f"0 0.5 0.5 0.2 0.2\n{line}\n")
    message = refusal(folder)
    assert "train 1.txt, line 2" in message
    assert repr(line) in message


def test_a_picture_without_a_label_file_is_refused_with_the_file_that_is_missing(tmp_path):
    folder = tree(tmp_path)
    (folder / "labels" / "val" / "val 1.txt").unlink()
    assert "val 1.txt" in refusal(folder)


def test_a_label_file_that_is_no_text_is_refused(tmp_path):
    folder = tree(tmp_path)
    (folder / "labels" / "val" / "val 1.txt").write_bytes(b"\xff\xd8\xff")
    assert "val 1.txt" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"names: 3", b"nc: 3", b"names: [", b"\xff\xfe", b"- a"])
def test_a_description_without_class_names_is_refused_with_its_path(tmp_path, content):
    folder = tree(tmp_path)
    (folder / "data.yaml").write_bytes(content)
    assert str(folder / "data.yaml") in refusal(folder)


def test_a_data_set_without_pictures_is_refused(tmp_path):
    folder = tree(tmp_path)
    for picture in (folder / "images").rglob("*.png"):
        picture.unlink()
    assert "no pictures" in refusal(folder)


def test_a_spreadsheet_names_the_data_set_that_each_picture_was_taken_from(tmp_path):
    folder = tree(tmp_path)
    spreadsheet(
        folder / "metadata_file.xlsx",
        [
            ["No", "Source_Dataset", "New_Image_Name"],
            ["1", "BCCD", "train 1.png"],
            ["2", "Raabin", "val 1.png"],
        ],
    )
    sources = [i.source for i in yolo.scan(folder)]
    assert sources == ["txl-pbc/BCCD", "txl-pbc/Raabin", "txl-pbc"]


def test_a_spreadsheet_that_says_something_else_is_refused(tmp_path):
    folder = tree(tmp_path)
    spreadsheet(folder / "metadata_file.xlsx", [["a", "b"], ["c", "d"]])
    assert "Source_Dataset" in refusal(folder)
    (folder / "metadata_file.xlsx").write_bytes(b"no zip")
    assert "metadata_file.xlsx" in refusal(folder)


def test_the_real_data_set_is_complete(real_data):
    images = yolo.scan(real_data / "txl-pbc")
    labels = [label for image in images for label in image.box_labels]
    assert [sum(i.split == s for i in images) for s in ("train", "val", "test")] == [882, 252, 126]
    assert {name: labels.count(name) for name in set(labels)} == {
        "white": 1298, "red": 16302, "platelet": 543,
    }  # fmt: skip
    assert all("/" in image.source for image in images)
