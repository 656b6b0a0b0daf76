"""Single white cells with masks, the CellaVision pictures among them."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.made_trees import folder_of, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import masked_cells
from yolo_leuk.prepare.sources.source_tree import open_tree


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("001.bmp", "001.png"),
        ("a.jpg", "a_mask.png"),
        ("a.png", "a_mask.png"),
        ("images/a.jpg", "masks/a.png"),
        ("Image/x/a.png", "Mask/x/a.png"),
        ("train/images/a.png", "train/masks/a_mask.png"),
    ],
)
def test_a_mask_is_found_beside_its_picture_in_each_layout(picture, mask):
    tree = tree_of([f"set/{picture}", f"set/{mask}", "set/readme.txt"])
    assert masked_cells.recognises(tree)
    (image,) = masked_cells.scan(tree).images
    assert (image.file.name, image.mask.name) == (f"set/{picture}", f"set/{mask}")
    assert (image.mask_kind, image.is_cell, image.label) == ("values", True, None)


def test_pictures_without_masks_are_taken_where_most_have_one():
    names = ["1.bmp", "1.png", "2.bmp", "2.png", "3.bmp"]
    scan = masked_cells.scan(tree_of(names))
    assert masked_cells.recognises(tree_of(names))
    assert [image.mask is None for image in scan.images] == [False, False, True]
    assert [image.mask_kind for image in scan.images] == ["values", "values", ""]
    assert scan.scheme is None
    assert not masked_cells.recognises(tree_of(["1.bmp", "1.png", "2.bmp", "3.bmp", "4.bmp"]))


def test_masks_of_one_name_in_two_folders_stay_with_their_pictures():
    images = masked_cells.scan(tree_of(["x/1.bmp", "x/1.png", "y/1.bmp", "y/1.png"])).images
    assert [image.mask.name for image in images] == ["x/1.png", "y/1.png"]
    assert len({image.sample_id for image in images}) == 2


@pytest.mark.parametrize("make", [folder_of, zip_of])
@pytest.mark.parametrize("name", ["Dataset 2/class_labels.csv", "Class Labels of Dataset 2.csv"])
def test_a_table_gives_the_class_by_number(tmp_path, make, name):
    files = {name: "image ID,class\n1,2\n10,5\n", "readme.txt": ""}
    files |= dict.fromkeys(f"Dataset 2/{n}.{s}" for n in ("001", "010") for s in ("bmp", "png"))
    scan = masked_cells.scan(make(tmp_path / "set", {k: v or b"" for k, v in files.items()}))
    assert [image.label for image in scan.images] == ["lymphocyte", "basophil"]
    assert {image.source for image in scan.images} == {"cellavision-masks"}
    assert scan.scheme.names[0] == "neutrophil"
    assert not scan.scheme.blasts


@pytest.mark.parametrize("rows", ["2,1", "1,6", "1,", "1,x"])
def test_a_picture_without_a_class_in_the_table_is_left_out(tmp_path, rows):
    files = {"a.csv": f"image ID,class\n{rows}\n3,3\n"}
    files |= dict.fromkeys(("001.bmp", "001.png", "003.bmp", "003.png"), b"")
    scan = masked_cells.scan(folder_of(tmp_path / "set", files))
    assert [image.label for image in scan.images] == ["monocyte"]
    assert "expected 1–5" in reasons(scan.problems)["set/001.bmp"]


def test_a_table_that_cannot_be_read_is_told_and_the_cells_have_no_class(tmp_path):
    files = {"a.csv": b"\xff\xfe", "1.bmp": b"", "1.png": b""}
    scan = masked_cells.scan(folder_of(tmp_path / "set", files))
    assert scan.images[0].label is None
    assert list(reasons(scan.problems)) == ["set/a.csv"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match="no picture that can be used"):
        masked_cells.scan(open_tree(tmp_path))


def test_the_real_data_set_is_complete(real_data):
    scan = masked_cells.scan(open_tree(real_data / "cellavision-masks"))
    assert Counter(image.label for image in scan.images) == {
        "neutrophil": 33, "lymphocyte": 37, "monocyte": 15, "eosinophil": 12, "basophil": 3,
    }  # fmt: skip
    assert all(image.mask.place.stem == image.file.place.stem for image in scan.images)
    assert (scan.problems, scan.unlabelled) == ([], 0)
