"""Class balance, groups and file formats."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from made_smears import save, smear

from yolo_leuk.audit.balance import balance_of
from yolo_leuk.audit.formats import formats_of
from yolo_leuk.audit.groups import groups_across_splits
from yolo_leuk.audit.jpeg_quality import jpeg_quality
from yolo_leuk.audit.layout import open_data_set
from yolo_leuk.audit.pictures import Picture
from yolo_leuk.audit.probe import trials_of
from yolo_leuk.audit.scan import scan


def picture(**facts):
    return Picture(file=Path("x"), data_set="x", path="x", **facts)


# --- balance -------------------------------------------------------------------------------------


def test_pictures_are_counted_by_split_and_class():
    balance = balance_of(
        [("test", "a"), ("train", "a"), ("train", "a"), ("train", "b")], ["train", "test"]
    )
    assert balance.counts == {"train": {"a": 2, "b": 1}, "test": {"a": 1, "b": 0}}
    assert list(balance.counts) == ["train", "test"]
    assert balance.ratio == 3
    assert balance.absent == (("test", "b"),)


def test_a_split_without_any_label_lacks_no_class():
    balance = balance_of([("train", "a"), ("train", "b"), ("test", "")], ["train", "test"])
    assert balance.absent == ()
    assert balance.counts["test"] == {"a": 0, "b": 0, "no class": 1}


def test_without_two_classes_there_is_no_ratio():
    assert balance_of([("", ""), ("", "a")], []).ratio is None
    assert balance_of([], []).counts == {}


# --- groups --------------------------------------------------------------------------------------


def test_a_group_in_two_splits_is_found():
    groups = groups_across_splits(
        [
            picture(group="20", split="train"),
            picture(group="20", split="test"),
            picture(group="20", split="test"),
            picture(group="21", split="test"),
        ]
    )
    assert [(g.what, g.name, g.splits) for g in groups.across] == [
        ("group", "20", {"test": 2, "train": 1})
    ]
    assert groups.count == 2


def test_two_cells_of_one_file_in_two_splits_are_found_though_their_groups_differ():
    groups = groups_across_splits(
        [
            picture(group="1", split="train", source_sha256="00"),
            picture(group="2", split="test", source_sha256="00"),
        ]
    )
    assert [(g.what, g.name) for g in groups.across] == [("source file", "00")]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [({"split": "train"}, "nothing in this data set names"), ({"group": "1"}, "no splits")],
)
def test_it_is_said_why_nothing_is_known_of_groups(facts, reason):
    assert reason in groups_across_splits([picture(**facts)]).reason


# --- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [25, 30, 50, 75, 90, 95, 100])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(tmp_path, quality):
    content = save(tmp_path / "a.jpg", smear(0), quality).read_bytes()
    assert jpeg_quality(content) == pytest.approx(quality, abs=1)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xdb", b"\xff\xd8\xff\xdb\0\5\0"]
)
def test_a_jpeg_without_tables_has_no_quality(content):
    assert jpeg_quality(content) is None


def formats_in(root):
    pictures = open_data_set(root).pictures
    facts = scan([p.file for p in pictures], with_clues=False, workers=1)
    trials = trials_of(
        [p.split for p in pictures], [p.label for p in pictures], [""] * len(pictures), 0
    )
    return formats_of(pictures, facts, trials)


def test_a_size_that_goes_with_the_class_is_found(tmp_path):
    for number in range(40):
        save(tmp_path / f"a/{number}.png", smear(number, (32, 32)))
        save(tmp_path / f"b/{number}.png", smear(number, (32, 40)))
    properties = {p.name: p for p in formats_in(tmp_path).properties}
    assert properties["size"].counts == {"32×32": {"a": 40}, "32×40": {"b": 40}}
    assert properties["size"].scores[0].is_above_chance
    assert properties["suffix"].scores == ()
    assert "JPEG quality" not in properties


def test_a_jpeg_called_png_is_misnamed(tmp_path):
    save(tmp_path / "a.png", smear(0))
    save(tmp_path / "b.jpg", smear(1)).rename(tmp_path / "b.png")
    formats = formats_in(tmp_path)
    assert [p.path for p in formats.misnamed] == ["b.png"]
    assert cv2.imread(str(tmp_path / "b.png")) is not None
