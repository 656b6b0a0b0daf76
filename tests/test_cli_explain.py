"""``yolo-leuk explain``: what goes where, and which exit code ends it."""

from __future__ import annotations

import json

import pytest

from tests.made_explain import cell_picture, field_picture, middle
from tests.made_onnx import detector_file

AS_CELL = ("--as", "cell", "--scale", "32", "--set", "occlusion.patches=[0.25]")


@pytest.fixture
def explain(command, monkeypatch, tmp_path):
    """Run ``yolo-leuk explain`` in a folder with a net and pictures."""
    middle(tmp_path / "net.onnx")
    detector_file(tmp_path / "finds.onnx")
    cell_picture(tmp_path / "cell.png")
    field_picture(tmp_path / "field.png", [(60, 50)])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: command("explain", *arguments)


def test_the_path_goes_to_standard_output_and_shares_and_notes_to_standard_error(explain):
    ended = explain("net.onnx", "cell.png", *AS_CELL)
    assert (ended.code, ended.out) == (0, "runs/explain/cell/report.html\n")
    head, row, *notes = ended.err.splitlines()
    assert head.split() == [
        "image", "member", "class", "probability", "heat", "on", "cells", "by", "chance",
    ]  # fmt: skip
    assert row.split()[:3] == ["cell.png", "net", "Early"]
    assert row.split()[-1].endswith("%")
    assert "method occlusion: there is no checkpoint of net to look into" in notes
    assert "the cells of a field are found by the shipped detector, v11n-detect" in notes


def test_runs_are_numbered_by_the_first_picture(explain):
    explain("net.onnx", "cell.png", *AS_CELL)
    assert explain("net.onnx", "cell.png", *AS_CELL).out == "runs/explain/cell2/report.html\n"


def test_json_is_all_that_is_printed(explain, tmp_path):
    ended = explain("net.onnx", "cell.png", *AS_CELL, "--json", "--out", "out")
    content = json.loads(ended.out)
    assert ended.err == ""
    assert (content["schema"], content["report"]) == ("yolo-leuk/explain-run/1", "out/report.html")
    assert content["failures"] == []
    written = json.loads((tmp_path / "out/cell/explanation.json").read_text(encoding="utf-8"))
    assert content["explanations"] == [written]


def test_a_picture_that_cannot_be_read_ends_with_3_after_the_others_are_done(explain):
    ended = explain("net.onnx", "broken.png", "cell.png", *AS_CELL)
    assert ended.code == 3
    assert ended.out == "runs/explain/broken/report.html\n"
    assert "broken.png" in ended.err


def test_settings_come_from_yaml_below_assignments_below_flags(explain, tmp_path):
    (tmp_path / "settings.yaml").write_text(
        "view: field\nscale: 20\nmost_cells: 3\nocclusion: {patches: [0.5]}\n", encoding="utf-8"
    )
    ended = explain(
        "net.onnx", "cell.png", "--config", "settings.yaml", "--set", "most_cells=4",
        "--as", "cell", "--class", "Pro", "--out", "out",
    )  # fmt: skip
    assert ended.code == 0
    written = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert (written["view"], written["scale"], written["most_cells"]) == ("cell", 20, 4)
    assert (written["explained"], written["occlusion"]["patches"]) == ("Pro", [0.5])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("net.onnx",), 2, "Missing argument"),
        (("net.onnx", "cell.png", "--method", "guess"), 2, "'guess' is not one of"),
        (("net.onnx", "cell.png", "--method", "cam"), 2, "looks into checkpoints"),
        (("net.onnx", "cell.png", "--layers", "1"), 2, "looks into checkpoints"),
        (("net.onnx", "cell.png", "--class", "Late"), 2, "unknown class 'Late'"),
        (("net.onnx", "cell.png", "--scale", "wide"), 2, "--scale is 'wide'"),
        (("net.onnx", "cell.png", "--set", "most_cell=3"), 2, "Did you mean most_cells?"),
        (("finds.onnx", "cell.png"), 2, "expected one that classifies"),
        (("net.onnx", "nothing.png"), 3, "nothing.png"),
        (("nothing.onnx", "cell.png"), 4, "there is no model nothing.onnx"),
        (("net.json", "cell.png"), 4, "Of a net, name the .onnx file"),
    ],
)
def test_what_goes_wrong_is_said_and_ends_with_its_code(explain, tmp_path, arguments, code, said):
    ended = explain(*arguments)
    assert ended.code == code
    assert said in ended.err
    assert ended.out == ""
    assert not list((tmp_path / "runs").glob("explain/*"))
