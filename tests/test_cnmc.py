"""C-NMC 2019: labels and patients from names, folds from folders, the rest from its table."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.made_trees import folder_of, reasons, tree_of, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import cnmc
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree, open_tree

TABLE = "validation_data/C-NMC_test_prelim_phase_data_labels.csv"
VALIDATION = "validation_data/C-NMC_test_prelim_phase_data"
HEAD = "Patient_ID,new_names,labels\r\n"


def the_image(name: str):
    (image,) = cnmc.scan(tree_of([name])).images
    return image


def what_is_wrong(tree: SourceTree) -> dict[str, str]:
    return reasons(cnmc.scan(tree).problems)


@pytest.mark.parametrize("suffix", ["bmp", "webp", "PNG", "tif"])
@pytest.mark.parametrize(
    "folder",
    ["training_data/fold_1", "C-NMC_Leukemia/training_data/fold_1", "C-NMC_training_data/fold_1"],
)
def test_a_leukemic_cell_is_told_by_its_name_in_any_format(folder, suffix):
    image = the_image(f"{folder}/all/UID_14_26_2_all.{suffix}")
    assert (image.label, image.subject, image.fold) == ("all", "14", 1)
    assert (image.source, image.sample_id) == ("cnmc", "cnmc-UID_14_26_2_all")
    assert image.is_cell
    assert image.split is None


@pytest.mark.parametrize(
    ("name", "subject"), [("UID_H10_3_1_hem", "H10"), ("UID_h3_10_1_hem", "H3")]
)
def test_a_normal_cell_has_a_subject_with_a_capital_h(name, subject):
    image = the_image(f"training_data/fold_2/hem/{name}.bmp")
    assert (image.label, image.subject, image.fold) == ("hem", subject, 2)


def test_all_is_the_blast_class():
    assert cnmc.SCHEME.names == ("hem", "all")
    assert cnmc.SCHEME.blasts == {"all"}


@pytest.mark.parametrize(
    "names",
    [
        ["training_data/fold_0/all/UID_1_1_1_all.bmp"],
        ["all/UID_1_1_1_all.webp", "hem/UID_H1_1_1_hem.webp"],
        ["UID_H1_1_1_hem.png"],
        [TABLE, f"{VALIDATION}/1.bmp"],
    ],
)
def test_the_layout_is_recognised_by_its_names(names):
    assert cnmc.recognises(tree_of(names))
    assert cnmc.recognises(tree_of(f"C-NMC_Leukemia/{name}" for name in names))


@pytest.mark.parametrize("name", ["all/1.bmp", "UID_1_1_all.bmp", "UID_H1_1_1_all.bmp", "a.csv"])
def test_other_names_are_not_recognised(name):
    assert not cnmc.recognises(tree_of([name]))


def test_one_fold_alone_knows_which_it_is():
    tree = tree_of(["hem/UID_H1_1_1_hem.bmp", "all/UID_1_1_1_all.bmp"], Path("raw/fold_2"))
    assert {image.fold for image in cnmc.scan(tree).images} == {2}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fold_0/hem/UID_1_1_1_all.bmp", "is named as all and lies in the folder hem"),
        ("fold_0/all/UID_H1_1_1_hem.bmp", "is named as hem and lies in the folder all"),
        ("fold_0/all/UID_H1_1_1_all.bmp", "is named UID_H1_1_1_all; expected"),
        ("fold_0/hem/UID_1_1_1_hem.bmp", "is named UID_1_1_1_hem; expected"),
        ("fold_0/hem/cell.bmp", "is named cell; expected"),
    ],
)
def test_a_picture_that_contradicts_itself_is_left_out_and_told(name, reason):
    wrong = what_is_wrong(tree_of([name, "fold_0/all/UID_2_1_1_all.bmp"]))
    assert list(wrong) == [f"made/{name}"]
    assert wrong[f"made/{name}"].startswith(reason)


# --- validation and test -----------------------------------------------------------------------


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_the_table_names_and_labels_the_validation_pictures_in_any_format(tmp_path, make):
    table = HEAD + "UID_57_29_1_all.bmp,1.bmp,1\r\nUID_H49_35_1_hem.bmp,2.bmp,0\r\n"
    files = {TABLE: table, f"{VALIDATION}/1.bmp": b"", f"{VALIDATION}/2.webp": b""}
    first, second = cnmc.scan(make(tmp_path / "cnmc.zip", files)).images
    assert (first.label, first.subject, first.key) == ("all", "57", "validation-1")
    assert (second.label, second.subject, second.key) == ("hem", "H49", "validation-2")
    assert (first.fold, first.split) == (None, "test")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("UID_57_29_1_all.bmp,2.bmp,1\n", "expected one row for 1 in the table of labels, found 0"),
        (
            "UID_57_29_1_all.bmp,1.bmp,1\nUID_58_29_1_all.bmp,1.bmp,1\n",
            "expected one row for 1 in the table of labels, found 2",
        ),
        ("UID_57_29_1_all.bmp,1.bmp,0\n", "the table of labels calls it UID_57_29_1_all and"),
        ("UID_57_29_1_all.bmp,1.bmp,\n", "the table of labels calls it UID_57_29_1_all and"),
        ("who,1.bmp,1\n", "is named who; expected"),
    ],
)
def test_a_row_that_cannot_be_right_leaves_its_picture_out(tmp_path, rows, reason):
    files = {TABLE: HEAD + rows, f"{VALIDATION}/1.bmp": b"", "fold_0/all/UID_2_1_1_all.bmp": b""}
    (wrong,) = what_is_wrong(folder_of(tmp_path / "cnmc", files)).items()
    assert wrong[0] == f"cnmc/{VALIDATION}/1.bmp"
    assert wrong[1].startswith(reason)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", HEAD.encode()])
def test_a_table_that_cannot_be_read_leaves_the_training_cells_usable(tmp_path, content):
    files = {TABLE: content, f"{VALIDATION}/1.bmp": b"", "fold_0/all/UID_2_1_1_all.bmp": b""}
    scan = cnmc.scan(folder_of(tmp_path / "cnmc", files))
    assert [image.key for image in scan.images] == ["UID_2_1_1_all"]
    assert list(reasons(scan.problems)) == [f"cnmc/{TABLE}"]
    assert scan.unlabelled == 1


def test_pictures_of_the_final_test_are_counted_and_not_taken():
    tests = [f"testing_data/C-NMC_test_final_phase_data/{n}.bmp" for n in range(3)]
    scan = cnmc.scan(tree_of([*tests, "training_data/fold_0/all/UID_1_1_1_all.bmp"]))
    assert len(scan.images) == 1
    assert (scan.unlabelled, scan.problems) == (3, [])


def test_a_source_without_a_labelled_cell_is_refused():
    with pytest.raises(DataError, match="no picture that can be used"):
        cnmc.scan(tree_of([f"{VALIDATION}/1.bmp"]))


# --- the real data set -------------------------------------------------------------------------


def test_the_real_folder_has_1575_cells_for_training_and_12_for_validation(real_data):
    scan = cnmc.scan(open_tree(real_data / "cnmc"))
    folds = Counter(image.fold is None for image in scan.images)
    assert folds == {False: 1575, True: 12}
    training = Counter(image.label for image in scan.images if image.fold is not None)
    assert training == {"all": 848, "hem": 727}
    assert (scan.problems, scan.unlabelled) == ([], 0)


def test_the_names_of_the_whole_data_set_give_its_published_counts(real_data):
    scan = cnmc.scan(whole_tree(real_data / "cnmc"))
    training = [image for image in scan.images if image.fold is not None]
    validation = [image for image in scan.images if image.fold is None]
    assert Counter(image.label for image in training) == {"all": 7272, "hem": 3389}
    assert Counter(image.label for image in validation) == {"all": 1219, "hem": 648}
    assert Counter(image.fold for image in training) == {0: 3527, 1: 3581, 2: 3553}
    subjects = {image.subject for image in training}
    others = {image.subject for image in validation}
    assert (len(subjects), len(others), subjects & others) == (73, 28, set())
    assert sum(image.subject == "H3" for image in training) == 36
    assert scan.unlabelled == 2586
    assert scan.problems == []
    assert len({image.sample_id for image in scan.images}) == 12_528


def whole_tree(folder: Path) -> SourceTree:
    """The names of all files; of these, the table is read where it lies."""
    with (folder / "manifest.csv").open(newline="") as stream:
        names = sorted(row["path"] for row in csv.DictReader(stream))
    files = [SourceFile(Path("downloaded"), name) for name in names]
    table = "C-NMC_test_prelim_phase_data_labels.csv"
    here = SourceFile(folder, f"validation_data/{table}")
    return SourceTree(
        Path("downloaded"), tuple(here if f.name.endswith(table) else f for f in files)
    )
