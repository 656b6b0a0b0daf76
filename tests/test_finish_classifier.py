"""Where the training cells lie in the space of features; nothing here needs torch."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_leuk.train.finish_classifier import feature_statistics, principal_components


@pytest.fixture
def features():
    """400 features that spread by 9, 3, 1 and 0.1 along four turned axes, and not along two."""
    generator = np.random.default_rng(0)
    turned, _ = np.linalg.qr(generator.standard_normal((6, 6)))
    spread = np.array([9, 3, 1, 0.1, 0, 0])
    return (generator.standard_normal((400, 6)) * spread) @ turned.T + 5.0


def test_projected_features_are_white(features):
    projected = features @ principal_components(features, 3).T
    assert np.allclose(np.cov(projected.T, bias=True), np.eye(3), atol=1e-4)


def test_directions_come_in_the_order_of_their_spread(features):
    rows = principal_components(features, 3)
    # The rows are scaled by the inverse of the spread.
    spread = 1 / np.linalg.norm(rows, axis=1)
    assert spread == pytest.approx([9, 3, 1], rel=0.15)


def test_directions_without_spread_are_left_out(features):
    assert principal_components(features, 32).shape == (4, 6)


def test_fewer_features_than_directions_give_fewer_directions(features):
    rows = principal_components(features[:3], 32)
    assert rows.shape == (2, 6)
    assert np.isfinite(rows).all()


def test_statistics_are_the_class_means_and_the_spread_around_them():
    generator = np.random.default_rng(0)
    ids = np.repeat([0, 1, 2], 4000)
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]])
    shape = np.array([[2.0, 0.0], [1.0, 0.5]])
    learnt = centres[ids] + generator.standard_normal((len(ids), 2)) @ shape.T
    found = feature_statistics(learnt, ids, learnt, 3)
    assert np.allclose(found.means, centres, atol=0.15)
    assert np.allclose(found.covariance, shape @ shape.T, atol=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_the_statistics_of_few_cells_are_still_a_covariance_when_a_card_has_rounded_them(seed):
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((20, 200))
    learnt = features @ principal_components(features, 32).T
    written = feature_statistics(learnt, np.arange(20) % 5, learnt, 5).to_json()
    np.linalg.cholesky(np.array(written["covariance"]))  # as the card's reader asks


def test_of_the_held_out_cells_one_in_a_hundred_is_farther_than_the_farthest():
    generator = np.random.default_rng(0)
    ids = np.repeat([0, 1], 500)
    learnt = generator.standard_normal((1000, 4)) + 8 * ids[:, None]
    held_out = generator.standard_normal((2000, 4)) * 1.5
    found = feature_statistics(learnt, ids, held_out, 2)
    assert (found.squared_distance(held_out) > found.farthest).mean() == pytest.approx(0.01)


def test_a_cell_like_none_that_was_learnt_from_is_beyond_the_farthest():
    generator = np.random.default_rng(0)
    learnt = generator.standard_normal((500, 4))
    found = feature_statistics(learnt, np.zeros(500, int), learnt, 1)
    distance = found.squared_distance(np.array([[0.0, 0, 0, 0], [30.0, 0, 0, 0]]))
    assert list(distance > found.farthest) == [False, True]
