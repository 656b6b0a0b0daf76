"""The card inside a net: read without any runtime, and of these very bytes."""

from __future__ import annotations

import dataclasses

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD
from tests.made_onnx import classifier_file
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.embedded_card import KEY, embedded_card, with_card
from yolo_leuk.errors import CardError, HashError, ModelError


@pytest.fixture
def net(tmp_path):
    """A net with no card inside."""
    classifier_file(tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


@pytest.fixture
def carded(net):
    """A net with its card inside."""
    net.write_bytes(with_card(net.read_bytes(), CLASSIFIER_CARD))
    return net


def told(card):
    """What a card says, apart from which file it is of."""
    return {**card.to_json(), "sha256": ""}


def test_a_net_without_a_card_inside_has_none(net):
    assert embedded_card(net) is None


def test_a_card_is_read_as_it_was_put_in_with_the_hash_of_the_whole_file(carded):
    card = embedded_card(carded)
    assert told(card) == told(CLASSIFIER_CARD)
    assert card.sha256 == sha256_of_file(carded)


@given(name=st.text(max_size=200), notes=st.dictionaries(st.text(), st.text()))
def test_any_text_comes_back(tmp_path_factory, name, notes):
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    classifier_file(path)
    card = dataclasses.replace(CLASSIFIER_CARD, name=name, training=notes)
    path.write_bytes(with_card(path.read_bytes(), card))
    assert told(embedded_card(path)) == told(card)


def test_the_file_stays_an_onnx_file_with_the_card_among_its_metadata(carded):
    model = onnx.load(carded)
    onnx.checker.check_model(model)
    assert [entry.key for entry in model.metadata_props] == [KEY]


def test_an_older_card_is_replaced_and_other_metadata_stay(net):
    model = onnx.load(net)
    model.metadata_props.add(key="author", value="somebody")
    first = with_card(model.SerializeToString(), DETECTOR_CARD)
    net.write_bytes(with_card(first, CLASSIFIER_CARD))
    assert told(embedded_card(net)) == told(CLASSIFIER_CARD)
    assert sorted(entry.key for entry in onnx.load(net).metadata_props) == ["author", KEY]


def test_a_file_that_another_program_wrote_again_keeps_its_card(carded):
    onnx.save(onnx.load(carded), carded)
    assert told(embedded_card(carded)) == told(CLASSIFIER_CARD)


def test_a_changed_byte_outside_the_card_is_found_unless_the_file_is_trusted(carded):
    model = onnx.load(carded)
    model.producer_name = "somebody else"
    carded.write_bytes(model.SerializeToString())
    with pytest.raises(HashError, match="the card inside says") as caught:
        embedded_card(carded)
    assert str(carded) in str(caught.value)
    assert told(embedded_card(carded, trust=True)) == told(CLASSIFIER_CARD)


def test_a_card_that_is_no_card_is_refused(net):
    model = onnx.load(net)
    model.metadata_props.add(key=KEY, value='{"schema": "another/1"}')
    net.write_bytes(model.SerializeToString())
    with pytest.raises(CardError, match=r"another/1"):
        embedded_card(net)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused_wherever_it_ends(carded, share):
    content = carded.read_bytes()
    carded.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match="no whole ONNX file") as caught:
        embedded_card(carded)
    assert str(carded) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"not a graph", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04" * 9, b"\xff"]
)
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="no whole ONNX file"):
        embedded_card(path)
