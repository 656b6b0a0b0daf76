"""The place where a data set is made: taken up, locked, cleared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fresh_process import python
from yolo_leuk.errors import DataError, OutputError
from yolo_leuk.prepare.staging import staged

SECOND = """
import sys
from pathlib import Path
from yolo_leuk.prepare import staging
staging._WAIT_S = 0.1
with staging.staged(Path(sys.argv[1]), "f"):
    pass
"""


class Killed(BaseException):
    """Stands for a kill: nothing may be tidied up on its account."""


def end_with(error: BaseException, out: Path) -> None:
    """A run that ends in the middle of a picture."""
    with staged(out, "f") as stage:
        (stage.data / "a.png").write_bytes(b"a")
        (stage.data / ".partial-x.png").write_bytes(b"half")
        stage.made.add("a", {})
        raise error


def test_what_was_made_becomes_the_folder_and_nothing_else_is_left(tmp_path):
    with staged(tmp_path / "out", "f") as stage:
        (stage.data / "a.png").write_bytes(b"a")
        assert not (tmp_path / "out").exists()
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.png"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out", "f") as stage:
        (stage.data / "a.png").write_bytes(b"a")
    assert (tmp_path / "out" / "a.png").is_file()


def test_a_killed_run_is_taken_up_without_its_half_files(tmp_path):
    with pytest.raises(Killed):
        end_with(Killed(), tmp_path / "out")
    with staged(tmp_path / "out", "f") as stage:
        assert stage.made.done == {"a": {}}
        assert [p.name for p in stage.data.iterdir()] == ["a.png"]


def test_a_run_with_another_fingerprint_starts_anew(tmp_path):
    with pytest.raises(Killed):
        end_with(Killed(), tmp_path / "out")
    with staged(tmp_path / "out", "other") as stage:
        assert stage.made.done == {}
        assert list(stage.data.iterdir()) == []


def test_data_that_cannot_be_used_leave_nothing(tmp_path):
    with pytest.raises(DataError, match="bad"):
        end_with(DataError("bad"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_stands_there_already_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with (
        pytest.raises(OutputError, match="already holds something"),
        staged(tmp_path / "out", "f"),
    ):
        pass
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_second_run_on_the_same_folder_says_so_and_stops(tmp_path):
    with staged(tmp_path / "out", "f") as stage:
        second = python("-c", SECOND, tmp_path / "out", folder=tmp_path)
        assert second.returncode != 0
        assert "another run is making" in second.stderr
        (stage.data / "a.png").write_bytes(b"a")
    assert (tmp_path / "out" / "a.png").is_file()


def test_a_full_disk_leaves_a_stage_that_the_next_run_takes_up(tmp_path):
    with pytest.raises(OutputError, match="No space left") as raised:
        end_with(OSError(28, "No space left on device"), tmp_path / "out")
    assert "it goes on" in raised.value.hint
    assert not (tmp_path / "out").exists()
    with staged(tmp_path / "out", "f") as stage:
        assert (stage.data / "a.png").is_file()
