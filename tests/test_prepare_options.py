"""What the options of a preparation change in the data set that comes out."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_fields import all4_tree, write_picture, yolo_tree
from yolo_leuk import images, pixels
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.extra.balance import TURNS
from yolo_leuk.prepare.run import run


@pytest.fixture(scope="module")
def all4(tmp_path_factory) -> Path:
    return all4_tree(tmp_path_factory.mktemp("as downloaded") / "all4")


@pytest.fixture(scope="module")
def txl(tmp_path_factory) -> Path:
    return yolo_tree(tmp_path_factory.mktemp("as downloaded") / "tiny set")


@pytest.fixture(scope="module")
def cnmc(tmp_path_factory) -> Path:
    """C-NMC in small: cells of twelve leukemic and six normal subjects in three folds, on black."""
    root = tmp_path_factory.mktemp("as downloaded") / "cnmc"
    for subject in range(1, 13):
        for number in range(1, 3):
            _write_cell(root, f"fold_{subject % 3}/all", f"UID_{subject}_{number}_1_all", subject)
    for subject in range(1, 7):
        for number in range(1, 5):
            _write_cell(root, f"fold_{subject % 3}/hem", f"UID_H{subject}_{number}_1_hem", subject)
    # Subjects 1 and 2 are one patient, and stand in two of the folds.
    twin = root / "training_data/fold_2/all/UID_2_9_1_all.bmp"
    twin.write_bytes((root / "training_data/fold_1/all/UID_1_1_1_all.bmp").read_bytes())
    return root


def _write_cell(root: Path, folder: str, name: str, subject: int) -> None:
    noise = np.random.default_rng([subject, *name.encode()])
    cell = np.zeros((160, 160, 3), np.uint8)
    radius = 34 if "hem" in folder else 44
    cv2.circle(cell, (80, 78), radius, (130 + subject, 60, 170), cv2.FILLED)
    shaded = np.where(cell > 0, cell + noise.integers(0, 20, cell.shape), 0).astype(np.uint8)
    write_picture(root / "training_data" / folder / f"{name}.bmp", shaded)


def prepared(*sources: Path, out: Path, **options):
    config = {"folds": 3, "workers": 1, **options}
    return run(PrepareConfig(sources=sources, out=out, **config))


def card_of(folder: Path) -> dict:
    return json.loads((folder / "dataset.json").read_text(encoding="utf-8"))


def boxes_of(folder: Path) -> Counter:
    names = card_of(folder)["classes"]
    lines = (p.read_text().splitlines() for p in (folder / "labels").rglob("*.txt"))
    return Counter(names[int(line.split()[0])] for file in lines for line in file)


# --- task and level ----------------------------------------------------------------------------


def test_both_tasks_make_two_data_sets_with_one_split(all4, txl, tmp_path):
    result = prepared(all4, txl, out=tmp_path / "out", task="both")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"classify", "detect"}
    split_of: dict[str, str] = {}
    for task in ("classify", "detect"):
        assert result.counts[task] == {
            split: row for split, row in card_of(tmp_path / "out" / task)["counts"].items() if row
        }
        for sample in read_manifest(tmp_path / "out" / task):
            assert split_of.setdefault(sample.sha256, sample.split) == sample.split


def test_one_task_of_both_is_what_it_is_alone(all4, tmp_path):
    prepared(all4, out=tmp_path / "both", task="both")
    prepared(all4, out=tmp_path / "alone", task="detect")
    both, alone = (read_manifest(tmp_path / n) for n in ("both/detect", "alone"))
    assert both == alone


def test_at_the_level_of_the_image_whole_pictures_lie_in_the_folders(all4, tmp_path):
    prepared(all4, out=tmp_path / "out", level="image")
    samples = read_manifest(tmp_path / "out")
    assert len(samples) == 36
    assert card_of(tmp_path / "out")["level"] == "image"
    assert "label is that of its picture" not in (tmp_path / "out" / "README.md").read_text()
    for sample in samples:
        rgb = images.read_image(tmp_path / "out" / sample.path)
        assert rgb.shape == (224, 224, 3)
        assert pixels.find_scale_bar(rgb) is None


def test_a_picture_without_a_class_is_a_problem_at_the_level_of_the_image(txl, tmp_path):
    with pytest.raises(DataError, match="it has no class as a whole"):
        prepared(txl, out=tmp_path / "out", level="image")


def test_steps_are_done_in_the_order_that_is_asked_for_and_recorded(all4, tmp_path):
    options = {"steps": ("clahe", "scale-bar", "resize"), "level": "image"}
    prepared(all4, out=tmp_path / "out", **options)
    for sample in read_manifest(tmp_path / "out"):
        names = [step.split(":")[0] for step in sample.steps.split("; ")]
        assert names[:3] == ["clahe", "scale-bar", "resize"]


# --- classes -----------------------------------------------------------------------------------


def test_classes_of_the_source_can_be_joined_and_renamed(all4, tmp_path):
    labels = {"Early": "ALL", "Pre": "ALL", "Pro": "ALL", "Benign": "normal"}
    prepared(all4, out=tmp_path / "out", labels=labels)
    card = card_of(tmp_path / "out")
    assert (card["classes"], card["blasts"]) == (["normal", "ALL"], ["ALL"])
    assert {s.label for s in read_manifest(tmp_path / "out")} == {"normal", "ALL"}


def test_the_order_of_classes_and_the_blasts_can_be_asked_for(cnmc, tmp_path):
    prepared(cnmc, out=tmp_path / "out", classes=("all", "hem"), blasts=("hem",))
    card = card_of(tmp_path / "out")
    assert (card["classes"], card["blasts"]) == (["all", "hem"], ["hem"])


def test_blasts_that_are_no_class_are_a_configuration_error(cnmc, tmp_path):
    with pytest.raises(ConfigError, match="blasts Pro are not among the classes"):
        prepared(cnmc, out=tmp_path / "out", blasts=("Pro",))


def test_boxes_can_tell_kinds_of_white_cells_apart(all4, txl, tmp_path):
    prepared(all4, txl, out=tmp_path / "kinds", task="detect", boxes="kinds")
    kinds = boxes_of(tmp_path / "kinds")
    assert {"Benign", "Early", "Pre", "Pro", "Other", "red"} == set(kinds)
    prepared(all4, txl, out=tmp_path / "white", task="detect", boxes="white")
    assert set(boxes_of(tmp_path / "white")) == {"white"}
    white = boxes_of(tmp_path / "white")["white"]
    assert white == sum(n for name, n in kinds.items() if name != "red")


def test_classes_of_boxes_that_are_left_out_are_told_and_can_be_taken_in(tmp_path):
    source = yolo_tree(tmp_path / "neutrophils")
    (source / "data.yaml").write_text("names: [Neutrophil, RBC]\n", encoding="utf-8")
    result = prepared(source, out=tmp_path / "out", task="detect")
    (told,) = [w for w in result.warnings if "Neutrophil" in w]
    assert "--set labels.Neutrophil=white" in told
    assert set(boxes_of(tmp_path / "out")) == {"red"}
    prepared(source, out=tmp_path / "in", task="detect", labels={"Neutrophil": "white"})
    assert boxes_of(tmp_path / "in")["white"] == 14


# --- cells on black ----------------------------------------------------------------------------


def test_cells_on_black_are_cut_out_on_glass_and_keep_their_patient(cnmc, tmp_path):
    prepared(cnmc, out=tmp_path / "out")
    samples = read_manifest(tmp_path / "out")
    assert {s.subject for s in samples} >= {"1", "2", "H1", "H6"}
    assert {s.group for s in samples if s.subject in ("1", "2")} == {"cnmc-1+2"}
    for sample in samples:
        rgb = images.read_image(tmp_path / "out" / sample.path)
        assert rgb[0, 0].min() > 200
        middle = rgb[rgb.shape[0] // 2, rgb.shape[1] // 2]
        assert middle[2] > 120 > middle[1]
        assert "black replaced by glass" in sample.steps


def test_a_cell_on_black_has_its_own_box_to_detect(cnmc, tmp_path):
    prepared(cnmc, out=tmp_path / "out", task="detect", detect_px_per_rbc=200.0)
    for sample in read_manifest(tmp_path / "out"):
        text = (tmp_path / "out" / "labels" / sample.split / f"{sample.sample_id}.txt").read_text()
        class_id, *box = (float(v) for v in text.split())
        assert class_id == 0
        radius = 34 if sample.label == "hem" else 44
        wanted = [80.5 / 160, 78.5 / 160, (2 * radius + 1) / 160, (2 * radius + 1) / 160]
        np.testing.assert_allclose(box, wanted, atol=1.5 / 160)


def test_composed_fields_show_each_cell_once_and_in_its_own_split(cnmc, tmp_path):
    prepared(cnmc, out=tmp_path / "cells")
    split_of = {s.group: s.split for s in read_manifest(tmp_path / "cells")}
    result = prepared(cnmc, out=tmp_path / "out", task="detect", compose="fields")
    samples = read_manifest(tmp_path / "out")
    assert all("field" in s.sample_id and s.split == split_of[s.group] for s in samples)
    assert all("drawn background" in s.steps for s in samples)
    assert any("composed fields" in w for w in result.warnings)
    assert 40 <= boxes_of(tmp_path / "out")["white"] <= 48
    for sample in samples:
        rgb = images.read_image(tmp_path / "out" / sample.path)
        assert rgb.max(axis=2).min() > 16, "no black is left"


def test_fields_cannot_be_composed_of_fields(all4, tmp_path):
    with pytest.raises(DataError, match="pictures of single cells"):
        prepared(all4, out=tmp_path / "out", task="detect", compose="fields")


# --- folds -------------------------------------------------------------------------------------


def test_official_folds_are_the_source_s_own_and_say_that_they_leak(cnmc, tmp_path):
    result = prepared(cnmc, out=tmp_path / "out", folds="official")
    for sample in read_manifest(tmp_path / "out"):
        subject = int(sample.subject.lstrip("H"))
        assert sample.fold == subject % 3
        assert sample.split == ("val" if subject % 3 == 0 else "train")
    (leak,) = [w for w in result.warnings if "1" in w and "2" in w and "fold" in w]
    assert leak in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert any("leak" in warning for warning in card_of(tmp_path / "out")["warnings"])


def test_a_kept_split_moves_no_old_picture_and_places_new_groups(cnmc, tmp_path):
    grown = tmp_path / "cnmc"
    prepared(cnmc, out=tmp_path / "old")
    for path in cnmc.rglob("*.bmp"):
        to = grown / path.relative_to(cnmc)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())
    for number in range(3):
        _write_cell(grown, "fold_0/hem", f"UID_H9_{number}_1_hem", 9)
    prepared(grown, out=tmp_path / "new", keep_split=tmp_path / "old")
    old, new = (
        {s.sample_id: (s.group, s.split, s.fold) for s in read_manifest(tmp_path / name)}
        for name in ("old", "new")
    )
    assert {sample_id: new[sample_id] for sample_id in old} == old
    assert {group for group, _, _ in new.values()} - {group for group, _, _ in old.values()} == {
        "cnmc-H9"
    }


# --- balance -----------------------------------------------------------------------------------


def test_turns_make_the_classes_of_the_training_split_equal_and_leave_the_others(cnmc, tmp_path):
    prepared(cnmc, out=tmp_path / "plain")
    prepared(cnmc, out=tmp_path / "out", balance="turns")
    plain, turned = (read_manifest(tmp_path / name) for name in ("plain", "out"))
    counts = Counter(s.label for s in turned if s.split == "train")
    assert len(set(counts.values())) == 1
    assert [s for s in turned if s.split != "train"] == [s for s in plain if s.split != "train"]
    originals = {s.sample_id: s for s in plain}
    extra = [s for s in turned if s.sample_id not in originals]
    assert extra
    for sample in extra:
        original = originals[sample.sample_id.rpartition("-")[0]]
        assert (sample.sha256, sample.group) == (original.sha256, original.group)
        rgb = images.read_image(tmp_path / "plain" / original.path)
        same = images.read_image(tmp_path / "out" / sample.path)
        assert any(np.array_equal(pixels.turned(rgb, *turn), same) for turn in TURNS)


def test_masks_are_turned_together_with_their_pictures(tmp_path):
    source = tmp_path / "masked"
    rows = ["path,label,subject,mask"]
    for label, subject, number in [
        *(("many", subject, number) for subject in range(6) for number in range(3)),
        *(("few", subject, 0) for subject in range(6)),
    ]:
        name = f"{label}-{subject}-{number}"
        rng = np.random.default_rng([*name.encode()])
        write_picture(source / f"{name}.png", rng.integers(40, 250, (60, 80, 3), np.uint8))
        x, y = rng.integers(0, 40, 2)
        mask = np.zeros((60, 80, 3), np.uint8)
        mask[y : y + 20, x : x + 5] = mask[y : y + 5, x : x + 30] = 255
        write_picture(source / f"{name}-mask.png", mask)
        rows.append(f"{name}.png,{label},{label}{subject},{name}-mask.png")
    (source / "cells.csv").write_text("\n".join(rows), encoding="utf-8")

    options = {"level": "image", "cells_from": "masks", "steps": ("masked",), "balance": "turns"}
    prepared(source, out=tmp_path / "out", folds=2, **options)

    copies = [s for s in read_manifest(tmp_path / "out") if "turned: " in s.steps]
    assert {s.label for s in copies} == {"few"}
    for sample in copies:
        original, turn = sample.sample_id.removeprefix("masked-").rsplit("-", 1)
        how = int(turn[1]), turn[0] == "m"
        rgb, mask = (
            pixels.turned(images.read_image(source / f"{original}{suffix}.png"), *how)
            for suffix in ("", "-mask")
        )
        written = images.read_image(tmp_path / "out" / sample.path)
        np.testing.assert_array_equal(written, np.where(mask > 0, rgb, 0))


def test_balance_is_for_classification(txl, tmp_path):
    for balance in ("turns", "weights"):
        with pytest.raises(ConfigError, match=f"balance={balance} .*the task is detect"):
            prepared(txl, out=tmp_path / "out", task="detect", balance=balance)


def test_weights_are_written_for_training(cnmc, tmp_path):
    prepared(cnmc, out=tmp_path / "out", balance="weights")
    weights = card_of(tmp_path / "out")["class_weights"]
    samples = [s.label for s in read_manifest(tmp_path / "out") if s.split == "train"]
    shares = {label: number * weights[label] for label, number in Counter(samples).items()}
    assert len({round(share, 6) for share in shares.values()}) == 1
    assert sum(shares.values()) == pytest.approx(len(samples))


def test_no_group_is_in_two_splits_whatever_the_options(cnmc, tmp_path):
    for number, options in enumerate(
        ({"balance": "turns"}, {"task": "both", "compose": "fields"}, {"level": "image"})
    ):
        out = tmp_path / str(number)
        prepared(cnmc, out=out, **options)
        for manifest in out.rglob("manifest.csv"):
            homes = defaultdict(set)
            for sample in read_manifest(manifest):
                homes[sample.group].add(sample.split)
            assert all(len(home) == 1 for home in homes.values())
