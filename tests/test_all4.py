"""ALL-4-class as it is downloaded, in both layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_trees import folder_of, picture, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import all4
from yolo_leuk.prepare.sources.source_tree import open_tree

OTHER_LAYOUT = ("Benign", "[Malignant] early Pre-B", "[Malignant] Pre-B", "[Malignant] Pro-B")


def names(prefix: str = "", **of_class: str) -> list[str]:
    """Names of a tree with a picture in each class folder, or with these."""
    return [
        f"{prefix}{label}/{name}"
        for label in all4.CLASSES
        for name in of_class.get(label, "WBC-1.jpg").split("|")
    ]


@pytest.mark.parametrize("prefix", ["", "Original/", "ALL-4/Original/", "leukemia/data/"])
def test_the_four_class_folders_are_recognised_wherever_they_lie(prefix):
    assert all4.recognises(tree_of(names(prefix)))
    assert all4.recognises(tree_of([*names(prefix), "README.md"]))
    assert not all4.recognises(tree_of(name for name in names(prefix) if "Pro" not in name))


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_a_folder_and_a_zip_give_the_same(tmp_path, make):
    files = dict.fromkeys([*names("all4/Original/"), *names("all4/Segmented/")], picture(224, 224))
    tree = make(tmp_path / "all4.zip", files)
    assert all4.recognises(tree)
    images = all4.scan(tree).images
    assert [image.sample_id for image in images] == [f"all4-{c}-WBC-1" for c in all4.CLASSES]
    assert all(image.file.read() == picture(224, 224) for image in images)


def test_original_is_read_and_segmented_is_the_mask_of_what_has_its_name():
    original = names("Original/", Pre="WBC-7.jpg|WBC-8.jpg")
    segmented = ["Segmented/Pre/WBC-8.jpg", "Segmented/Pre/WBC-9.jpg", "Segmented/Pro/WBC-7.jpg"]
    scan = all4.scan(tree_of([*original, *segmented]))
    assert [image.file.name for image in scan.images] == sorted(original)
    of_pre = {i.file.place.name: i for i in scan.images if i.label == "Pre"}
    assert of_pre["WBC-8.jpg"].mask.name == "Segmented/Pre/WBC-8.jpg"
    assert of_pre["WBC-8.jpg"].mask_kind == "cell-on-black"
    assert of_pre["WBC-7.jpg"].mask is None
    assert of_pre["WBC-7.jpg"].mask_kind == ""
    assert scan.unlabelled == 2


def test_masks_alone_are_no_data_set():
    assert not all4.recognises(tree_of(names("Segmented/")))
    assert not all4.recognises(tree_of(names(), Path("Segmented")))


def test_the_other_layout_has_the_same_classes():
    tree = tree_of(f"Blood cell Cancer [ALL]/{f}/Sap_013 (27).jpg" for f in OTHER_LAYOUT)
    assert all4.recognises(tree)
    scan = all4.scan(tree)
    assert [i.label for i in scan.images] == list(all4.CLASSES)
    assert [i.number for i in scan.images] == [27] * 4
    assert len({i.sample_id for i in scan.images}) == 4


def test_a_picture_has_its_class_its_number_a_scale_bar_and_no_boxes():
    scan = all4.scan(tree_of([*names(Pro="Sap_013 (27).jpg"), "Pro/notes.txt"]))
    (image,) = (i for i in scan.images if i.label == "Pro")
    assert (image.number, image.source, image.has_scale_bar) == (27, "all4", True)
    assert image.px_per_rbc == 20.0
    assert image.boxes_cxcywhn is None
    assert (image.split, image.subject, image.is_cell) == (None, "", False)


def test_larger_copies_have_larger_red_cells(tmp_path):
    tree = folder_of(tmp_path, dict.fromkeys(names(), picture(448, 448)))
    assert {i.px_per_rbc for i in all4.scan(tree).images} == {40.0}


def test_the_scheme_says_which_classes_are_blasts():
    scheme = all4.scan(tree_of(names())).scheme
    assert scheme.names == ("Benign", "Early", "Pre", "Pro")
    assert scheme.blasts == {"Early", "Pre", "Pro"}


def test_a_name_without_digits_has_no_number():
    (image,) = (i for i in all4.scan(tree_of(names(Pro="größe.JPG"))).images if i.label == "Pro")
    assert image.number is None


def test_pictures_come_in_the_order_of_class_and_name():
    images = all4.scan(tree_of(names(Early="b.jpg|a.jpg|c.png"))).images
    assert [i.label for i in images] == ["Benign", "Early", "Early", "Early", "Pre", "Pro"]
    assert [i.file.place.name for i in images[1:4]] == ["a.jpg", "b.jpg", "c.png"]


def test_pictures_that_differ_in_their_suffix_only_stay_two():
    images = all4.scan(tree_of(names(Early="a.jpg|a.png|A.bmp"))).images
    assert len({i.sample_id.lower() for i in images}) == len(images) == 6


def test_another_folder_is_refused_with_the_page_to_download_from(tmp_path):
    with pytest.raises(DataError, match="Benign, Early, Pre, Pro") as caught:
        all4.scan(open_tree(tmp_path))
    assert "kaggle.com" in caught.value.hint


def test_a_class_without_pictures_is_named():
    with pytest.raises(DataError, match="no pictures of Early"):
        all4.scan(tree_of(names(Early="notes.txt")))


def test_the_real_data_set_is_complete(real_data):
    scan = all4.scan(open_tree(real_data / "all4"))
    counts = {label: sum(i.label == label for i in scan.images) for label in all4.CLASSES}
    assert counts == {"Benign": 504, "Early": 985, "Pre": 963, "Pro": 804}
    assert all(i.number and i.px_per_rbc == 20.0 for i in scan.images)
    masks = {
        label: sum(i.mask is not None for i in scan.images if i.label == label) for label in counts
    }
    assert masks == {"Benign": 40, "Early": 200, "Pre": 40, "Pro": 40}
    assert (scan.problems, scan.unlabelled) == ([], 0)
