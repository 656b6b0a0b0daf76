"""What is known of the real data sets, found again."""

from __future__ import annotations

from collections import Counter

import pytest

from yolo_leuk.audit.duplicates import find_duplicates
from yolo_leuk.audit.layout import open_data_set
from yolo_leuk.audit.run import AuditConfig, run
from yolo_leuk.audit.scan import scan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def txl_pbc(real_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("txl-pbc") / "out"
    config = AuditConfig(data=real_data / "txl-pbc", against=real_data / "bccd", out=out)
    return run(config).audit


def test_160_pictures_of_bccd_lie_in_txl_pbc_byte_for_byte(txl_pbc):
    across = [d for d in txl_pbc.duplicates.exact if d.across_data_sets]
    assert len(across) == 160
    assert all(duplicate.same_bytes for duplicate in across)


def test_fields_of_txl_pbc_were_photographed_twice_and_lie_in_two_splits(txl_pbc):
    assert sum(duplicate.across_splits for duplicate in txl_pbc.duplicates.near) >= 10
    assert {duplicate.turn for duplicate in txl_pbc.duplicates.near} == {"as it is"}


def test_many_png_files_of_txl_pbc_are_jpeg_inside(txl_pbc):
    assert len(txl_pbc.formats.misnamed) == 1160


def test_the_boxes_of_txl_pbc_are_counted_and_those_that_stand_twice_found(txl_pbc):
    assert Counter(label for _, label in txl_pbc.labels.boxes) == {
        "WBC": 1298,
        "RBC": 16302,
        "Platelets": 543,
    }
    assert txl_pbc.labels.counts == {"twice": 47}


def test_two_boxes_of_bccd_have_no_area(real_data, tmp_path):
    audit = run(AuditConfig(data=real_data / "bccd", out=tmp_path / "out")).audit
    assert audit.labels.counts == {"no_area": 2}
    assert len(audit.labels.boxes) == 4155 + 372 + 361
    assert audit.data_set.splits == ("train", "val", "test")


def test_40_pictures_of_the_pro_class_are_there_twice(real_data):
    pictures = open_data_set(real_data / "all4/Original/Pro").pictures
    facts = scan([p.file for p in pictures], with_clues=False, workers=2)
    found = find_duplicates(pictures, facts, len(pictures), workers=2)
    assert sum(len(duplicate.pictures) - 1 for duplicate in found.exact) == 40
    assert all(duplicate.same_bytes for duplicate in found.exact)


@pytest.fixture(scope="module")
def all4(real_data, tmp_path_factory):
    """Every third picture of ALL-4."""
    root = tmp_path_factory.mktemp("all4")
    for file in sorted((real_data / "all4/Original").rglob("*.jpg"))[::3]:
        (root / file.parent.name).mkdir(exist_ok=True)
        (root / file.parent.name / file.name).symlink_to(file)
    return run(AuditConfig(data=root, out=root.parent / "out")).audit


def test_the_scale_bar_of_all4_is_found_by_itself(all4):
    assert [r.region for r in all4.shortcuts.regions if r.stands_out] == ["lower right"]
    corner = next(r for r in all4.shortcuts.regions if r.region == "lower right")
    assert corner.scores[-1].balanced_accuracy > corner.others + 0.2


def test_every_corner_and_strip_of_all4_predicts_the_class_better_than_chance(all4):
    assert all(region.scores[-1].is_above_chance for region in all4.shortcuts.regions)


def test_colour_alone_gives_the_class_of_all4_away_with_and_without_its_cells(all4):
    assert all4.shortcuts.colour_only[-1].accuracy > 0.9
    assert all4.shortcuts.without_cells[-1].accuracy > 0.9
    assert "optimistic" in all4.shortcuts.trials.warning


def test_fields_of_all4_that_overlap_are_found_and_no_others(all4):
    for duplicate in all4.duplicates.near:
        assert not duplicate.across_classes
        assert duplicate.turn == "as it is"


def test_cells_of_cnmc_are_near_duplicates_of_the_same_patient_only(real_data, tmp_path):
    audit = run(AuditConfig(data=real_data / "cnmc", out=tmp_path / "out")).audit
    assert len(audit.duplicates.near) > 40
    for duplicate in audit.duplicates.near:
        assert len({picture.group for picture in duplicate.pictures}) == 1
    assert not audit.leaks
    # Nothing but the cell is in these pictures.
    assert not audit.shortcuts.without_cells[-1].is_above_chance
    assert not any(region.stands_out for region in audit.shortcuts.regions)
