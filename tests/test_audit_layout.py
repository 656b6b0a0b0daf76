"""What a folder of pictures is taken for."""

from __future__ import annotations

import pytest
from made_smears import save, smear

from yolo_leuk.audit.layout import open_data_set
from yolo_leuk.errors import ConfigError, DataError, ManifestError
from yolo_leuk.manifest import COLUMNS, FILE_NAME

PICTURE = smear(0, (16, 16))


def tree(root, *names):
    for name in names:
        if name.endswith((".png", ".jpg", ".bmp")):
            save(root / name, PICTURE)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("", encoding="utf-8")
    return root


def found(data_set):
    return {picture.path: (picture.split, picture.label) for picture in data_set.pictures}


def test_folders_of_classes_below_splits(tmp_path):
    data_set = open_data_set(tree(tmp_path, "train/a/1.png", "train/b/2.png", "val/a/3.png"))
    assert found(data_set) == {
        "train/a/1.png": ("train", "a"),
        "train/b/2.png": ("train", "b"),
        "val/a/3.png": ("val", "a"),
    }
    assert (data_set.splits, data_set.classes) == (("train", "val"), ("a", "b"))


def test_folders_of_classes_without_splits_at_any_depth(tmp_path):
    data_set = open_data_set(tree(tmp_path, "Original/Pre/1.jpg", "Original/Pro/2.jpg"))
    assert found(data_set) == {"Original/Pre/1.jpg": ("", "Pre"), "Original/Pro/2.jpg": ("", "Pro")}


def test_a_folder_that_stands_alone_is_no_class(tmp_path):
    data_set = open_data_set(tree(tmp_path, "pictures/1.png", "pictures/2.png"))
    assert data_set.classes == ()
    assert data_set.layout == "pictures without classes"


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("training_data", "train"),
        ("C-NMC_training_data", "train"),
        ("validation", "val"),
        ("valid", "val"),
        ("train2017", "train"),
        ("testing_data", "test"),
        ("fold_2", "fold_2"),
        ("contest", ""),
        ("value", ""),
    ],
)
def test_a_folder_names_a_split(tmp_path, folder, split):
    assert found(open_data_set(tree(tmp_path, f"{folder}/1.png"))) == {
        f"{folder}/1.png": (split, "")
    }


def test_folds_below_the_training_data_are_splits(tmp_path):
    root = tree(tmp_path, "training_data/fold_0/all/1.bmp", "training_data/fold_1/hem/2.bmp")
    tree(
        root, "training_data/fold_0/hem/3.bmp", "validation_data/C-NMC_test_prelim_phase_data/1.bmp"
    )
    data_set = open_data_set(root)
    assert data_set.splits == ("val", "fold_0", "fold_1")
    assert data_set.classes == ("all", "hem")
    assert found(data_set)["validation_data/C-NMC_test_prelim_phase_data/1.bmp"] == ("val", "")


def test_a_detection_data_set_pairs_pictures_with_their_label_files(tmp_path):
    root = tree(tmp_path, "images/train/1.png", "labels/train/1.txt", "images/val/2.png")
    data_set = open_data_set(tree(root, "labels/val/3.txt", "labels/classes.txt", "notes.txt"))
    assert {p.path: p.label_file for p in data_set.pictures} == {
        "images/train/1.png": "labels/train/1.txt",
        "images/val/2.png": "",
    }
    assert data_set.label_files == ("labels/train/1.txt", "labels/val/3.txt")
    assert data_set.classes == ()


def test_labels_below_each_split_are_found_too(tmp_path):
    data_set = open_data_set(tree(tmp_path, "train/images/1.png", "train/labels/1.txt"))
    assert [p.label_file for p in data_set.pictures] == ["train/labels/1.txt"]
    assert data_set.pictures[0].split == "train"


def test_pascal_voc_takes_its_splits_from_its_lists(tmp_path):
    root = tree(tmp_path, "JPEGImages/a.jpg", "JPEGImages/b.jpg", "Annotations/a.xml")
    (root / "ImageSets/Main").mkdir(parents=True)
    (root / "ImageSets/Main/train.txt").write_text("a\n")
    (root / "ImageSets/Main/test.txt").write_text("b\n\n")
    data_set = open_data_set(root)
    assert found(data_set) == {"JPEGImages/a.jpg": ("train", ""), "JPEGImages/b.jpg": ("test", "")}
    assert data_set.label_files == ("Annotations/a.xml",)


def test_hidden_files_masks_and_what_links_lead_to_are_left_out(tmp_path):
    root = tree(tmp_path / "set", "a/1.png", "b/2.png", ".cache/3.png", "masks/1.png", "a/._1.png")
    elsewhere = tree(tmp_path / "elsewhere", "4.png")
    (root / "link").symlink_to(elsewhere, target_is_directory=True)
    assert list(found(open_data_set(root))) == ["a/1.png", "b/2.png"]


def manifest(root, *rows):
    lines = [",".join(COLUMNS)]
    for path, label, group, split in rows:
        lines.append(f"{path},{path},source,hash,16,16,{label},,{group},{split},0,20.0,")
    (root / FILE_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_the_contact_sheet_beside_a_manifest_is_no_picture_of_it(tmp_path):
    root = tree(tmp_path, "1.png", "contact-sheet.jpg")
    manifest(root, ("1.png", "a", "g", "train"))
    data_set = open_data_set(root)
    assert [p.path for p in data_set.pictures] == ["1.png"]
    assert data_set.unlisted == ()


def test_a_manifest_says_split_class_and_group_even_where_it_leaks(tmp_path):
    root = tree(tmp_path, "1.png", "2.png", "3.png")
    manifest(root, ("1.png", "a", "g", "train"), ("2.png", "b", "g", "test"), ("9.png", "", "", ""))
    data_set = open_data_set(root)
    assert [(p.split, p.label, p.group) for p in data_set.pictures] == [
        ("train", "a", "g"),
        ("test", "b", "g"),
        ("", "", ""),
    ]
    assert (data_set.missing, data_set.unlisted) == (("9.png",), ("3.png",))


def test_a_manifest_of_somebody_else_is_not_read_as_ours(tmp_path):
    root = tree(tmp_path, "a/1.png", "b/2.png")
    (root / FILE_NAME).write_text("path,sha256,size\nx.bmp,00,1\n")
    assert found(open_data_set(root)) == {"a/1.png": ("", "a"), "b/2.png": ("", "b")}


def test_a_manifest_that_is_no_text_is_refused(tmp_path):
    tree(tmp_path, "a/1.png")
    (tmp_path / FILE_NAME).write_bytes(b"path,split,label,group\n\xff\xfe,,,\n")
    with pytest.raises(ManifestError, match=FILE_NAME):
        open_data_set(tmp_path)


def test_a_pattern_names_the_patient_in_whatever_case(tmp_path):
    root = tree(tmp_path, "a/UID_h3_1_1_hem.bmp", "b/UID_20_1_1_all.bmp", "b/other.bmp")
    data_set = open_data_set(root, r"^UID_(H?\d+)_")
    assert [p.group for p in data_set.pictures] == ["H3", "20", ""]


def test_a_pattern_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="group_pattern"):
        open_data_set(tree(tmp_path, "1.png"), "(")


def test_the_folder_may_be_named_by_its_data_yaml(tmp_path):
    root = tree(tmp_path, "images/1.png", "data.yaml")
    assert open_data_set(root / "data.yaml").root == root


def test_a_missing_folder_and_one_without_pictures_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        open_data_set(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no pictures in .* found 1 other files"):
        open_data_set(tree(tmp_path, "a.txt"))
