"""From folders as they were downloaded to a data set without leakage."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from tests.made_fields import (
    ALL4_FIELDS,
    ALL4_TWIN,
    YOLO_SIZE,
    all4_tree,
    field_of,
    write_picture,
    yolo_boxes,
    yolo_tree,
)
from tests.made_onnx import detector_file
from yolo_leuk import geometry, images, pixels
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.errors import ConfigError, DataError, OutputError, UsageError
from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.run import run
from yolo_leuk.prepare.sources.kinds import KINDS


@pytest.fixture(scope="module")
def all4(tmp_path_factory) -> Path:
    return all4_tree(tmp_path_factory.mktemp("as downloaded") / "all4")


@pytest.fixture(scope="module")
def txl(tmp_path_factory) -> Path:
    return yolo_tree(tmp_path_factory.mktemp("as downloaded") / "tiny set")


@pytest.fixture(scope="module")
def cells(all4, txl, tmp_path_factory) -> Path:
    """A data set of cells, of both sources; tests only read it."""
    out = tmp_path_factory.mktemp("made") / "cells"
    run(config_of(all4, txl, out=out))
    return out


@pytest.fixture(scope="module")
def fields(all4, txl, tmp_path_factory) -> Path:
    """A data set of fields, of both sources; tests only read it."""
    out = tmp_path_factory.mktemp("made") / "fields"
    run(config_of(all4, txl, out=out, task="detect", detect_px_per_rbc=15.0))
    return out


def config_of(*sources: Path, **options) -> PrepareConfig:
    return PrepareConfig(sources=sources, **{"folds": 3, "workers": 1, **options})


def contents(folder: Path) -> dict[str, str]:
    """Hash of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): sha256_of_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- what comes out ----------------------------------------------------------------------------


def test_cells_lie_in_a_folder_of_their_split_and_class_as_the_manifest_says(cells):
    samples = read_manifest(cells)
    pictures = {p.relative_to(cells).as_posix() for p in cells.rglob("*.png")}
    assert pictures == {sample.path for sample in samples}
    for sample in samples:
        split, label, name = sample.path.split("/")
        assert (split, label) == (sample.split, sample.label)
        assert name == f"{sample.sample_id}.png"
        assert name.isascii()
        assert " " not in name
        rgb = images.read_image(cells / sample.path)
        assert rgb.shape == (sample.height, sample.width, 3)


def test_a_cell_has_the_label_of_its_picture_and_a_labelled_white_cell_is_other(cells, all4):
    by_hash = {sha256_of_file(p): p.parent.name for p in all4.rglob("*.jpg")}
    samples = read_manifest(cells)
    assert {s.label for s in samples} == {"Benign", "Early", "Pre", "Pro", "Other"}
    for sample in samples:
        assert sample.label == by_hash.get(sample.sha256, "Other")
        assert (sample.source == "all4") == (sample.label != "Other")


