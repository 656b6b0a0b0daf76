"""The table of samples: its format, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from yolo_leuk.errors import LeakageError, ManifestError
from yolo_leuk.manifest import COLUMNS, check_samples, read_manifest, write_manifest
from yolo_leuk.records import Sample

GOLDEN = Path(__file__).parent / "golden" / "manifest.csv"

PRE = Sample(
    sample_id="all4-Pre-WBC-1-c000",
    path="train/Pre/all4-Pre-WBC-1-c000.png",
    source="all4",
    sha256="a" * 64,
    width=90,
    height=90,
    label="Pre",
    subject="",
    group="all4-Pre-look03",
    split="train",
    fold=2,
    px_per_rbc=20.0,
    steps="scale bar painted out; window of 3 red cells, rim 0.25",
)
BENIGN = Sample(
    sample_id="cnmc-H10",
    path="val/Benign/cnmc-H10.png",
    source="cnmc",
    sha256="b" * 64,
    width=450,
    height=450,
    label="Benign",
    subject="H10",
    group="H10, h3",
    split="val",
    fold=0,
    px_per_rbc=33.3333,
    steps="",
)
FIELD = Sample(
    sample_id="txl-pbc-one",
    path="images/test/txl-pbc-one.png",
    source="txl-pbc/BCCD",
    sha256="c" * 64,
    width=320,
    height=240,
    label="",
    subject="",
    group="txl-pbc-one",
    split="test",
    fold=-1,
    px_per_rbc=59.5,
    steps="reduced by 2",
)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    """The message that a manifest of this content is refused with; it names the file."""
    path = tmp_path / "manifest.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_manifest_has_the_bytes_of_the_golden_file_whatever_the_order_of_the_samples(tmp_path):
    for samples in ([PRE, BENIGN, FIELD], [FIELD, PRE, BENIGN]):
        write_manifest(tmp_path / "manifest.csv", samples)
        assert (tmp_path / "manifest.csv").read_bytes() == GOLDEN.read_bytes()


def test_the_golden_file_is_read_as_the_samples_it_was_written_from():
    assert read_manifest(GOLDEN) == [PRE, BENIGN, FIELD]


def test_a_manifest_is_found_in_its_folder():
    assert read_manifest(GOLDEN.parent) == read_manifest(GOLDEN)


def test_the_columns_are_those_of_the_contract():
    assert ", ".join(COLUMNS) == (
        "sample_id, path, source, sha256, width, height, label, subject, group, split, fold, "
        "px_per_rbc, steps"
    )


def test_quotes_commas_line_breaks_and_letters_survive(tmp_path):
    odd = replace(PRE, group='Müller, "A"\nB', steps="größer; 20 µm", path="train/ä b/1.png")
    write_manifest(tmp_path / "m.csv", [odd])
    assert read_manifest(tmp_path / "m.csv") == [odd]


def test_a_missing_manifest_is_refused_with_what_to_give_instead(tmp_path):
    with pytest.raises(ManifestError, match="No such file") as caught:
        read_manifest(tmp_path / "manifest.csv")
    assert "prepare" in caught.value.hint


def test_other_columns_are_refused(tmp_path):
    assert "found path, label" in refusal(tmp_path, "path,label\na.png,Pre\n")
    assert "found none" in refusal(tmp_path, "")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    assert "UTF-8" in refusal(tmp_path, b"\xff\xd8\xff\xe0 a JPEG")


def test_a_line_with_too_few_values_is_refused_with_its_number(tmp_path):
    golden = GOLDEN.read_text(encoding="utf-8")
    assert "line 5: expected 13 values, found 2" in refusal(tmp_path, golden + "only,two\n")


def test_a_field_that_is_longer_than_any_is_refused(tmp_path):
    golden = GOLDEN.read_text(encoding="utf-8")
    assert "limit" in refusal(tmp_path, golden + "x" * 200_000)


@pytest.mark.parametrize(
    ("column", "text"), [("width", "wide"), ("fold", "1.5"), ("px_per_rbc", "")]
)
def test_a_value_of_the_wrong_type_is_refused_with_its_column(tmp_path, column, text):
    header, *_, line = GOLDEN.read_text(encoding="utf-8").splitlines()
    values = line.split(",")
    values[COLUMNS.index(column)] = text
    message = refusal(tmp_path, f"{header}\n{','.join(values)}\n")
    assert f"line 2: {column} is {text!r}" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "holdout"}, "holdout"),
        ({"group": ""}, "no group"),
        ({"px_per_rbc": 0.0}, "px_per_rbc"),
        ({"px_per_rbc": float("nan")}, "px_per_rbc"),
        ({"split": "val"}, "fold 2"),
        ({"split": "test"}, "fold 2"),
        ({"fold": 0}, "fold 0"),
        ({"fold": -1}, "fold -1"),
    ],
)
def test_a_row_that_breaks_the_schema_is_refused(change, message):
    with pytest.raises(ManifestError, match=message):
        check_samples([replace(PRE, **change)], "here")


def test_an_id_that_stands_twice_is_refused():
    with pytest.raises(ManifestError, match="twice"):
        check_samples([PRE, replace(PRE, path="other.png")], "here")


def test_a_group_in_two_splits_is_leakage():
    with pytest.raises(LeakageError, match=r"one group in two splits.*look03"):
        check_samples([PRE, replace(BENIGN, group=PRE.group)], "here")


def test_a_file_in_two_splits_is_leakage():
    with pytest.raises(LeakageError, match=r"one file in two splits.*aaaa"):
        check_samples([PRE, replace(FIELD, sha256=PRE.sha256)], "here")


def test_several_cells_of_one_file_in_one_split_are_none():
    check_samples([PRE, replace(PRE, sample_id="all4-Pre-WBC-1-c001")], "here")


def test_a_manifest_with_leakage_is_neither_written_nor_read(tmp_path):
    leaking = [PRE, replace(FIELD, group=PRE.group)]
    with pytest.raises(LeakageError):
        write_manifest(tmp_path / "manifest.csv", leaking)
    assert not list(tmp_path.iterdir())
    text = GOLDEN.read_text(encoding="utf-8").replace("txl-pbc-one,test", "all4-Pre-look03,test")
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LeakageError):
        read_manifest(tmp_path)
