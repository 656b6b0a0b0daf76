"""What speaks for a class, by a net and by each member of an ensemble."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_explain import GLASS, NUCLEUS, SIDE, ensemble, middle, upper_left
from yolo_leuk.backends.net import open_net
from yolo_leuk.explain.evidence import VOTE, answers, log_odds, voices_of
from yolo_leuk.labels import MATURITY
from yolo_leuk.probabilities import calibrated_vote, softmax

EARLY = MATURITY.id_of("Early")


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=5), st.floats(-50, 50))
def test_log_odds_are_those_of_the_probability_whatever_is_added_to_all_logits(logits, shift):
    p = softmax(logits)
    found = log_odds(softmax(np.array(logits) + shift), 0)
    assert found == pytest.approx(np.log(p[0]) - np.log(p[1:].sum()), abs=1e-6)


def test_log_odds_go_on_where_a_probability_is_1_to_the_last_digit():
    near, nearer = (softmax([size, 0.0, 0.0]) for size in (40.0, 50.0))
    assert near[0] == nearer[0] == 1
    assert log_odds(nearer, 0) - log_odds(near, 0) == pytest.approx(10)


def test_log_odds_are_finite_where_a_probability_is_nothing():
    assert np.isfinite(log_odds(np.array([[0.0, 1.0], [1.0, 0.0]]), 0)).all()


def test_a_net_alone_has_one_voice(tmp_path):
    net = open_net(upper_left(tmp_path / "one.onnx"))
    (voice,) = voices_of(net.card, "mine")
    assert (voice.name, voice.weight, voice.is_vote) == ("mine", 1.0, False)
    assert answers(net, np.zeros((3, SIDE, SIDE, 3), np.uint8)).shape == (1, 3, len(MATURITY))


def test_of_an_ensemble_all_members_and_their_vote_answer(tmp_path):
    nets = [upper_left(tmp_path / "one.onnx"), middle(tmp_path / "two.onnx", strength=0.02)]
    whole = open_net(ensemble(tmp_path / "both", nets, [0.75, 0.25]))
    voices = voices_of(whole.card, "both")
    assert [voice.name for voice in voices] == ["one", "two", VOTE]
    assert [voice.weight for voice in voices] == [0.75, 0.25, 1.0]
    assert [voice.is_vote for voice in voices] == [False, False, True]
    batch = np.full((2, SIDE, SIDE, 3), GLASS, np.uint8)
    batch[0] = NUCLEUS
    found = answers(whole, batch)
    logits = np.stack([open_net(net).run(batch)["logits"] for net in nets])
    assert found[:2] == pytest.approx(softmax(logits), abs=1e-5)
    expected = calibrated_vote(logits, [1.0, 1.0], np.array([0.75, 0.25]))
    assert found[2] == pytest.approx(expected, abs=1e-5)
