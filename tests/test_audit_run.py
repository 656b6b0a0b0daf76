"""A folder in, audit.json and audit.html out."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from made_smears import save, smear

from yolo_leuk.audit import run as room
from yolo_leuk.audit.run import AuditConfig, run
from yolo_leuk.errors import ConfigError, DataError, OutputError

KEYS = [
    "schema",
    "data_set",
    "against",
    "leakage",
    "exact_duplicates",
    "near_duplicates",
    "overlaps",
    "groups_across_splits",
    "balance",
    "formats",
    "colour_only",
    "regions",
    "without_cells",
    "labels",
    "unreadable",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two classes in two splits; one picture stands in both, one is broken, one has a bad name."""
    root = tmp_path_factory.mktemp("cells & <others>")
    for number in range(40):
        split = "train" if number < 24 else "test"
        save(root / split / "ab"[number % 2] / f"{number:02}.png", smear(number, (64, 64)))
    save(root / "test/a/again.jpg", smear(0, (64, 64)))
    (root / "train/a/<b>broken<b>.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def outcome(data, tmp_path_factory):
    return run(AuditConfig(data=data, out=tmp_path_factory.mktemp("out") / "audit", workers=1))


@pytest.fixture(scope="module")
def content(outcome):
    return json.loads(outcome.page.with_name("audit.json").read_text(encoding="utf-8"))


def state_of(folder):
    return {
        (str(file), file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).hexdigest())
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_keys_are_those_of_the_contract(content):
    assert list(content) == KEYS
    assert content["schema"] == "yolo-leuk/audit/1"


def test_what_was_put_in_is_found(content):
    assert content["leakage"] is True
    (pair,) = content["near_duplicates"]["list"]
    assert {p["path"] for p in pair["pictures"]} == {"train/a/00.png", "test/a/again.jpg"}
    assert content["near_duplicates"]["across_splits"] == 1
    assert content["unreadable"][0]["path"] == "train/a/<b>broken<b>.png"
    assert content["balance"]["pictures"]["counts"]["test"] == {"a": 9, "b": 8}
    assert content["colour_only"]["scores"][0]["tested_on"] == "test"
    assert len(content["regions"]["list"]) == 8


def test_nothing_that_comes_out_holds_an_absolute_path(data, outcome):
    for file in outcome.page.parent.iterdir():
        assert str(data.parent) not in file.read_text(encoding="utf-8")


def test_the_page_holds_all_that_it_shows_and_runs_nothing(outcome):
    page = outcome.page.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="([^"#d][^"]{0,40})', page) == []
    assert page.count('src="data:image/jpeg;base64,') >= 6
    assert "<script" not in page


def test_names_of_files_and_folders_are_escaped_in_the_page(outcome):
    page = outcome.page.read_text(encoding="utf-8")
    assert "<b>broken<b>" not in page
    assert "&lt;b&gt;broken&lt;b&gt;.png" in page


def test_the_configuration_is_written_with_names_for_paths(data, outcome):
    config = json.loads(outcome.page.with_name("config.json").read_text(encoding="utf-8"))
    assert config["schema"] == "yolo-leuk/audit-config/1"
    assert config["data"] == data.name


def test_the_data_set_is_only_read_and_the_answer_does_not_depend_on_workers(
    data, outcome, tmp_path
):
    before = state_of(data)
    again = run(AuditConfig(data=data, out=tmp_path / "audit", workers=2))
    assert state_of(data) == before
    for name in ("audit.json", "audit.html"):
        assert again.page.with_name(name).read_bytes() == outcome.page.with_name(name).read_bytes()


def test_a_data_set_without_classes_or_splits_says_what_cannot_be_known(tmp_path):
    save(tmp_path / "data/1.png", smear(1))
    audit = run(AuditConfig(data=tmp_path / "data", out=tmp_path / "out")).audit.to_json()
    assert audit["leakage"] is False
    for key in ("colour_only", "without_cells"):
        assert audit[key]["scores"] == []
        assert "no classes" in audit[key]["reason"]
    assert "names a patient" in audit["groups_across_splits"]["reason"]


def test_a_data_set_of_broken_pictures_is_reported(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/1.png").write_bytes(b"")
    outcome = run(AuditConfig(data=tmp_path / "data", out=tmp_path / "out"))
    assert [u.reason for u in outcome.audit.unreadable] == ["1.png is empty (0 bytes)"]
    assert outcome.page.is_file()


def test_runs_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "my data/1.png", smear(1))
    pages = [run(AuditConfig(data=tmp_path / "my data")).page.as_posix() for _ in range(3)]
    assert pages == [
        "runs/audit/my-data/audit.html",
        "runs/audit/my-data2/audit.html",
        "runs/audit/my-data3/audit.html",
    ]


def test_two_data_sets_of_one_name_are_told_apart(tmp_path):
    for place in ("one", "other"):
        save(tmp_path / place / "data/1.png", smear(1))
    config = AuditConfig(
        data=tmp_path / "one/data", against=tmp_path / "other/data", out=tmp_path / "out"
    )
    audit = run(config).audit
    assert (audit.data_set.name, audit.against.name) == ("one/data", "other/data")
    assert audit.duplicates.exact[0].across_data_sets


def test_a_data_set_is_not_compared_with_itself(tmp_path):
    save(tmp_path / "1.png", smear(1))
    with pytest.raises(ConfigError, match="the same folder"):
        run(AuditConfig(data=tmp_path, against=tmp_path / "."))


def test_a_full_output_folder_is_refused_before_a_picture_is_read(tmp_path, monkeypatch):
    save(tmp_path / "data/1.png", smear(1))
    monkeypatch.setattr(room, "scan", None)
    with pytest.raises(OutputError, match="already holds something"):
        run(AuditConfig(data=tmp_path / "data", out=tmp_path / "data"))


def test_a_failed_run_leaves_nothing_behind(tmp_path, monkeypatch):
    save(tmp_path / "data/1.png", smear(1))

    def fails(*_, **__):
        raise DataError("no")

    monkeypatch.setattr(room, "report_page", fails)
    with pytest.raises(DataError):
        run(AuditConfig(data=tmp_path / "data", out=tmp_path / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.parametrize("setting", ["seed", "workers", "examples"])
def test_a_negative_number_is_refused(tmp_path, setting):
    with pytest.raises(ConfigError, match=setting):
        AuditConfig(data=tmp_path, **{setting: -1})
