"""``yolo-leuk export``: what goes where, and which exit code ends it."""

from __future__ import annotations

import dataclasses
import json
from functools import partial

import pytest

from tests.made_convolutions import convolutions
from tests.made_evaluation import ANYWHERE
from tests.made_nets import CLASSIFIER_CARD
from yolo_leuk.export import parity
from yolo_leuk.net_file import write_net


@pytest.fixture
def export(command, monkeypatch, tmp_path):
    """Run ``yolo-leuk export`` with arguments, in this process and in a folder with a net."""
    card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, name="calls")
    write_net(tmp_path / "calls.onnx", convolutions().SerializeToString(), card)
    monkeypatch.chdir(tmp_path)
    return partial(command, "export")


def test_the_path_goes_to_standard_output_and_the_comparison_to_standard_error(export):
    ended = export("calls.onnx", "--precision", "fp16")
    assert (ended.code, ended.out) == (0, "runs/export/calls/calls-fp16.onnx\n")
    header, row = ended.err.splitlines()
    assert header.split("  ")[0] == "file"
    assert row.split()[:3] == ["calls-fp16.onnx", "fp16", "64"]


def test_json_is_all_that_is_printed(export):
    ended = export("calls.onnx", "--out", "out", "--json")
    content = json.loads(ended.out)
    assert (content["schema"], content["result"]) == ("yolo-leuk/export/1", "out/calls.onnx")
    (file,) = content["files"]
    assert (file["role"], file["file"], file["precision"]) == ("model", "calls.onnx", "fp32")
    assert file["parity"]["pictures"] == 64
    assert ended.err == ""


def test_an_export_is_verified_again_with_its_source_named_or_found(export):
    export("calls.onnx", "--out", "out")
    for arguments in (("calls.onnx", "--verify", "out/calls.onnx"), ("--verify", "out/calls.onnx")):
        ended = export(*arguments)
        assert (ended.code, ended.out) == (0, "out/calls.onnx\n")
        assert "100.0%" in ended.err
    content = json.loads(export("--verify", "out/calls.onnx", "--json").out)
    assert (content["schema"], content["file"]) == ("yolo-leuk/export-verify/1", "calls.onnx")


def test_a_file_that_answers_otherwise_ends_with_5_and_stays(export, tmp_path, monkeypatch):
    export("calls.onnx", "--precision", "fp16", "--out", "out")
    nothing = dataclasses.replace(parity.TOLERANCES["fp16"], difference=0.0)
    monkeypatch.setitem(parity.TOLERANCES, "fp16", nothing)
    ended = export("--verify", "out/calls-fp16.onnx")
    assert ended.code == 5
    assert "answers otherwise" in ended.err
    assert (tmp_path / "out" / "calls-fp16.onnx").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "expected a model to export"),
        (("calls.onnx", "--format", "tflite"), 2, "'tflite' is not one of"),
        (("calls.onnx", "--precision", "int8"), 2, "--data DATASET"),
        (("calls.onnx", "--set", "crop=3"), 2, "Did you mean crops?"),
        (("gone.onnx",), 4, "there is no model gone.onnx"),
        (("calls.onnx", "--out", "calls.onnx/out"), 2, "cannot write"),
        (("--verify", "calls.onnx"), 2, "is no export"),
    ],
)
def test_what_is_wrong_is_said_with_the_exit_code_of_its_kind(export, arguments, code, said):
    ended = export(*arguments)
    assert ended.code == code
    assert said in ended.err
    assert ended.out == ""
