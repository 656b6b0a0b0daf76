"""What is said of each source when its pictures are listed."""

from __future__ import annotations

from tests.made_trees import folder_of
from yolo_leuk.prepare.scanning import scan_sources

BOX = "0 0.5 0.5 0.2 0.2\n"


def told_of(root) -> str:
    told: list[str] = []
    scan_sources([root], "auto", {}, told.append)
    (sentence,) = told
    return sentence


def test_a_split_that_a_source_brings_is_told(tmp_path):
    files = {"data.yaml": "names: [WBC]\n"}
    for split, count in (("test", 1), ("train", 3), ("val", 2)):
        for number in range(count):
            files[f"images/{split}/{split}{number}.png"] = ""
            files[f"labels/{split}/{split}{number}.txt"] = BOX
    root = folder_of(tmp_path / "set", files).root
    assert told_of(root) == (
        f"{root}: taken for yolo, 6 pictures, its own split kept (3 train, 2 val, 1 test)"
    )


def test_pictures_without_a_label_are_told_and_a_split_that_is_not_there_is_not(tmp_path):
    files = {
        "training_data/fold_0/all/UID_1_1_1_all.bmp": "",
        "testing_data/C-NMC_test_final_phase_data/1.bmp": "",
    }
    root = folder_of(tmp_path / "cnmc", files).root
    assert told_of(root) == f"{root}: taken for cnmc, 1 pictures, 1 without a label left out"
