"""Each fold in turn, gone on with after a kill, and the answers of all gathered."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD
from tests.made_training_data import made_cells
from yolo_leuk import artifacts
from yolo_leuk.errors import DataError, ModelError, UsageError
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import read_manifest
from yolo_leuk.model_card import write_card
from yolo_leuk.probabilities import read_probabilities, table_of, write_probabilities
from yolo_leuk.train import all_folds, run_folder
from yolo_leuk.train import run as train_run
from yolo_leuk.train.all_folds import is_of_all_folds, run_all_folds
from yolo_leuk.train.config import TrainConfig
from yolo_leuk.train.run import TrainResult


@pytest.fixture
def asked(tmp_path):
    """All folds of a data set that has two."""
    return TrainConfig(data=made_cells(tmp_path / "cells"), fold="all", out=tmp_path / "run")


@pytest.fixture
def room(monkeypatch):
    """Stands in for the training of one fold; remembers what it was asked for."""
    given: list[TrainConfig] = []

    def run(config: TrainConfig) -> TrainResult:
        given.append(config)
        folder = config.resume or config.out
        number = int(folder.name.removeprefix("fold"))
        is_detector = config.task == "detect"
        if not is_detector:
            _write_tables(folder, number)
        card = DETECTOR_CARD if is_detector else CLASSIFIER_CARD
        write_card(folder / "weights" / "best.json", card)
        return TrainResult(folder, folder / "weights" / "best.onnx", card)

    monkeypatch.setattr(all_folds, "run", run)
    monkeypatch.setattr(train_run, "environment", lambda _device: {})
    monkeypatch.setattr(all_folds, "with_defaults", lambda config: config)
    monkeypatch.setattr(all_folds, "started_with", lambda _asked, folder: _read(folder))
    monkeypatch.setattr(all_folds.ultralytics, "quiet", lambda: None)
    return given


def _read(folder: Path) -> TrainConfig:
    stored = run_folder.stored_config(folder)
    return TrainConfig(data=Path(stored["data"]), fold=stored["fold"], task=stored["task"])


def _write_tables(folder: Path, number: int) -> None:
    samples = [s for s in read_manifest(folder.parents[1] / "cells") if s.fold == number]
    # Right in its own colours, always the first class in swapped ones.
    right = 9.0 * np.eye(len(MATURITY))[[MATURITY.id_of(s.label) for s in samples]]
    first = 9.0 * np.eye(len(MATURITY))[np.zeros(len(samples), int)]
    for name, logits in (("probabilities.csv", right), ("probabilities-swapped.csv", first)):
        write_probabilities(folder / name, table_of(samples, MATURITY.names, logits))


def test_each_fold_is_trained_in_a_folder_of_its_own(asked, room):
    result = run_all_folds(asked)
    assert [(config.fold, config.out.name) for config in room] == [(0, "fold0"), (1, "fold1")]
    assert [fold.folder for fold in result.folds] == [config.out for config in room]


@pytest.mark.usefixtures("room")
def test_every_sample_but_those_of_test_is_answered_for_by_the_net_of_its_fold(asked):
    result = run_all_folds(asked)
    assert result.probabilities == result.folder / "probabilities.csv"
    table = read_probabilities(result.probabilities)
    samples = {s.sample_id: s for s in read_manifest(asked.data) if s.split != "test"}
    assert [row.sample_id for row in table.samples] == sorted(samples)
    assert all(row.fold == samples[row.sample_id].fold for row in table.samples)
    assert (table.probabilities.argmax(axis=1) == table.class_ids).all()


@pytest.mark.usefixtures("room")
def test_answers_in_swapped_colours_are_gathered_beside_and_told_of(asked):
    result = run_all_folds(asked)
    table = read_probabilities(result.folder / "probabilities-swapped.csv")
    assert (table.probabilities.argmax(axis=1) == 0).all()
    log = (result.folder / "train.log").read_text(encoding="utf-8")
    assert "probabilities.csv, 60 samples out of fold: weighted_f1 1.000" in log
    assert "probabilities-swapped.csv, 60 samples out of fold: weighted_f1 0.067" in log


def test_a_killed_run_goes_on_with_the_fold_that_it_was_in(asked, room):
    run_all_folds(asked)
    fold = asked.out / "fold1"
    (fold / "weights" / "best.json").unlink()
    (fold / "weights" / "last.pt").touch()
    room.clear()
    result = run_all_folds(TrainConfig(resume=asked.out))
    assert [config.resume for config in room] == [fold]
    assert len(result.folds) == 2
    assert len(read_probabilities(result.probabilities).samples) == 60


def test_a_fold_that_has_no_epoch_behind_it_is_begun_anew(asked, room):
    run_all_folds(asked)
    fold = asked.out / "fold1"
    (fold / "weights" / "best.json").unlink()
    (fold / "half").write_text("an epoch", encoding="utf-8")
    room.clear()
    run_all_folds(TrainConfig(resume=asked.out))
    assert [(config.fold, config.out, config.resume) for config in room] == [(1, fold, None)]
    assert not (fold / "half").exists()


def test_no_fold_is_trained_where_the_last_one_could_not_be(asked, room):
    # Without these, fold 1 would leave no cell of Pro to learn from.
    manifest = asked.data / "manifest.csv"
    rows = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest.write_text("".join(r for r in rows if "Pro-val" not in r), encoding="utf-8")
    card = artifacts.read_json(asked.data / "dataset.json", schema="yolo-leuk/dataset/1")
    sha256 = artifacts.sha256_of_file(manifest)
    artifacts.write_json(asked.data / "dataset.json", {**card, "manifest_sha256": sha256})
    with pytest.raises(DataError, match="no sample of Pro"):
        run_all_folds(asked)
    assert room == []
    assert not asked.out.exists()


def test_no_fold_goes_on_with_a_data_set_that_was_prepared_anew(asked, room):
    run_all_folds(asked)
    room.clear()
    shutil.rmtree(asked.data)
    made_cells(asked.data, per_class=(6, 4, 2))
    with pytest.raises(DataError, match="was begun with the manifest of SHA-256"):
        run_all_folds(TrainConfig(resume=asked.out))
    assert room == []


def test_a_checkpoint_to_start_from_that_is_not_there_is_refused_before_the_run(asked, room):
    with pytest.raises(ModelError, match=r"there is no checkpoint nowhere\.pt"):
        run_all_folds(dataclasses.replace(asked, init=Path("nowhere.pt")))
    assert room == []
    assert not asked.out.exists()


@pytest.mark.usefixtures("room")
def test_whether_a_run_was_of_all_folds_is_known_when_it_goes_on(asked):
    run_all_folds(asked)
    assert is_of_all_folds(asked)
    assert is_of_all_folds(TrainConfig(resume=asked.out))
    assert not is_of_all_folds(dataclasses.replace(asked, fold=1))


def test_a_folder_that_is_no_run_does_not_go_on(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        is_of_all_folds(TrainConfig(resume=tmp_path))
