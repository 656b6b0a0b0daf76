"""Which kind of source a layout is taken for."""

from __future__ import annotations

import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.made_trees import folder_of, picture, tree_of, write_folder, write_zip
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources.kinds import KINDS, recognised
from yolo_leuk.prepare.sources.source_tree import open_tree

LAYOUTS = {
    "cnmc": {"training_data/fold_0/all/UID_1_1_1_all.bmp", "training_data/fold_0/hem/x.bmp"},
    "all4": {f"Original/{label}/a.jpg" for label in ("Benign", "Early", "Pre", "Pro")},
    "yolo": {"data.yaml", "images/train/a.jpg", "labels/train/a.txt"},
    "coco": {"annotations/instances_train.json", "train/a.jpg", "val/a.jpg"},
    "voc": {"JPEGImages/a.jpg", "Annotations/a.xml"},
    "idb1": {"im/Im001_1.jpg", "xyc/Im001_1.xyc"},
    "idb2": {"img/Im001_1.tif", "img/Im002_0.tif"},
    "masks": {"001.bmp", "001.png", "class_labels.csv"},
    "folder": {"blast/a.jpg", "normal/a.jpg", "labels.csv"},
}


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("prefix", ["", "downloaded/", "a/b/"])
def test_each_layout_is_taken_for_its_kind_with_folders_around_it_or_not(kind, prefix):
    tree = tree_of(prefix + name for name in LAYOUTS[kind])
    assert recognised(tree).name == kind


@pytest.mark.parametrize("kind", LAYOUTS)
def test_each_layout_is_recognised_in_a_zip_as_in_a_folder(tmp_path, kind):
    files = dict.fromkeys(LAYOUTS[kind], b"")
    assert recognised(open_tree(write_folder(tmp_path / "set", files))).name == kind
    assert recognised(open_tree(write_zip(tmp_path / "set.zip", files))).name == kind


def test_a_table_beats_the_folders_it_lists(tmp_path):
    files = {"cells.csv": "path,label\nx/a.jpg,1\n", "x/a.jpg": b"", "y/a.jpg": b""}
    assert recognised(folder_of(tmp_path, files)).name == "table"


def test_what_has_no_known_layout_is_refused_with_the_names_of_all():
    with pytest.raises(DataError) as caught:
        recognised(tree_of(["a.jpg", "b.jpg"]))
    assert all(kind in str(caught.value) for kind in KINDS)


def test_every_kind_has_its_own_name_and_folder():
    assert [kind.name for kind in KINDS.values()] == list(KINDS)
    folders = [kind.facts.raw_folder for kind in KINDS.values() if kind.facts]
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize(
    ("folder", "kind", "images"),
    [
        ("all4", "all4", 3256),
        ("bccd", "voc", 364),
        ("cellavision-masks", "masks", 100),
        ("cnmc", "cnmc", 1587),
        ("txl-pbc", "yolo", 1260),
    ],
)
def test_real_data_sets_are_taken_for_what_they_are(real_data, folder, kind, images):
    tree = open_tree(real_data / folder)
    found = recognised(tree)
    assert found.name == kind
    scan = found.scan(tree)
    assert len(scan.images) == images
    assert found.facts.name == scan.images[0].data_set


# --- damage ------------------------------------------------------------------------------------

VOC = """<annotation><object><name>WBC</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax>
<ymax>8</ymax></bndbox></object></annotation>"""
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 9, 8]}],
    "categories": [{"id": 1, "name": "WBC"}],
}
LABEL_FILES = {
    "cnmc": {
        "validation_data/C-NMC_test_prelim_phase_data_labels.csv": "Patient_ID,new_names,labels\n"
        "UID_57_29_1_all.bmp,1.bmp,1\n",
        "validation_data/1.bmp": "",
    },
    "yolo": {"data.yaml": "names: [WBC, RBC]", "images/a.png": "", "labels/a.txt": "0 .5 .5 .2 .2"},
    "coco": {"annotations.json": json.dumps(COCO), "a.png": picture()},
    "voc": {"a.xml": VOC, "a.png": picture()},
    "idb1": {"Im001_1.jpg": "", "Im001_1.xyc": "44 16\n16 44\n"},
    "table": {"a.csv": "path,label,x1,y1,x2,y2\na.png,WBC,1,2,9,8\n", "a.png": picture()},
    "masks": {"1.bmp": "", "1.png": "", "a.csv": "image ID,class\n1,2\n"},
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", LABEL_FILES)
@given(data=st.data())
def test_damage_to_a_label_file_is_told_and_never_ends_in_another_error(tmp_path, kind, data):
    files = {n: c.encode() if isinstance(c, str) else c for n, c in LABEL_FILES[kind].items()}
    name = data.draw(st.sampled_from([name for name, content in files.items() if content]))
    content = files[name]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 12, len(content))))
    files[name] = content[:start] + data.draw(st.binary(max_size=12)) + content[end:]
    shutil.rmtree(tmp_path)
    tree = folder_of(tmp_path, files)
    try:
        recognised(tree)
        scan = KINDS[kind].scan(tree)
    except DataError:
        return
    assert scan.images
    assert all(problem.file.startswith(tmp_path.name) for problem in scan.problems)
    assert all(str(tmp_path) not in problem.reason for problem in scan.problems)
