"""One net or several: calibrated, and what none of the training cells is like."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD
from yolo_leuk.cell_classifier import calibrated, classify, is_far
from yolo_leuk.errors import CardError
from yolo_leuk.model_card import FeatureStatistics, MemberCard
from yolo_leuk.probabilities import softmax

CROPS = np.zeros((3, 32, 32, 3), np.uint8)
NEAR, FAR = 0.5, 9.0


def member(name: str, weight: float, d: int = 1) -> MemberCard:
    """A member that finds features beyond 1 far."""
    features = FeatureStatistics(np.zeros((1, d)), np.eye(d), farthest=1.0)
    return MemberCard(name, "made", "ab" * 32, weight, 1.0, features)


def ensemble(*weights: float, d: int = 1):
    members = tuple(member(f"m{n}", weight, d) for n, weight in enumerate(weights))
    return dataclasses.replace(CLASSIFIER_CARD, features=None, members=members)


class Says:
    """A net with fixed outputs for each picture."""

    def __init__(self, card, **outputs) -> None:
        self.card = card
        self.batches: list[int] = []
        self._outputs = outputs

    def run(self, batch):
        self.batches.append(len(batch))
        return {
            name: np.tile(np.asarray(value, np.float32), (len(batch), *[1] * np.ndim(value)))
            for name, value in self._outputs.items()
        }


def test_a_net_is_calibrated_by_the_temperature_of_its_card():
    card = dataclasses.replace(CLASSIFIER_CARD, temperature=2.0)
    found = classify(Says(card, logits=[1, 2, 3, 4, 9], features=[0, 0, 0]), CROPS)
    np.testing.assert_allclose(found.probabilities, softmax([[1, 2, 3, 4, 9]] * 3, 2.0))
    assert found.is_called.tolist() == [True] * 3


def test_the_graph_of_an_ensemble_is_calibrated_inside_and_its_rows_sum_to_one():
    p = np.array([0.1, 0.1, 0.2, 0.6, 0.0], np.float32) * np.float32(1 + 3e-7)
    found = calibrated(ensemble(1.0), {"probabilities": p[None]})
    np.testing.assert_allclose(found, [[0.1, 0.1, 0.2, 0.6, 0.0]], atol=1e-6)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_a_vote_that_is_too_uncertain_or_strange_is_no_call():
    card = ensemble(0.6, 0.4)
    sure, unsure = [0.9, 0.1, 0, 0, 0], [0.3, 0.3, 0.2, 0.1, 0.1]
    for p, features, called in (
        (sure, [NEAR, NEAR], True),
        (unsure, [NEAR, NEAR], False),
        (sure, [FAR, NEAR], False),
    ):
        found = classify(Says(card, probabilities=p, features=features), CROPS)
        assert found.is_called.tolist() == [called] * 3


@pytest.mark.parametrize(
    ("weights", "features", "far"),
    [
        ([0.5, 0.5], [FAR, NEAR], False),
        ([0.5, 0.5], [FAR, FAR], True),
        ([0.6, 0.4], [FAR, NEAR], True),
        ([0.6, 0.4], [NEAR, FAR], False),
        ([0.1] * 10, [FAR] * 5 + [NEAR] * 5, False),
        ([0.1] * 10, [FAR] * 6 + [NEAR] * 4, True),
        ([1.0, 0.0], [NEAR, FAR], False),
        ([1.0], [FAR], True),
    ],
)
def test_a_cell_is_far_where_members_of_more_than_half_of_the_weight_find_it_so(
    weights, features, far
):
    assert is_far(ensemble(*weights), np.array([features])).tolist() == [far]


def test_each_member_is_shown_its_own_features():
    members = (member("one", 0.4, 2), member("other", 0.6, 3))
    card = dataclasses.replace(ensemble(1.0), members=members)
    features = np.zeros((3, 5))
    features[0, 1] = features[1, 2] = features[2, 4] = FAR
    assert is_far(card, features).tolist() == [False, True, True]


def test_many_crops_are_shown_in_parts():
    net = Says(CLASSIFIER_CARD, logits=[0] * 5, features=[0, 0, 0])
    assert len(classify(net, np.zeros((130, 32, 32, 3), np.uint8)).is_called) == 130
    assert net.batches == [64, 64, 2]


def test_a_card_without_statistics_is_an_error():
    card = dataclasses.replace(CLASSIFIER_CARD, features=None)
    with pytest.raises(CardError, match="no feature statistics"):
        classify(Says(card, logits=[0] * 5, features=[0, 0, 0]), CROPS)
