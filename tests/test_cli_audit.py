"""``yolo-leuk audit``: what goes where, and which exit code ends it."""

from __future__ import annotations

import json
from functools import partial

import pytest
from made_smears import save, smear


@pytest.fixture
def audit(command, monkeypatch, tmp_path):
    """Run ``yolo-leuk audit`` with arguments, in this process and in an empty folder."""

    monkeypatch.chdir(tmp_path)
    return partial(command, "audit")


@pytest.fixture
def leaky(tmp_path):
    for place in ("train/a", "test/a"):
        save(tmp_path / "leaky" / place / "1.png", smear(1))
    return tmp_path / "leaky"


def test_the_path_of_the_page_goes_to_standard_output_and_the_table_to_standard_error(audit, leaky):
    ended = audit(leaky)
    assert (ended.code, ended.out) == (0, "runs/audit/leaky/audit.html\n")
    lines = ended.err.splitlines()
    assert lines[0] == "leak       same pixels           1 exact copy, 1 across splits"
    assert len(lines) == 11


def test_json_is_all_that_is_printed(audit, leaky):
    ended = audit(leaky, "--json")
    content = json.loads(ended.out)
    assert ended.err == ""
    assert content["exact_duplicates"]["across_splits"] == 1
    assert content["page"] == "runs/audit/leaky/audit.html"


def test_strict_ends_with_3_where_there_is_leakage_and_leaves_the_page(audit, leaky, tmp_path):
    ended = audit(leaky, "--strict")
    assert ended.code == 3
    assert "error: leaky leaks" in ended.err
    assert (tmp_path / ended.out.strip()).is_file()


def test_strict_ends_with_0_where_there_is_none(audit, tmp_path):
    save(tmp_path / "data/1.png", smear(1))
    save(tmp_path / "data/2.png", smear(1))
    assert audit(tmp_path / "data", "--strict").code == 0


def test_a_picture_of_the_other_data_set_is_leakage(audit, tmp_path):
    for name in ("one", "other"):
        save(tmp_path / name / "1.png", smear(1))
    ended = audit(tmp_path / "one", "--against", tmp_path / "other", "--strict", "--out", "here")
    assert ended.code == 3
    assert "1 across data sets" in ended.err
    assert ended.out == "here/audit.html\n"


def test_strict_can_be_set_in_a_file(audit, leaky, tmp_path):
    (tmp_path / "audit.yaml").write_text("strict: true\n")
    assert audit(leaky, "--config", tmp_path / "audit.yaml").code == 3
    assert audit(leaky, "--set", "strict=true").code == 3


def test_a_missing_folder_ends_with_3_and_no_traceback(audit):
    ended = audit("nowhere")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("error: there is no folder nowhere")


def test_an_unknown_setting_ends_with_2(audit, leaky):
    assert audit(leaky, "--set", "sed=1").code == 2
