"""``ensemble.json``: written and read again, moved, and refused where it is not whole."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from tests.made_members import card_of
from tests.made_onnx import classifier_file
from yolo_leuk.ensemble_file import (
    Ensemble,
    Member,
    SearchedOn,
    check_nets,
    read_ensemble,
    write_ensemble,
)
from yolo_leuk.errors import CardError, HashError
from yolo_leuk.labels import MATURITY
from yolo_leuk.model_card import read_card
from yolo_leuk.probabilities import calibrated_vote

SEARCHED_ON = SearchedOn("5a" * 32, ("train", "val"), (0, 1), 60, 20)


def member(name: str, weight: float, net=None, sha256: str = "") -> Member:
    return Member(name, name, weight, 0.8, net, sha256)


def ensemble(*members: Member, **changes) -> Ensemble:
    whole = {
        "name": "two nets",
        "scheme": MATURITY,
        "members": members or (member("a", 0.25), member("b", 0.75)),
        "temperature": 1.2,
        "thresholds": {"unidentified": 0.4, "coverage": 0.95},
        "searched_on": SEARCHED_ON,
    }
    return Ensemble(**{**whole, **changes})


@pytest.fixture
def nets(tmp_path):
    """An ensemble of two nets that lie in the folders of their runs."""
    members = []
    for number, name in enumerate(("a", "b")):
        path = tmp_path / name / "weights" / "best.onnx"
        path.parent.mkdir(parents=True)
        card = classifier_file(path, card_of("best"), np.full((3, 5), number, np.float32))
        members.append(member(name, (0.25, 0.75)[number], path, card.sha256))
    return ensemble(*members)


def test_an_ensemble_is_read_as_it_was_written(nets, tmp_path):
    written = write_ensemble(tmp_path / "out", nets)
    assert read_ensemble(tmp_path / "out") == written
    assert read_ensemble(tmp_path / "out" / "ensemble.json") == written
    assert dataclasses.replace(written, members=nets.members) == nets


def test_nets_are_copied_beside_it_under_the_names_of_the_members(nets, tmp_path):
    write_ensemble(tmp_path / "out", nets)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.json", "a.onnx", "b.json", "b.onnx", "ensemble.json",
    ]  # fmt: skip
    assert read_card(tmp_path / "out" / "a.json").name == "a"
    original = nets.members[0].net.read_bytes()
    assert (tmp_path / "out" / "a.onnx").read_bytes() == original


def test_a_folder_that_was_moved_is_whole(nets, tmp_path):
    write_ensemble(tmp_path / "out", nets)
    shutil.rmtree(tmp_path / "a")
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    found = read_ensemble(tmp_path / "elsewhere")
    assert found.nets == (tmp_path / "elsewhere" / "a.onnx", tmp_path / "elsewhere" / "b.onnx")


def test_the_file_holds_no_path(nets, tmp_path):
    write_ensemble(tmp_path / "out", nets)
    assert str(tmp_path) not in (tmp_path / "out" / "ensemble.json").read_text(encoding="utf-8")


def test_the_probabilities_are_those_of_the_calibrated_vote():
    logits = np.random.default_rng(0).normal(0, 1, (2, 7, 5))
    expected = calibrated_vote(logits, [0.8, 0.8], np.array([0.25, 0.75]), 1.2)
    np.testing.assert_array_equal(ensemble().probabilities(logits), expected)


def test_an_ensemble_of_tables_is_read_but_has_no_nets(tmp_path):
    write_ensemble(tmp_path, ensemble())
    found = read_ensemble(tmp_path)
    with pytest.raises(CardError, match="no net of a, b") as caught:
        assert found.nets
    assert "yolo-leuk ensemble" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"members": (member("a", 0.5), member("a", 0.5))}, "different names"),
        ({"members": (member("a", 0.5), member("b", 0.4))}, "a sum of 1, got 0.5, 0.4"),
        ({"members": (member("a", 1.5), member("b", -0.5))}, "from 0 up"),
        ({"temperature": 0.0}, "temperatures above 0"),
        ({"temperature": float("nan")}, "temperatures above 0"),
        ({"thresholds": {"coverage": 0.9}}, "no threshold 'unidentified'"),
    ],
)
def test_an_ensemble_that_cannot_vote_is_refused_when_it_is_built(changes, told):
    with pytest.raises(CardError, match=told):
        ensemble(**changes)


def test_an_ensemble_without_members_is_refused():
    with pytest.raises(CardError, match="different names, got"):
        dataclasses.replace(ensemble(), members=())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.update(schema="yolo-leuk/ensemble/9"), "expected a file of schema"),
        (lambda c: c.pop("temperature"), "the key 'temperature' is missing"),
        (lambda c: c["members"][0].pop("weight"), "the key 'weight' is missing"),
        (lambda c: c["members"][0].update(weight="much"), "breaks the schema"),
        (lambda c: c["members"][0].update(weight=0.9), "expected weights from 0 up"),
        (lambda c: c["members"][0].update(file="../a.onnx"), "does not lie beside"),
        (lambda c: c.update(classes=["Pro", "Pro"]), "breaks the schema"),
        (lambda c: c.update(members=3), "breaks the schema"),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused_with_its_path(nets, tmp_path, change, told):
    write_ensemble(tmp_path / "out", nets)
    file = tmp_path / "out" / "ensemble.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CardError, match=told) as caught:
        read_ensemble(file)
    assert str(file) in str(caught.value)


def test_a_net_that_was_changed_is_refused_unless_it_is_trusted(nets, tmp_path):
    write_ensemble(tmp_path / "out", nets)
    net = tmp_path / "out" / "b.onnx"
    net.write_bytes(net.read_bytes() + b"more")
    with pytest.raises(HashError, match=r"b\.onnx has SHA-256"):
        read_ensemble(tmp_path / "out")
    assert read_ensemble(tmp_path / "out", trust=True).members[1].net == net


def test_a_net_that_is_not_the_one_of_its_card_is_not_written(nets, tmp_path):
    first = dataclasses.replace(nets.members[0], sha256="0" * 64)
    with pytest.raises(HashError, match=f"has SHA-256 {'0' * 64}; its card says"):
        write_ensemble(tmp_path / "out", ensemble(first, nets.members[1]))
    assert not (tmp_path / "out" / "ensemble.json").exists()


def test_a_net_that_is_missing_is_told(nets, tmp_path):
    write_ensemble(tmp_path / "out", nets)
    (tmp_path / "out" / "b.onnx").unlink()
    with pytest.raises(CardError, match=r"b\.onnx, which is not there"):
        read_ensemble(tmp_path / "out")


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (card_of("b", MATURITY.names[::-1]), "Other, Pro, Pre, Early, Benign; those of the ense"),
        (card_of("b", input_px=64), "input_px of .*b.onnx is 64, that of .*a.onnx is 32"),
        (card_of("b", level="image"), "level of .* is image"),
        (card_of("b", px_per_rbc=30.0), "px_per_rbc of .* is 30.0"),
        (card_of("b", task="detect"), "is for detect"),
    ],
)
def test_nets_that_cannot_vote_together_are_refused_with_what_differs(tmp_path, card, told):
    classifier_file(tmp_path / "a.onnx", card_of("a"))
    classifier_file(tmp_path / "b.onnx", card)
    with pytest.raises(CardError, match=told):
        check_nets(MATURITY, [tmp_path / "a.onnx", tmp_path / "b.onnx"])
