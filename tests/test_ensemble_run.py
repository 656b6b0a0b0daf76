"""Runs in, an ensemble out: what is written, and what it says."""

from __future__ import annotations

import csv
import dataclasses
import json

import cv2
import numpy as np
import pytest

from tests.made_members import MANIFEST_SHA256, card_of, run_folder, table
from tests.made_training_data import made_cells
from yolo_leuk.dataset import read_dataset
from yolo_leuk.ensemble.assembly import assembled
from yolo_leuk.ensemble.comparison import Settings, compared
from yolo_leuk.ensemble.decision import Decision
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.genetic import GeneticSearch
from yolo_leuk.ensemble.given import Given
from yolo_leuk.ensemble.joined import joined
from yolo_leuk.ensemble.run import EnsembleConfig, run
from yolo_leuk.ensemble_file import read_ensemble
from yolo_leuk.errors import CardError, ConfigError, OutputError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.probabilities import read_probabilities, table_of, write_probabilities

QUICK = GeneticSearch(individuals=20, generations=8, restarts=2)


@pytest.fixture
def runs(tmp_path):
    return tuple(
        run_folder(tmp_path / "runs" / name, table(seed=seed, skill=0.8))
        for seed, name in enumerate(("v8n", "v11n", "v12n"))
    )


def config(runs, **changes) -> EnsembleConfig:
    quick = {"genetic": QUICK, "draws": 50, "nested_folds": 2}
    return EnsembleConfig(members=tuple(runs), **{**quick, **changes})


@pytest.fixture
def result(runs, tmp_path):
    return run(config(runs, out=tmp_path / "out"))


def test_the_folder_holds_the_ensemble_its_nets_and_the_history(result, tmp_path):
    names = {path.name for path in (tmp_path / "out").iterdir()}
    members = ("v8n", "v11n", "v12n", "vote")
    nets = {f"{name}.{suffix}" for name in members for suffix in ("onnx", "json")}
    assert names == nets | {"config.json", "ensemble.json", "history.csv", "history.png"}
    assert result.file == tmp_path / "out" / "ensemble.json"
    assert read_ensemble(result.file) == result.ensemble


def test_the_ensemble_says_what_it_rests_on(result):
    searched_on = result.ensemble.searched_on
    assert searched_on.manifest_sha256 == MANIFEST_SHA256
    assert (searched_on.splits, searched_on.folds) == (("train", "val"), (0, 1, 2))
    assert (searched_on.samples, searched_on.groups) == (60, 20)
    assert result.ensemble.search["genetic"] == dataclasses.asdict(QUICK)
    assert result.ensemble.search["fitness"] == {"weighted_f1": 1.0}
    assert result.ensemble.search["reason"] == result.decision.reason
    assert result.ensemble.comparison == result.comparison.to_json()


def test_blasts_are_those_of_the_cards(result):
    assert result.ensemble.scheme.blasts == {"Early", "Pre", "Pro"}


def test_the_threshold_calls_the_stated_share_of_the_samples(runs, tmp_path):
    for coverage in (0.6, 0.95):
        found = run(config(runs, coverage=coverage, out=tmp_path / str(coverage))).ensemble
        data = joined({r.name: read_probabilities(r / "probabilities.csv") for r in runs})
        highest = found.probabilities(data.logits).max(axis=1)
        called = (highest >= found.thresholds["unidentified"]).mean()
        assert called == pytest.approx(coverage, abs=1 / 60 + 1e-9)


def test_weights_that_make_no_difference_are_kept_equal_unless_asked_for(tmp_path):
    runs = [run_folder(tmp_path / name, table(skill=0.8)) for name in "ab"]
    safe = run(config(runs, out=tmp_path / "safe"))
    np.testing.assert_array_equal(safe.ensemble.weights, [0.5, 0.5])
    assert "not better than equal ones" in safe.ensemble.search["reason"]
    genetic = run(config(runs, pick="genetic", out=tmp_path / "genetic"))
    assert genetic.ensemble.search["picked"] == "genetic"


def test_weights_that_are_better_on_unseen_samples_are_kept(result):
    assert "are better than equal ones" in result.ensemble.search["reason"]
    searched = result.comparison.row("genetic").weights
    np.testing.assert_array_equal(result.ensemble.weights, searched)
    assert searched.std() > 0.01


def test_the_same_runs_and_seed_give_the_same_bytes(runs, tmp_path):
    first, again = (run(config(runs, out=tmp_path / name)).file for name in ("one", "two"))
    for name in ("ensemble.json", "config.json", "history.csv"):
        one, two = (path.with_name(name).read_text(encoding="utf-8") for path in (first, again))
        assert one.replace('"out": "one"', "") == two.replace('"out": "two"', "")


