"""The files of a run: what is written first, and what is left of a run that was stopped."""

from __future__ import annotations

import json
import logging

import pytest

from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.train import run_folder

HEADER = "epoch,time,train/loss\n"


def begun(folder, manifest_sha256: str = "12" * 32, init_sha256: str = ""):
    run_folder.begin(
        folder,
        {"epochs": 3, "data": "cells"},
        {"python": "3.10"},
        manifest_sha256=manifest_sha256,
        init_sha256=init_sha256,
    )
    return folder


def with_epochs(folder, *rows: str):
    folder.mkdir(exist_ok=True)
    (folder / "results.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    return folder


def test_a_run_begins_with_its_configuration_and_its_environment(tmp_path):
    folder = begun(tmp_path / "runs" / "new")
    assert run_folder.stored_config(folder) == {"epochs": 3, "data": "cells"}
    assert json.loads((folder / "environment.json").read_text()) == {"python": "3.10"}


def test_the_hash_of_the_checkpoint_that_a_run_started_from_is_kept(tmp_path):
    assert run_folder.stored_init_sha256(begun(tmp_path / "a", init_sha256="ab" * 32)) == "ab" * 32
    assert run_folder.stored_init_sha256(begun(tmp_path / "b")) == ""


def test_a_run_goes_on_with_the_data_that_it_began_with_and_with_no_other(tmp_path):
    folder = begun(tmp_path / "run")
    run_folder.check_same_data(folder, "12" * 32)
    with pytest.raises(DataError, match=r"begun with the manifest of SHA-256 1212.* is 3434"):
        run_folder.check_same_data(folder, "34" * 32)


def test_a_run_of_a_version_that_kept_no_hash_of_its_data_goes_on(tmp_path):
    folder = begun(tmp_path / "run")
    start = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del start["manifest_sha256"]
    (folder / "config.json").write_text(json.dumps(start), encoding="utf-8")
    run_folder.check_same_data(folder, "34" * 32)


def test_an_empty_folder_may_be_given(tmp_path):
    (tmp_path / "run").mkdir()
    assert run_folder.stored_config(begun(tmp_path / "run"))


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path, kind):
    there = tmp_path / "run"
    kept = there / "notes.txt" if kind == "folder" else there
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    with pytest.raises(UsageError, match="already holds something") as caught:
        begun(there)
    assert f"--resume {there}" in caught.value.hint
    assert kept.read_text() == "mine"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [kept.name]


def test_a_folder_that_is_no_run_has_no_configuration(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*config\.json"):
        run_folder.stored_config(tmp_path)


def test_a_run_stopped_before_its_first_epoch_ended_cannot_go_on(tmp_path):
    with pytest.raises(UsageError, match="stopped before its first epoch ended"):
        run_folder.last_checkpoint(begun(tmp_path / "run"))


def test_an_epoch_in_the_table_without_its_checkpoint_is_dropped(tmp_path):
    folder = with_epochs(tmp_path / "run", "1,10.5,2\n", "2,20.5,1\n", "3,3")
    run_folder.keep_epochs(folder, 2)
    assert (folder / "results.csv").read_text() == HEADER + "1,10.5,2\n2,20.5,1\n"


def test_a_table_that_fits_its_checkpoint_is_not_written_again(tmp_path):
    folder = with_epochs(tmp_path / "run", "1,10.5,2\n", "2,20.5,1\n")
    before = (folder / "results.csv").stat().st_ino
    run_folder.keep_epochs(folder, 2)
    assert (folder / "results.csv").stat().st_ino == before


def test_the_table_of_epochs_is_told_by_column(tmp_path):
    assert run_folder.epochs(tmp_path) == {}
    assert run_folder.epochs(with_epochs(tmp_path / "empty")) == {}
    folder = with_epochs(tmp_path / "run", "1,10.5,2\n", "2,20.5,nan\n")
    table = run_folder.epochs(folder)
    assert table.keys() == {"epoch", "time", "train/loss"}
    assert table["time"] == [10.5, 20.5]
    assert table["train/loss"] == pytest.approx([2, float("nan")], nan_ok=True)


def test_the_time_of_a_run_is_that_of_its_last_epoch(tmp_path):
    assert run_folder.seconds_spent(tmp_path) == 0
    folder = with_epochs(tmp_path / "run", "1,10.5,2\n", "2,20.5,1\n")
    assert run_folder.seconds_spent(folder) == 20.5


def test_the_log_goes_on_where_it_was_and_is_closed_when_the_run_ends(tmp_path):
    for text in ("first", "second"):
        with run_folder.logger_of(tmp_path) as logger:
            logger.info(text)
    logging.getLogger("yolo_leuk.train").info("after the end")
    lines = (tmp_path / "train.log").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["first", "second"]
