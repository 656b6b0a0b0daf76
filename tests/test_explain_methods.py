"""Which way is taken to explain a model, and what it needs."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from tests.made_explain import CARD, middle
from yolo_leuk.backends.ultralytics import INSTALL
from yolo_leuk.errors import MissingExtraError, UsageError
from yolo_leuk.explain.checkpoints import checkpoints_of
from yolo_leuk.explain.evidence import VOTE, voices_of
from yolo_leuk.explain.methods import chosen_method
from yolo_leuk.model_card import MemberCard
from yolo_leuk.net_file import card_of

MEMBERS = tuple(
    MemberCard(name, name, sha256 * 64, 0.5, 1.0, CARD.features)
    for name, sha256 in (("one", "1"), ("two", "2"))
)
BOTH = voices_of(dataclasses.replace(CARD, members=MEMBERS), "both")
CHECKPOINTS = {"one": Path("one.pt"), "two": Path("two.pt")}


@pytest.fixture
def without_captum(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "captum" else found(name)
    )


@pytest.fixture
def with_all(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)


def run_folder(folder: Path) -> Path:
    """A net with a file for a checkpoint, as a run leaves them."""
    net = middle(folder / "weights" / "best.onnx")
    net.with_suffix(".pt").write_bytes(b"a checkpoint")
    return net


@pytest.mark.usefixtures("with_all")
def test_checkpoints_are_looked_into_where_all_are_at_hand():
    assert BOTH[-1].name == VOTE
    assert chosen_method(None, BOTH, CHECKPOINTS) == ("cam", "checkpoints are at hand")


@pytest.mark.usefixtures("with_all")
def test_parts_are_covered_where_a_checkpoint_is_missing_and_it_is_named():
    method, why = chosen_method(None, BOTH, {"one": Path("one.pt")})
    assert (method, why) == ("occlusion", "there is no checkpoint of two to look into")


@pytest.mark.usefixtures("without_captum")
def test_parts_are_covered_where_a_library_is_missing_and_it_is_named():
    method, why = chosen_method(None, BOTH, CHECKPOINTS)
    assert (method, why) == ("occlusion", "captum is not installed (train extra)")


@pytest.mark.usefixtures("with_all")
def test_the_method_that_is_asked_for_needs_no_reason():
    assert chosen_method("occlusion", BOTH, CHECKPOINTS) == ("occlusion", "")
    assert chosen_method("cam", BOTH, CHECKPOINTS) == ("cam", "")


@pytest.mark.usefixtures("without_captum")
def test_looking_inside_without_the_libraries_is_refused_with_what_to_install():
    with pytest.raises(MissingExtraError, match="--method cam needs captum") as caught:
        chosen_method("cam", BOTH, CHECKPOINTS)
    assert caught.value.hint == INSTALL


@pytest.mark.usefixtures("with_all")
def test_looking_inside_without_a_checkpoint_is_refused():
    with pytest.raises(UsageError, match="there is none of two"):
        chosen_method("cam", BOTH, {"one": Path("one.pt")})


def test_the_checkpoint_of_a_net_alone_lies_beside_it(tmp_path):
    net = run_folder(tmp_path / "run")
    (voice,) = voices_of(dataclasses.replace(CARD, sha256=_sha256(net)), "run")
    assert checkpoints_of([voice], net, []) == {"run": net.with_suffix(".pt")}
    assert checkpoints_of([voice], None, []) == {}


def test_checkpoints_that_are_named_are_told_apart_by_the_nets_beside_them(tmp_path):
    one = run_folder(tmp_path / "a")
    two = middle(tmp_path / "b" / "weights" / "best.onnx", strength=0.02)
    two.with_suffix(".pt").write_bytes(b"another")
    members = (
        dataclasses.replace(MEMBERS[0], sha256=_sha256(two)),
        dataclasses.replace(MEMBERS[1], sha256=_sha256(one)),
    )
    voices = voices_of(dataclasses.replace(CARD, members=members), "both")
    found = checkpoints_of(voices, None, [tmp_path / "a", two.with_suffix(".pt")])
    assert found == {"one": two.with_suffix(".pt"), "two": one.with_suffix(".pt")}


def test_a_checkpoint_of_another_net_is_refused(tmp_path):
    run_folder(tmp_path / "run")
    with pytest.raises(UsageError, match=r"which is none of one, two$"):
        checkpoints_of(BOTH, None, [tmp_path / "run"])


def _sha256(net: Path) -> str:
    return card_of(net).sha256