def test_the_history_has_a_row_for_each_generation_and_a_picture(result, tmp_path):
    with (tmp_path / "out" / "history.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == QUICK.restarts * QUICK.generations
    assert (rows[-1]["restart"], rows[-1]["generation"]) == ("2", "8")
    best = max(float(row["best"]) for row in rows)
    assert best == pytest.approx(result.comparison.history.best.max(), abs=1e-6)
    picture = cv2.imread(str(tmp_path / "out" / "history.png"))
    assert picture.shape[0] > 300
    assert picture.std() > 10


def test_a_run_of_all_folds_may_give_all_its_nets_which_share_its_weight(runs, tmp_path):
    folds = run_folder(tmp_path / "folds", table(seed=7), fold="all")
    found = run(config([folds, runs[0]], fold_nets="all", out=tmp_path / "out")).ensemble
    assert [member.name for member in found.members] == ["folds-fold0", "folds-fold1", "v8n"]
    np.testing.assert_allclose(found.weights, [0.25, 0.25, 0.5])
    assert found.members[0].temperature == found.members[1].temperature


def test_tables_alone_make_an_ensemble_without_nets(runs, tmp_path):
    files = [tmp_path / f"{run_.name}.csv" for run_ in runs]
    for file, run_ in zip(files, runs, strict=True):
        write_probabilities(file, read_probabilities(run_ / "probabilities.csv"))
    found = run(config(files, out=tmp_path / "out")).ensemble
    assert [member.net for member in found.members] == [None] * 3
    assert found.searched_on.manifest_sha256 == ""


def test_warnings_of_the_data_set_are_handed_on(tmp_path):
    data = read_dataset(made_cells(tmp_path / "cells", (2, 4, 1)))
    card = {"manifest_sha256": data.manifest_sha256, "config": {"fold": 0}}
    members = []
    for seed in range(2):
        weights = np.random.default_rng(seed).normal(0, 0.02, (3, 5)).astype(np.float32)
        members.append(
            run_folder(
                tmp_path / f"net{seed}",
                None,
                manifest_sha256=data.manifest_sha256,
                card=card_of("best", training=card),
                weights=weights,
            )
        )
    found = run(config(members, data=data.folder, out=tmp_path / "out")).ensemble
    assert found.warnings[0] == "drawn, not photographed"
    assert found.searched_on.splits == ("val",)
    assert found.searched_on.manifest_sha256 == data.manifest_sha256


def test_runs_are_numbered_below_runs_ensemble(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [run(config(runs, nested_folds=0)).file for _ in range(2)]
    assert [str(file) for file in files] == [
        "runs/ensemble/v8n-v11n-v12n/ensemble.json",
        "runs/ensemble/v8n-v11n-v12n2/ensemble.json",
    ]


def test_the_configuration_is_written_without_whole_paths(runs, tmp_path):
    run(config(runs, out=tmp_path / "out"))
    text = (tmp_path / "out" / "config.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["schema"] == "yolo-leuk/ensemble-config/1"
    assert content["members"] == ["v8n", "v11n", "v12n"]
    assert str(tmp_path) not in text


def test_a_folder_that_holds_something_is_refused_and_kept(runs, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="already holds something"):
        run(config(runs, out=tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_nothing_is_left_of_a_run_that_fails(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "yolo_leuk.ensemble.run.write_growth",
        lambda *_: (_ for _ in ()).throw(OutputError("the disk is full")),
    )
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match="the disk is full"):
        run(config(runs, out=tmp_path / "out"))
    assert sorted(tmp_path.iterdir()) == before


def test_a_net_whose_classes_differ_from_its_table_is_refused(tmp_path):
    other = run_folder(tmp_path / "other", table(("hem", "all")))
    again = run_folder(tmp_path / "again", table(("hem", "all")))
    with pytest.raises(CardError, match=r"other/weights/best\.onnx are Benign, Early"):
        run(config([other, again], out=tmp_path / "out"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"coverage": 0.0}, "coverage is 0.0"),
        ({"coverage": 1.1}, "coverage is 1.1"),
        ({"nested_folds": 1}, "nested_folds is 1; expected 0, or 2 or more"),
        ({"draws": 0}, "draws is 0; expected 1 or more"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_out_of_their_range_are_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        EnsembleConfig(members=(), **changes)


# --- what a reader must know ---------------------------------------------------------------------


def assembled_of(skills, per_class=12, groups_per_class=4):
    tables = {
        f"net{n}": table(
            ("hem", "all"),
            seed=n,
            skill=skill,
            per_class=per_class,
            groups_per_class=groups_per_class,
        )
        for n, skill in enumerate(skills)
    }
    data = joined(tables)
    settings = Settings(fitness_of("weighted_f1", data.classes), QUICK, 2, 20, 0)
    return assembled(
        data,
        [Given(name) for name in tables],
        LabelScheme(data.classes),
        compared(data, settings),
        Decision("equal", is_better=False, reason=""),
        manifest_sha256="",
        coverage=0.9,
        search={},
        warnings=(),
    )


def test_few_groups_are_told():
    assert assembled_of([1.0, 1.0]).warnings[0] == (
        "only 8 groups: intervals over so few are rough"
    )
    many = assembled_of([1.0, 1.0], per_class=40, groups_per_class=20)
    assert not any("groups" in warning for warning in many.warnings)


def test_a_member_that_does_without_the_others_is_told():
    told = assembled_of([3.0, -1.0]).warnings[-1]
    assert told.startswith("net0 alone reaches ")
    assert told.endswith("that the others add anything is not shown")


def test_members_that_help_each_other_are_not_warned_of():
    found = assembled_of([1.0, 1.0, 1.0, 1.0], per_class=60, groups_per_class=20)
    assert not any("alone" in warning for warning in found.warnings)


def test_tables_that_a_data_set_vouches_for_are_of_its_manifest(tmp_path):
    data = read_dataset(made_cells(tmp_path / "cells", (2, 4, 1)))
    samples = [sample for sample in data.samples if sample.split == "val"]
    files = []
    for seed in range(2):
        files.append(tmp_path / f"{seed}.csv")
        logits = np.random.default_rng(seed).normal(0, 1, (len(samples), 5))
        write_probabilities(files[-1], table_of(samples, data.scheme.names, logits))
    found = run(config(files, data=data.folder, out=tmp_path / "out")).ensemble
    assert found.searched_on.manifest_sha256 == data.manifest_sha256
    assert found.scheme.blasts == data.scheme.blasts
