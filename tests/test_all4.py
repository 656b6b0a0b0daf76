"""ALL-4-class as it is downloaded."""

from __future__ import annotations

import pytest

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import all4


def tree(folder, **names: str):
    """A folder for each class with empty files of these names."""
    for label in all4.CLASSES:
        (folder / label).mkdir(parents=True)
        for name in names.get(label, "WBC-1.jpg").split("|"):
            (folder / label / name).touch()
    return folder


def test_the_four_class_folders_are_recognised_there_and_under_original(tmp_path):
    assert all4.recognises(tree(tmp_path / "a"))
    tree(tmp_path / "b" / "Original")
    assert all4.recognises(tmp_path / "b")
    (tmp_path / "a" / "Pro").rename(tmp_path / "a" / "pro-b")
    assert not all4.recognises(tmp_path / "a")
    assert not all4.recognises(tmp_path / "nothing")


def test_original_is_read_and_segmented_is_not(tmp_path):
    tree(tmp_path / "Original", Pre="WBC-Malignant-Pre-007.jpg")
    tree(tmp_path / "Segmented", Pre="WBC-Malignant-Pre-008.jpg")
    images = all4.scan(tmp_path)
    assert len(images) == 4
    assert [i.path.name for i in images if i.label == "Pre"] == ["WBC-Malignant-Pre-007.jpg"]


def test_a_picture_has_its_class_its_number_a_scale_bar_and_no_boxes(tmp_path):
    tree(tmp_path, Pro="Sap_013 (27).jpg|notes.txt")
    (image,) = (i for i in all4.scan(tmp_path) if i.label == "Pro")
    assert (image.number, image.source, image.has_scale_bar) == (27, "all4", True)
    assert image.px_per_rbc == 20.0
    assert image.boxes_cxcywhn is None
    assert image.split is None


def test_a_name_without_digits_has_no_number(tmp_path):
    tree(tmp_path, Pro="größe.JPG")
    (image,) = (i for i in all4.scan(tmp_path) if i.label == "Pro")
    assert image.number is None


def test_pictures_come_in_the_order_of_class_and_name(tmp_path):
    tree(tmp_path, Early="b.jpg|a.jpg|c.png")
    images = all4.scan(tmp_path)
    assert [i.label for i in images] == ["Benign", "Early", "Early", "Early", "Pre", "Pro"]
    assert [i.path.name for i in images[1:4]] == ["a.jpg", "b.jpg", "c.png"]


def test_another_folder_is_refused_with_the_page_to_download_from(tmp_path):
    with pytest.raises(DataError, match="Benign, Early, Pre, Pro") as caught:
        all4.scan(tmp_path)
    assert "kaggle.com" in caught.value.hint


def test_a_class_without_pictures_is_refused_with_its_folder(tmp_path):
    tree(tmp_path, Early="notes.txt")
    with pytest.raises(DataError, match=r"Early has no pictures"):
        all4.scan(tmp_path)


def test_the_real_data_set_is_complete(real_data):
    images = all4.scan(real_data / "all4")
    counts = {label: sum(i.label == label for i in images) for label in all4.CLASSES}
    assert counts == {"Benign": 504, "Early": 985, "Pre": 963, "Pro": 804}
    assert all(i.number for i in images)
