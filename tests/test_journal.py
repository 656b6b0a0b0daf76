"""What a killed run leaves in its journal, and what the next one reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_leuk.errors import OutputError
from yolo_leuk.prepare.journal import Journal

entries = st.dictionaries(
    st.text(max_size=8), st.lists(st.floats(allow_nan=False) | st.text(max_size=4), max_size=3)
)


@given(written=entries)
def test_what_was_written_is_read_again_to_the_last_digit(written, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "made.jsonl"
    with Journal(path) as journal:
        for key, value in written.items():
            journal.add(key, value)
    with Journal(path) as journal:
        assert journal.done == written


@given(cut=st.integers(0, 60))
def test_a_line_that_a_kill_tore_is_done_anew_and_the_others_stay(cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "made.jsonl"
    with Journal(path) as journal:
        for key in ("one", "two", "three"):
            journal.add(key, [1, 2])
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    with Journal(path) as journal:
        left = list(journal.done)
        assert left == ["one", "two", "three"][: len(left)]
        for key in ("one", "two", "three"):
            if key not in journal.done:
                journal.add(key, [1, 2])
    assert path.read_bytes() == whole


def test_a_journal_that_cannot_be_written_says_where_and_what_to_do(tmp_path):
    with pytest.raises(OutputError, match="missing") as raised:
        Journal(tmp_path / "missing" / "made.jsonl")
    assert "run the same command again" in raised.value.hint