def test_each_picture_gives_its_cells_and_each_of_them_is_in_the_middle_of_its_crop(cells):
    of_picture = Counter(s.sha256 for s in read_manifest(cells) if s.source == "all4")
    assert len(of_picture) == 4 * ALL4_FIELDS
    assert Counter(of_picture.values())[2] >= 3 * ALL4_FIELDS
    for sample in read_manifest(cells):
        rgb = images.read_image(cells / sample.path)
        middle = rgb[rgb.shape[0] // 2 - 3 :, rgb.shape[1] // 2 - 3 :][:6, :6]
        assert np.abs(middle.mean(axis=(0, 1)) - (104, 66, 150)).max() < 25


def test_crops_of_all_sources_are_at_the_same_scale(cells):
    # ALL-4 has 20 px per red cell; the red cells of the boxes are 40 px wide, reduced by two.
    for sample in read_manifest(cells):
        assert sample.px_per_rbc == pytest.approx(20.0, rel=0.01)
        assert sample.width == sample.height == 90


def test_the_steps_say_what_was_done_to_the_pixels(cells):
    steps = {s.steps.split("; ")[0] for s in read_manifest(cells) if s.source == "all4"}
    assert steps == {"scale-bar: painted out"}
    (of_boxes,) = {s.steps for s in read_manifest(cells) if s.source != "all4"}
    assert of_boxes == "window of 3 red cells, rim 0.25"


def test_no_scale_bar_is_left_in_a_field(fields):
    for sample in read_manifest(fields):
        if sample.source == "all4":
            assert pixels.find_scale_bar(images.read_image(fields / sample.path)) is None


def test_fields_come_with_boxes_that_lie_where_the_sources_boxes_lay(fields):
    names = ["white", "red", "platelet"]
    for sample in read_manifest(fields):
        if sample.source == "all4":
            continue
        rows = labels_of(fields, sample.path)
        assert (rows[:, 1:] >= 0).all()
        assert (rows[:, 1:] <= 1).all()
        xyxy = geometry.xyxy_from_cxcywhn(rows[:, 1:], (sample.width, sample.height))
        np.testing.assert_allclose(xyxy, yolo_boxes() / 2, atol=0.01)
        assert [names[int(i)] for i in rows[:, 0]] == ["white"] + ["red"] * 8
        assert (sample.width, sample.height) == (YOLO_SIZE[0] // 2, YOLO_SIZE[1] // 2)
        assert sample.px_per_rbc == pytest.approx(20.0, rel=0.01)


def labels_of(folder: Path, picture: str) -> np.ndarray:
    path = folder / picture.replace("images/", "labels/", 1).replace(".png", ".txt")
    return np.loadtxt(path, ndmin=2).reshape(-1, 5)


def test_fields_without_boxes_get_those_of_the_cells_found_by_colour(fields):
    of_all4 = [s for s in read_manifest(fields) if s.source == "all4"]
    assert len(of_all4) == 4 * ALL4_FIELDS
    counts = [len(labels_of(fields, s.path)) for s in of_all4]
    assert Counter(counts)[2] >= 3 * ALL4_FIELDS
    assert all((labels_of(fields, s.path)[:, 0] == 0).all() for s in of_all4)


def test_a_box_at_the_edge_does_not_reach_beyond_a_field_that_was_reduced(txl, tmp_path):
    source = copied(txl, tmp_path / "tiny set")
    for labels in (source / "labels" / "test").iterdir():
        labels.write_text(labels.read_text() + "1 0.97 0.97 0.06 0.06\n")
    run(config_of(source, out=tmp_path / "out", task="detect", detect_px_per_rbc=15.0))
    for sample in read_manifest(tmp_path / "out"):
        rows = labels_of(tmp_path / "out", sample.path)
        assert (rows[:, 1:3] + rows[:, 3:] / 2 <= 1 + 1e-6).all()


def test_the_description_for_ultralytics_names_the_splits_and_the_classes(fields):
    import yaml

    content = yaml.safe_load((fields / "data.yaml").read_text())
    assert content["names"] == {0: "white", 1: "red", 2: "platelet"}
    for split in ("train", "val", "test"):
        assert list((fields / content[split]).glob("*.png"))


def test_a_detector_fills_in_the_classes_that_a_source_does_not_label(all4, tmp_path):
    # In pixels of the detector, which sees a field of 20 px per red cell at half its size.
    on_glass, in_some_white_cells = (30, 5, 32, 7, 0.9, 2), (59, 37, 61, 39, 0.9, 1)
    detector_file(tmp_path / "v1.onnx", [on_glass, in_some_white_cells])
    out = tmp_path / "out"
    run(config_of(all4, out=out, task="detect", boxes_from=tmp_path / "v1.onnx"))
    with_red = 0
    for sample in read_manifest(out):
        rows = labels_of(out, sample.path)
        xyxy = geometry.xyxy_from_cxcywhn(rows[:, 1:], (sample.width, sample.height))
        white, others = xyxy[rows[:, 0] == 0], xyxy[rows[:, 0] != 0]
        assert (rows[:, 0] == 2).sum() == 1
        assert geometry.intersection_over_smaller(others, white).max() < 0.6
        with_red += (rows[:, 0] == 1).sum()
        assert sample.steps.endswith("red cells and platelets boxed by v1")
    assert 0 < with_red < 4 * ALL4_FIELDS


def test_at_most_so_many_cells_are_taken_of_a_picture(all4, tmp_path):
    run(config_of(all4, out=tmp_path / "out", cells_per_image=1))
    of_picture = Counter(s.sha256 for s in read_manifest(tmp_path / "out"))
    assert set(of_picture.values()) == {1}


# --- splits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["cells", "fields"])
def test_nothing_of_one_group_or_file_is_in_two_splits(made, request):
    for key in ("group", "sha256"):
        homes = defaultdict(set)
        for sample in read_manifest(request.getfixturevalue(made)):
            homes[getattr(sample, key)].add((sample.split, sample.fold))
        assert all(len(home) == 1 for home in homes.values())


def test_a_source_with_splits_keeps_them(cells, fields):
    for made in (cells, fields):
        for sample in read_manifest(made):
            if sample.source == "tiny set":
                assert f"-{sample.split}-" in sample.sample_id.replace("_", "-")


def test_adding_a_source_moves_no_picture_of_another(cells, all4, tmp_path):
    run(config_of(all4, out=tmp_path / "out"))
    alone = {s.sample_id: (s.split, s.fold) for s in read_manifest(tmp_path / "out")}
    beside = {s.sample_id: (s.split, s.fold) for s in read_manifest(cells) if s.source == "all4"}
    assert alone == beside


def test_the_seed_decides_the_split(cells, all4, txl, tmp_path):
    run(config_of(all4, txl, out=tmp_path / "out", seed=1))
    first, other = (
        {s.sample_id: s.split for s in read_manifest(made)} for made in (cells, tmp_path / "out")
    )
    assert first.keys() == other.keys()
    assert first != other


def test_twins_are_left_out_and_listed(cells, all4):
    original = sorted((all4 / "Original" / "Pro").iterdir())[0]
    card = json.loads((cells / "dataset.json").read_text(encoding="utf-8"))
    assert card["left_out"] == {"broken": 0, "copies": 1, "repeated_cells": 0, "repeated_boxes": 0}
    (line,) = (cells / "problems.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert "left out: the same bytes as" in line
    assert original.name in line
    assert ALL4_TWIN in line
    assert "1 pictures show again what others show" in (cells / "README.md").read_text()


# --- what is said of it ------------------------------------------------------------------------


def test_the_result_counts_what_the_manifest_lists(all4, txl, tmp_path):
    result = run(config_of(all4, txl, out=tmp_path / "out"))
    listed = Counter((s.split, s.label) for s in read_manifest(tmp_path / "out"))
    counted = {
        (split, label): n
        for split, row in result.counts["classify"].items()
        for label, n in row.items()
    }
    assert {key: n for key, n in counted.items() if n} == dict(listed)
    assert result.folder == tmp_path / "out"
    assert any("no patient identity" in warning for warning in result.warnings)
    assert any("label is that of its picture" in warning for warning in result.warnings)


def test_the_card_says_where_the_data_comes_from_and_what_to_know(cells):
    card = json.loads((cells / "dataset.json").read_text(encoding="utf-8"))
    assert card["schema"] == "yolo-leuk/dataset/1"
    assert card["classes"] == ["Benign", "Early", "Pre", "Pro", "Other"]
    assert card["blasts"] == ["Early", "Pre", "Pro"]
    assert card["manifest_sha256"] == sha256_of_file(cells / "manifest.csv")
    assert [source["name"] for source in card["sources"]] == ["all4"]
    readme = (cells / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# cells\n")
    assert "no patient identity" in readme
    assert "do not redistribute" in readme


def test_no_folder_of_this_machine_gets_into_a_data_set(cells, all4):
    for path in cells.rglob("*"):
        if path.suffix in {".json", ".csv", ".md", ".yaml"}:
            assert str(all4.parent) not in path.read_text(encoding="utf-8")


# --- the same input gives the same bytes, and stays as it is -----------------------------------


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_the_same_input_gives_the_same_bytes_whatever_the_number_of_workers(
    all4, txl, tmp_path, task
):
    made = []
    for workers in (1, 2):
        out = tmp_path / str(workers) / "same"
        run(config_of(all4, txl, out=out, task=task, workers=workers))
        made.append(contents(out))
    assert made[0] == made[1]


def test_the_sources_are_only_read(all4, txl, tmp_path):
    before = [(contents(s), mtimes(s)) for s in (all4, txl)]
    run(config_of(all4, txl, out=tmp_path / "out"))
    assert [(contents(s), mtimes(s)) for s in (all4, txl)] == before


def mtimes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


# --- where it is written -----------------------------------------------------------------------


def test_a_folder_that_holds_something_is_refused_and_stays_as_it_is(all4, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("kept")
    with pytest.raises(OutputError, match="already holds something"):
        run(config_of(all4, out=out))
    assert contents(tmp_path) == {"out/notes.txt": sha256_of_file(out / "notes.txt")}


def test_an_empty_folder_is_taken(txl, tmp_path):
    (tmp_path / "out").mkdir()
    run(config_of(txl, out=tmp_path / "out"))
    assert read_manifest(tmp_path / "out")


def test_without_a_name_the_folder_is_called_after_source_and_task(txl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(config_of(txl, task="detect"))
    assert result.folder == Path("datasets/tiny set-detect")
    assert (tmp_path / result.folder / "data.yaml").is_file()


# --- what cannot be used -----------------------------------------------------------------------


def copied(source: Path, to: Path) -> Path:
    shutil.copytree(source, to)
    return to


@pytest.mark.parametrize("workers", [1, 2])
def test_too_many_broken_pictures_are_an_error_that_lists_them_and_leaves_no_data_set(
    all4, tmp_path, workers
):
    source = copied(all4, tmp_path / "all4")
    broken = sorted((source / "Original" / "Pre").iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:-600])
    with pytest.raises(DataError, match=r"1 of 37 files cannot be used") as caught:
        run(config_of(source, out=tmp_path / "out", workers=workers))
    assert broken.name in str(caught.value)
    assert caught.value.exit_code == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all4", "out-problems.csv"]
    assert "is cut off" in (tmp_path / "out-problems.csv").read_text(encoding="utf-8")


def test_a_few_broken_pictures_are_left_out_and_listed(all4, tmp_path):
    source = copied(all4, tmp_path / "all4")
    broken = sorted((source / "Original" / "Pre").iterdir())[3]
    broken.write_bytes(b"no picture")
    result = run(config_of(source, out=tmp_path / "out", max_bad=0.05))
    assert [problem.file for problem in result.problems] == [f"all4/Original/Pre/{broken.name}"]
    assert f"all4/Original/Pre/{broken.name}" in (tmp_path / "out" / "problems.csv").read_text()
    assert all(broken.stem not in s.sample_id for s in read_manifest(tmp_path / "out"))


def test_a_folder_of_another_layout_is_a_data_error(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").touch()
    with pytest.raises(DataError, match="layout of no known source") as caught:
        run(config_of(tmp_path / "pictures", out=tmp_path / "out"))
    assert caught.value.exit_code == 3
    assert str(tmp_path / "pictures") in str(caught.value)


def test_a_folder_that_is_not_there_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        run(config_of(tmp_path / "nothing", out=tmp_path / "out"))


def test_a_kind_that_the_folder_is_not_of_is_a_data_error(txl, tmp_path):
    with pytest.raises(DataError, match="Benign"):
        run(config_of(txl, kind="all4", out=tmp_path / "out"))


def test_too_few_groups_are_a_data_error(all4, tmp_path):
    with pytest.raises(DataError, match=r"class Benign has 2 groups"):
        run(config_of(all4, out=tmp_path / "out", groups_per_class=2))
    assert not list(tmp_path.iterdir())


def test_boxes_without_red_cells_take_the_ruler_of_the_shipped_detector(txl, tmp_path):
    source = copied(txl, tmp_path / "white only")
    for labels in (source / "labels").rglob("*.txt"):
        labels.write_text(labels.read_text().splitlines()[0] + "\n")
    run(config_of(source, out=tmp_path / "out"))
    (ruler,) = {s.px_per_rbc for s in read_manifest(tmp_path / "out")}
    assert ruler == pytest.approx(20.0, rel=0.3)
    run(config_of(source, out=tmp_path / "given", px_per_rbc=40.0))
    assert {s.px_per_rbc for s in read_manifest(tmp_path / "given")} == {20.0}


def test_pictures_without_any_cell_need_a_ruler(tmp_path):
    for number in range(24):
        name = tmp_path / "glass" / ("normal", "blast")[number % 2] / f"{number}.png"
        write_picture(name, field_of(seed=number))
    with pytest.raises(DataError, match="how wide a red cell is") as caught:
        run(config_of(tmp_path / "glass", out=tmp_path / "out"))
    assert "--set px_per_rbc" in caught.value.hint


def test_two_pictures_that_differ_in_their_suffix_become_two_samples(txl, tmp_path):
    source = copied(txl, tmp_path / "tiny set")
    first = sorted((source / "images" / "train").iterdir())[0]
    shape = images.read_image(first).shape
    noise = np.random.default_rng(7).integers(0, 256, shape).astype(np.uint8)
    write_picture(first.with_suffix(".jpg"), noise)
    run(config_of(source, out=tmp_path / "out"))
    assert len(read_manifest(tmp_path / "out")) == 15


def test_names_that_differ_only_in_odd_letters_stay_two_samples(txl, tmp_path):
    source = copied(txl, tmp_path / "tiny set")
    for kind, suffix in (("images", "png"), ("labels", "txt")):
        for old, new in (("0", "ä"), ("1", "ö")):
            folder = source / kind / "train"
            (folder / f"train größe {old}.{suffix}").rename(folder / f"train größe {new}.{suffix}")
    run(config_of(source, out=tmp_path / "out"))
    assert len(read_manifest(tmp_path / "out")) == 14


@pytest.mark.parametrize(
    "wrong",
    [
        {"folds": 1},
        {"groups_per_class": 0},
        {"cells_per_image": -1},
        {"workers": -1},
        {"seed": -1},
        {"detect_px_per_rbc": 0.0},
        {"px_per_rbc": -20.0},
    ],
)
def test_a_number_out_of_range_is_a_configuration_error_that_names_it(all4, tmp_path, wrong):
    (name,) = wrong
    with pytest.raises(ConfigError, match=name):
        run(config_of(all4, out=tmp_path / "out", **wrong))


# --- sources that are found --------------------------------------------------------------------


def test_without_a_source_those_under_datasets_raw_are_taken(all4, txl, tmp_path, monkeypatch):
    copied(all4, tmp_path / "datasets" / "raw" / "all4")
    copied(txl, tmp_path / "datasets" / "raw" / "mine")
    (tmp_path / "datasets" / "raw" / "unknown").mkdir()
    monkeypatch.chdir(tmp_path)
    result = run(config_of())
    assert result.folder == Path("datasets/all4-mine-classify")
    assert {s.source for s in read_manifest(result.folder)} == {"all4", "mine"}


@pytest.mark.parametrize("folder", ["datasets/raw/unknown", "datasets"])
def test_without_any_source_each_known_one_is_named_with_all_that_is_needed(
    tmp_path, monkeypatch, folder
):
    (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="datasets/raw") as caught:
        run(config_of())
    known = [kind.facts for kind in KINDS.values() if kind.facts is not None]
    assert len(known) >= 5
    for facts in known:
        for text in (facts.title, facts.page, facts.size, facts.licence, facts.raw_folder):
            assert text in caught.value.hint


# --- the real data sets ------------------------------------------------------------------------


@pytest.mark.slow
def test_the_real_data_sets_are_prepared_without_leakage(real_data, tmp_path):
    result = run(
        PrepareConfig(sources=(real_data / "all4", real_data / "txl-pbc"), out=tmp_path / "out")
    )
    samples = read_manifest(tmp_path / "out")
    for key in ("group", "sha256"):
        homes = defaultdict(set)
        for sample in samples:
            homes[getattr(sample, key)].add(sample.split)
        assert all(len(home) == 1 for home in homes.values())

    listed = (tmp_path / "out" / "problems.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert sum("/Pro/" in line and "the same bytes as" in line for line in listed) == 40
    torn = [line for line in listed if "the same field as" in line]
    assert len(torn) == 42
    assert all("txl-pbc/images/" in line and "/test/" not in line.split(",")[0] for line in torn)
    cells = sum("left out: the cell" in line for line in listed)
    card = json.loads((tmp_path / "out" / "dataset.json").read_text(encoding="utf-8"))
    assert card["left_out"] == {
        "broken": 0, "copies": 40 + len(torn), "repeated_cells": cells, "repeated_boxes": 47
    }  # fmt: skip
    # Fields that share less than a fifth, by the cells at their edges.
    assert 20 < cells < 60

    for label in ("Benign", "Early", "Pre", "Pro"):
        for split in ("test", "val"):
            found = {s.group for s in samples if (s.label, s.split) == (label, split)}
            assert len(found) >= 3, (label, split)
        assert len({s.group for s in samples if s.label == label}) <= 20
    own = {s.sha256: s.split for s in samples if s.label == "Other"}
    for split in ("train", "val", "test"):
        for picture in (real_data / "txl-pbc" / "images" / split).iterdir():
            assert own.get(sha256_of_file(picture), split) == split
    assert sum(sum(row.values()) for row in result.counts["classify"].values()) == len(samples)
