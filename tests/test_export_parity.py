"""How far two nets are from each other, and how far is too far."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, BoxesNet, as_output
from tests.made_training_data import made_cells, made_fields
from yolo_leuk.dataset import read_dataset
from yolo_leuk.errors import ExportError
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.parity import TOLERANCES, Parity, compare
from yolo_leuk.export.parity_inputs import inputs
from yolo_leuk.model_card import FeatureStatistics, MemberCard
from yolo_leuk.probabilities import softmax
from yolo_leuk.sample_input import sample_input

CROPS = [np.zeros((3, 32, 32, 3), np.uint8), np.zeros((1, 32, 32, 3), np.uint8)]
TILES = [np.zeros((1, 32, 32, 3), np.uint8)]
CONFIG = ExportConfig(model="a.onnx")

BOXES = [(10, 10, 30, 30, 0.9, 0), (40, 40, 60, 60, 0.6, 1), (5, 5, 8, 8, 0.1, 2)]


class Says:
    """A net with the same outputs for every picture."""

    def __init__(self, card=CLASSIFIER_CARD, **outputs) -> None:
        self.card = card
        self._outputs = outputs

    def run(self, batch):
        return {
            k: np.stack([np.asarray(v, np.float32)] * len(batch)) for k, v in self._outputs.items()
        }


def classifier(*logits, card=CLASSIFIER_CARD):
    return Says(card, logits=logits, features=[0, 0, 0])


def with_boxes(*rows):
    return BoxesNet(rows, DETECTOR_CARD)


# --- classifiers ---------------------------------------------------------------------------------


def test_a_net_is_no_way_from_itself():
    found = compare(classifier(1, 2, 3, 4, 5), classifier(1, 2, 3, 4, 5), CROPS, precision="fp32")
    assert found == Parity(4, 0.0, 1.0, None, "fp32")
    assert found.is_within


def test_the_difference_is_that_of_calibrated_probabilities():
    card = dataclasses.replace(CLASSIFIER_CARD, temperature=3.0)
    first, second = (0, 0, 0, 0, 2), (0, 0, 0, 0, 3)
    found = compare(
        classifier(*first, card=card), classifier(*second, card=card), CROPS, precision="fp32"
    )
    expected = np.abs(softmax(first, 3.0) - softmax(second, 3.0)).max()
    assert found.largest_difference == pytest.approx(expected)
    assert found.agreement == 1


def test_agreement_is_the_share_of_crops_of_the_same_class():
    class Half(Says):
        def run(self, batch):
            found = super().run(batch)
            if len(batch) == 1:
                found["logits"] = found["logits"][:, ::-1]
            return found

    other = Half(logits=[5, 0, 0, 0, 0], features=[0, 0, 0])
    found = compare(classifier(5, 0, 0, 0, 0), other, CROPS, precision="fp16")
    assert found.agreement == 0.75
    assert not found.is_within


def test_each_member_of_an_ensemble_counts_too():
    features = FeatureStatistics(np.zeros((1, 1)), np.eye(1), 1.0)
    members = tuple(MemberCard(n, "made", "ab" * 32, 0.5, 1.0, features) for n in "ab")
    card = dataclasses.replace(CLASSIFIER_CARD, features=None, members=members)
    vote = {"probabilities": [0.5, 0.5, 0, 0, 0], "features": [0, 0]}
    first = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]]
    second = [[0.9, 0.1, 0, 0, 0], [0.1, 0.9, 0, 0, 0]]
    found = compare(
        Says(card, member_probabilities=first, **vote),
        Says(card, member_probabilities=second, **vote),
        CROPS,
        precision="fp32",
    )
    assert found.largest_difference == pytest.approx(0.1)


def test_an_answer_that_is_no_number_is_beyond_every_tolerance():
    found = compare(
        classifier(1, 2, 3, 4, 5), classifier(np.nan, 2, 3, 4, 5), CROPS, precision="int8"
    )
    assert not found.is_within


def test_outputs_of_another_shape_are_an_error():
    with pytest.raises(ExportError, match=r"output logits of shape \(3, 5\), found \(3, 4\)"):
        compare(classifier(1, 2, 3, 4, 5), classifier(1, 2, 3, 4), CROPS, precision="fp32")
    with pytest.raises(ExportError, match="found none"):
        compare(classifier(1, 2, 3, 4, 5), Says(boxes=[[0]]), CROPS, precision="fp32")


# --- detectors -----------------------------------------------------------------------------------


def test_boxes_are_compared_one_by_one():
    moved = [(11, 10, 31, 30, 0.88, 0), (40, 40, 60, 60, 0.6, 1), (5, 5, 8, 8, 0.1, 2)]
    found = compare(with_boxes(*BOXES), with_boxes(*moved), TILES, precision="fp16")
    assert found.largest_difference == pytest.approx(0.02, abs=1e-6)
    assert found.lowest_iou == pytest.approx(19 / 21)
    assert found.agreement == 1


def test_a_box_of_another_class_is_seen():
    other = [BOXES[0], (40, 40, 60, 60, 0.6, 2), BOXES[2]]
    found = compare(with_boxes(*BOXES), with_boxes(*other), TILES, precision="fp32")
    assert found.agreement == pytest.approx(2 / 3)
    assert found.largest_difference == pytest.approx(0.6)


def test_a_box_that_nobody_believes_among_many_does_not_count_but_its_confidence_does():
    unsure = [(x, 5, x + 9, 14, 0.2, 0) for x in range(0, 400, 10)]
    net = as_output([*unsure, (5, 5, 8, 8, 0.01, 2)])
    changed = net.copy()
    changed[0, -1] += 100
    changed[6, -1] = 0.03
    found = compare(
        Says(DETECTOR_CARD, boxes=net), Says(DETECTOR_CARD, boxes=changed), TILES, precision="fp32"
    )
    assert found.lowest_iou == pytest.approx(1)
    assert found.largest_difference == pytest.approx(0.02)


# --- what is allowed -----------------------------------------------------------------------------


def test_fp32_and_fp16_are_held_to_what_is_promised():
    assert (TOLERANCES["fp32"].difference, TOLERANCES["fp16"].difference) == (1e-4, 2e-2)


@pytest.mark.parametrize(
    ("found", "within"),
    [
        (Parity(64, 1e-4, 1.0, None, "fp32"), True),
        (Parity(64, 1.1e-4, 1.0, None, "fp32"), False),
        (Parity(64, 1e-2, 1.0, 0.99, "fp16"), True),
        (Parity(64, 1e-2, 1.0, 0.90, "fp16"), False),
        (Parity(64, 1e-2, 0.94, 0.99, "fp16"), False),
    ],
)
def test_beyond_the_tolerance_is_an_error_with_the_numbers(found, within):
    if within:
        found.check("a.onnx")
        return
    with pytest.raises(ExportError, match=r"a\.onnx answers otherwise .* 64 pictures") as caught:
        found.check("a.onnx")
    assert f"{found.largest_difference:.2g}" in str(caught.value)
    assert caught.value.exit_code == 5


def test_the_card_tells_what_was_found_and_what_was_allowed():
    content = Parity(64, 1.23456e-5, 1.0, 0.999, "fp32").to_json()
    assert content == {
        "pictures": 64,
        "largest_difference": 1.23e-5,
        "agreement": 1.0,
        "lowest_iou": 0.999,
        "allowed": {"largest_difference": 1e-4, "agreement": 0.98, "lowest_iou": 0.99},
    }


# --- what is looked at ---------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["cell", "image"])
def test_classifiers_are_shown_64_crops_that_differ(level):
    card = dataclasses.replace(CLASSIFIER_CARD, level=level)
    crops = np.concatenate(inputs(card, CONFIG))
    assert (crops.shape, crops.dtype) == ((64, 32, 32, 3), np.uint8)
    assert len(np.unique(crops.reshape(64, -1), axis=0)) == 64


def test_detectors_are_shown_four_fields_in_tiles():
    card = dataclasses.replace(DETECTOR_CARD, input_px=640, px_per_rbc=20.0)
    batches = inputs(card, CONFIG)
    assert len(batches) == 4
    assert all(batch.dtype == np.uint8 and batch.shape[3] == 3 for batch in batches)
    assert len({batch.tobytes() for batch in batches}) == 4


def test_the_same_seed_shows_the_same_pictures_and_another_seed_others():
    first, again = (np.concatenate(inputs(CLASSIFIER_CARD, CONFIG)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = np.concatenate(inputs(CLASSIFIER_CARD, dataclasses.replace(CONFIG, seed=1)))
    assert not np.array_equal(first, other)


def test_of_a_data_set_the_validation_split_is_shown_and_where_it_is_small_the_smear_too(tmp_path):
    cells = read_dataset(made_cells(tmp_path / "cells", (1, 3, 1)))
    crops, smear = (np.concatenate(inputs(CLASSIFIER_CARD, CONFIG, own)) for own in (cells, None))
    assert len(crops) == 64
    np.testing.assert_array_equal(crops[15:], smear[:49])
    first = {crop.tobytes() for crop in crops[:15]}
    own = [s for s in cells.samples if s.split == "val"]
    assert first == {sample_input(cells.folder, s, CLASSIFIER_CARD).tobytes() for s in own}


def test_of_a_data_set_of_fields_the_validation_split_is_shown_in_its_own_scale(tmp_path):
    fields = read_dataset(made_fields(tmp_path, 5))
    card = dataclasses.replace(DETECTOR_CARD, px_per_rbc=30.0, input_px=640)
    batches = inputs(card, CONFIG, fields)
    assert len(batches) == 4
    assert {batch.shape for batch in batches} == {(1, 160, 224, 3)}
