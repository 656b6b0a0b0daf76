"""The card is the contract between a net and whoever runs it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from yolo_leuk.errors import CardError
from yolo_leuk.labels import MATURITY
from yolo_leuk.model_card import FeatureStatistics, ModelCard, read_card, write_card

FEATURES = FeatureStatistics(
    means=np.array([[0.0, 1.0], [2.0, -1.5]]),
    covariance=np.array([[1.25, 0.5], [0.5, 2.0]]),
    farthest=9.21,
)
CARD = ModelCard(
    name="cells",
    task="classify",
    architecture="v11n",
    scheme=MATURITY,
    px_per_rbc=20.0,
    input_px=96,
    preprocessing=("cut a window", "resize"),
    thresholds={"unidentified": 0.5},
    sha256="ab" * 32,
    date="2025-01-31",
    temperature=1.5,
    features=FEATURES,
    training={"data": "all4", "groups": 20},
    figures={"weighted_f1": {"estimate": 0.7, "low": 0.6, "high": 0.8}},
)


def changed(tmp_path, **keys):
    """The path of a card with some keys changed; a key that is None is left out."""
    path = tmp_path / "card.json"
    content = {**CARD.to_json(), **keys}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return path


def test_a_card_is_read_as_it_was_written(tmp_path):
    write_card(tmp_path / "cells.json", CARD)
    read = read_card(tmp_path / "cells.json")
    assert read.features is not None
    np.testing.assert_array_equal(read.features.means, FEATURES.means)
    np.testing.assert_array_equal(read.features.covariance, FEATURES.covariance)
    assert read.features.farthest == FEATURES.farthest
    without = dataclasses.replace(CARD, features=None)
    assert dataclasses.replace(read, features=None) == without


@pytest.mark.parametrize("level", ["cell", "image"])
def test_a_classifiers_card_says_what_it_is_shown(tmp_path, level):
    write_card(tmp_path / "cells.json", dataclasses.replace(CARD, level=level))
    assert read_card(tmp_path / "cells.json").level == level


def test_a_classifiers_card_that_does_not_say_what_it_is_shown_is_of_cells(tmp_path):
    assert read_card(changed(tmp_path, level=None)).level == "cell"


def test_a_card_without_features_is_read_as_it_was_written(tmp_path):
    detector = dataclasses.replace(CARD, features=None, task="detect")
    write_card(tmp_path / "d.json", detector)
    assert read_card(tmp_path / "d.json") == detector


def test_the_classes_of_a_card_keep_their_order_and_its_blasts_follow_it():
    content = CARD.to_json()
    assert content["classes"] == ["Benign", "Early", "Pre", "Pro", "Other"]
    assert content["blasts"] == ["Early", "Pre", "Pro"]


@pytest.mark.parametrize("key", ["name", "classes", "px_per_rbc", "thresholds", "sha256"])
def test_a_missing_key_is_named_with_the_file(tmp_path, key):
    path = changed(tmp_path, **{key: None})
    with pytest.raises(CardError, match=f"'{key}'") as caught:
        read_card(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"input_px": "large"},
        {"thresholds": [0.5]},
        {"thresholds": {"unidentified": "high"}},
        {"classes": ["Benign", "Benign"]},
        {"blasts": ["Late"]},
        {"classes": 5},
        {"training": 3},
        {"features": {"means": [1, 2], "covariance": [[1]], "farthest": 1}},
        {"features": {"means": [[1, 2]], "covariance": [[1]], "farthest": 1}},
        {"features": {"means": [[1, 2]], "covariance": [[1, 1], [1, 1]], "farthest": 1}},
        {"features": {"means": [[1, "a"]], "covariance": [[1, 0], [0, 1]], "farthest": 1}},
    ],
)
def test_a_value_that_breaks_the_schema_is_refused_with_the_file(tmp_path, wrong):
    path = changed(tmp_path, **wrong)
    with pytest.raises(CardError, match="schema") as caught:
        read_card(path)
    assert str(path) in str(caught.value)


def test_another_schema_is_refused(tmp_path):
    with pytest.raises(CardError, match="model-card/1"):
        read_card(changed(tmp_path, schema="yolo-leuk/model-card/9"))


def test_a_threshold_is_found_by_name_and_a_missing_one_names_those_that_there_are():
    assert CARD.threshold("unidentified") == 0.5
    with pytest.raises(CardError, match=r"'iou'.*unidentified"):
        CARD.threshold("iou")


def test_distances_are_those_of_scipy_to_the_nearest_mean():
    features = np.random.default_rng(3).normal(0, 3, (50, 2)).astype(np.float32)
    inverse = np.linalg.inv(FEATURES.covariance)
    expected = [
        min(mahalanobis(f, mean, inverse) ** 2 for mean in FEATURES.means) for f in features
    ]
    np.testing.assert_allclose(FEATURES.squared_distance(features), expected, rtol=1e-6)


def test_a_class_mean_lies_at_distance_zero():
    assert FEATURES.squared_distance(FEATURES.means).tolist() == [0, 0]
