"""Boxes that stand twice in a source are taken once, whatever the kind of the source."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_fields import field_of, write_picture
from tests.made_trees import folder_of, picture, write_folder
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.run import run
from yolo_leuk.prepare.sources import coco, table, voc, yolo
from yolo_leuk.prepare.sources.repeated_boxes import each_box_once
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, open_tree


def image_of(boxes: list[tuple[str, tuple[float, ...]]] | None) -> SourceImage:
    file = SourceFile(Path("made"), "a.png")
    if boxes is None:
        return SourceImage(file, "a", "made")
    values = np.array([box for _, box in boxes], np.float64).reshape(-1, 4)
    labels = tuple(label for label, _ in boxes)
    return SourceImage(file, "a", "made", boxes_cxcywhn=values, box_labels=labels)


fractions = st.sampled_from([0.1, 0.25, 0.5])
labelled_boxes = st.tuples(st.sampled_from(["white", "red"]), st.tuples(*[fractions] * 4))


@given(st.lists(labelled_boxes, max_size=12))
def test_every_box_is_kept_once_in_its_order_and_each_repetition_is_noted(boxes):
    once, repeated = each_box_once(image_of(boxes))
    kept = list(zip(once.box_labels, map(tuple, once.boxes_cxcywhn.tolist()), strict=True))
    assert kept == list(dict.fromkeys(boxes))
    assert len(repeated) == len(boxes) - len(kept)
    assert all(problem.file == "made/a.png" for problem in repeated)
    again, none = each_box_once(once)
    assert again is once
    assert none == []


def test_a_box_of_another_class_or_a_bit_beside_is_no_repetition():
    place = (0.5, 0.5, 0.2, 0.2)
    boxes = [("white", place), ("red", place), ("white", (0.5, 0.5, 0.2, 0.200001))]
    image = image_of(boxes)
    once, repeated = each_box_once(image)
    assert once is image
    assert repeated == []


def test_a_picture_without_boxes_stays_one():
    image = image_of(None)
    once, repeated = each_box_once(image)
    assert once is image
    assert repeated == []


# --- every kind of source ----------------------------------------------------------------------

VOC_BOX = (
    "<object><name>WBC</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>21</ymax>"
    "</bndbox></object>"
)
COCO_BOX = {"image_id": 1, "category_id": 7, "bbox": [2, 3, 18, 18]}
SOURCES = {
    "yolo": (
        yolo,
        {
            "data.yaml": "names: [WBC]\n",
            "images/a.png": picture(),
            "labels/a.txt": "0 0.5 0.5 0.2 0.2\n" * 2,
        },
    ),
    "voc": (voc, {"a.png": picture(), "a.xml": f"<annotation>{VOC_BOX * 2}</annotation>"}),
    "coco": (
        coco,
        {
            "a.png": picture(),
            "coco.json": json.dumps(
                {
                    "images": [{"id": 1, "file_name": "a.png"}],
                    "annotations": [COCO_BOX, COCO_BOX],
                    "categories": [{"id": 7, "name": "WBC"}],
                }
            ),
        },
    ),
    "table": (
        table,
        {
            "a.png": picture(),
            "cells.csv": "path,label,x1,y1,x2,y2\n" + "a.png,WBC,2,3,20,21\n" * 2,
        },
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_repeated_box_is_taken_once_and_noted(tmp_path, kind):
    module, files = SOURCES[kind]
    scan = module.scan(folder_of(tmp_path / "set", files))
    (image,) = scan.images
    assert image.box_labels == ("white",)
    assert image.boxes_cxcywhn.shape == (1, 4)
    assert scan.problems == []
    (noted,) = scan.repeated_boxes
    assert noted.file.endswith("/a.png")
    assert noted.reason.startswith("left out: the box of white at 0.")


def test_txl_pbc_has_47_boxes_twice(real_data):
    scan = yolo.scan(open_tree(real_data / "txl-pbc"))
    of_white = [problem for problem in scan.repeated_boxes if "box of white" in problem.reason]
    assert (len(scan.repeated_boxes), len(of_white)) == (47, 7)
    assert scan.problems == []


# --- the data set that comes out ---------------------------------------------------------------


@pytest.fixture
def source(tmp_path) -> Path:
    """Fields of one white cell and eight red ones each; in one of them a white box stands twice."""
    root = tmp_path / "fields"
    write_folder(root, {"data.yaml": "names: [WBC, RBC]\n"})
    for seed, split in enumerate(("train", "train", "train", "val", "test")):
        random = np.random.default_rng(seed)
        # Beside the points of a grid: what lies on one looks like the same field, moved.
        spots = [
            (60 + 120 * (s % 4) + dx, 60 + 120 * (s // 4) + dy)
            for s, (dx, dy) in zip(
                random.permutation(12)[:9], random.integers(-35, 36, (9, 2)), strict=True
            )
        ]
        discs = [(int(x), int(y), 20) for x, y in spots]
        rgb = field_of(discs[:1], discs[1:], (480, 360), seed)
        write_picture(root / "images" / split / f"{seed}.png", rgb)
        lines = [
            f"{int(number > 0)} {x / 480:.6f} {y / 360:.6f} {40 / 480:.6f} {40 / 360:.6f}\n"
            for number, (x, y, _) in enumerate(discs)
        ]
        text = "".join([*lines, *lines[: int(seed == 0)]])
        write_folder(root, {f"labels/{split}/{seed}.txt": text})
    return root


def test_no_cell_is_cut_out_or_counted_twice_and_the_card_says_so(source, tmp_path):
    out = tmp_path / "out"
    # No file may be bad: a repeated box does not make one so.
    config = PrepareConfig(sources=(source,), out=out, task="both", folds=3, workers=1, max_bad=0.0)
    result = run(config)
    assert result.problems == ()
    assert result.counts["detect"]["train"] == {"red": 24, "white": 3}
    assert result.counts["classify"]["train"] == {"Other": 3}
    for task in ("classify", "detect"):
        card = json.loads((out / task / "dataset.json").read_text(encoding="utf-8"))
        assert card["left_out"]["repeated_boxes"] == 1
        listed = (out / task / "problems.csv").read_text(encoding="utf-8").splitlines()[1:]
        assert len(listed) == 1
        assert "fields/images/train/0.png,left out: the box of white at " in listed[0]
        assert "1 boxes stood twice" in (out / task / "README.md").read_text(encoding="utf-8")
