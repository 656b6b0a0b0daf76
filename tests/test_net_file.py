"""A net and its card on disk: beside each other, or one inside the other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.backends.net import open_net
from yolo_leuk.errors import CardError, HashError, ModelError, OutputError
from yolo_leuk.model_card import read_card, write_card
from yolo_leuk.net_file import card_of, checked_card, write_net

CROPS = np.zeros((2, 32, 32, 3), np.uint8)


@pytest.fixture
def net(tmp_path):
    """A net as ``train`` and ``export`` write it."""
    classifier_file(tmp_path / "net.onnx")
    write_net(tmp_path / "net.onnx", (tmp_path / "net.onnx").read_bytes(), CLASSIFIER_CARD)
    return tmp_path / "net.onnx"


def test_the_card_beside_a_net_tells_the_hash_of_the_file(net):
    assert read_card(net.with_suffix(".json")).sha256 == sha256_of_file(net)


def test_a_net_runs_from_one_file_alone(net):
    beside = open_net(net)
    net.with_suffix(".json").unlink()
    alone = open_net(net)
    assert alone.card.to_json() == beside.card.to_json()
    for name, values in beside.run(CROPS).items():
        np.testing.assert_array_equal(alone.run(CROPS)[name], values)


def test_figures_that_are_added_to_the_card_beside_need_no_new_net(net):
    figures = {"weighted_f1": 0.7}
    write_card(net.with_suffix(".json"), dataclasses.replace(card_of(net), figures=figures))
    assert checked_card(net).figures == figures


def test_a_net_of_which_the_card_beside_is_another_ones_is_refused_unless_trusted(net):
    write_card(net.with_suffix(".json"), CLASSIFIER_CARD)
    with pytest.raises(HashError, match="its card says 3434"):
        checked_card(net)
    assert checked_card(net, trust=True).sha256 == CLASSIFIER_CARD.sha256


def test_a_net_of_another_program_has_no_card_and_is_refused(tmp_path):
    classifier_file(tmp_path / "net.onnx")
    (tmp_path / "net.json").unlink()
    with pytest.raises(CardError, match=r"no net\.json beside it, and none inside") as caught:
        open_net(tmp_path / "net.onnx")
    assert caught.value.hint


def test_a_net_that_is_cut_off_is_refused_without_the_card_beside_too(net):
    net.with_suffix(".json").unlink()
    net.write_bytes(net.read_bytes()[:-9])
    with pytest.raises(ModelError, match="cut off"):
        open_net(net)


def test_an_export_that_cannot_be_written_leaves_the_old_one_as_it_was(net):
    before = net.read_bytes()
    net.with_suffix(".json").unlink()
    net.with_suffix(".json").mkdir()
    (net.with_suffix(".json") / "in the way").touch()
    with pytest.raises(OutputError, match=r"net\.json"):
        write_net(net, net.read_bytes(), CLASSIFIER_CARD)
    assert net.read_bytes() == before
    assert not list(net.parent.glob(".partial-*"))
