"""The gate on accuracy measures on the validation split, and refuses what loses too much."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.made_evaluation import ANYWHERE
from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, SquaresNet, as_output
from tests.made_training_data import made_cells, made_fields
from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.dataset import read_boxes, read_dataset, read_picture
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.errors import ExportError, UsageError
from yolo_leuk.evaluate import coco
from yolo_leuk.export.accuracy import Accuracy, AccuracyChange, measured

CARD = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE)


class TellingNet:
    """Calls the samples that it is shown, in their order, what it was told to."""

    def __init__(self, calls: np.ndarray) -> None:
        self.card = CARD
        self._calls = list(calls)

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        calls, self._calls = self._calls[: len(batch)], self._calls[len(batch) :]
        return {
            "logits": np.eye(5, dtype=np.float32)[calls],
            "features": np.zeros((len(batch), 3), np.float32),
        }


class DarkNet:
    """A detector that finds the darkest places, better or worse."""

    def __init__(self, seed: int) -> None:
        self.card = DETECTOR_CARD
        self._seed = seed

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        return {"boxes": np.stack([as_output(self._found(picture)) for picture in batch])}

    def _found(self, picture: np.ndarray) -> list[tuple[float, ...]]:
        generator = np.random.default_rng([self._seed, int(picture.sum())])
        rows = []
        for _ in range(40):
            y, x = (int(generator.integers(side)) for side in picture.shape[:2])
            r = generator.uniform(4, 9)
            dark = 1 - picture[y, x].mean() / 255
            rows.append((x - r, y - r, x + r, y + r, dark, int(generator.integers(3))))
        return rows


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return read_dataset(made_cells(tmp_path_factory.mktemp("data") / "cells", (1, 20, 1)))


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return read_dataset(made_fields(tmp_path_factory.mktemp("data"), 4))


def labels_of(cells) -> np.ndarray:
    return np.array([cells.scheme.id_of(s.label) for s in cells.samples if s.split == "val"])


def some_wrong(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    wrong = generator.random(len(labels)) < share
    return np.where(wrong, generator.integers(0, 5, len(labels)), labels)


def test_the_weighted_f1_of_both_nets_is_that_of_scikit_learn(cells):
    labels = labels_of(cells)
    before, after = some_wrong(labels, 0.1, 0), some_wrong(labels, 0.3, 1)
    change = measured(TellingNet(before), TellingNet(after), cells)
    expected = [f1_score(labels, calls, average="weighted") for calls in (before, after)]
    assert [change.before.whole, change.after.whole] == pytest.approx(expected)
    of_classes = f1_score(labels, after, average=None)
    assert list(change.after.classes.values()) == pytest.approx(of_classes)
    assert change.lost == pytest.approx(expected[0] - expected[1])
    assert change.samples == len(labels) == 100


def test_the_ap50_is_that_of_pycocotools(fields):
    change = measured(SquaresNet(DETECTOR_CARD), DarkNet(0), fields)
    samples = [sample for sample in fields.samples if sample.split == "val"]
    detector = EagerDetector(DarkNet(0))
    found = [detector.detect(read_picture(fields.folder, one), one.px_per_rbc) for one in samples]
    truth = [read_boxes(fields.folder, one, 3) for one in samples]
    nobody = GroupBootstrap([one.group for one in samples], draws=1, seed=0)
    expected = [
        coco.average_precision(ranked, nobody, ious=1)[0, 0]
        for ranked in coco.ranked_by_class(found, truth, 3)
    ]
    assert max(expected) > 0
    assert list(change.after.classes.values()) == pytest.approx(expected)
    assert change.after.whole == pytest.approx(np.mean(expected))
    assert change.samples == len(samples)


def test_a_net_against_itself_loses_nothing(fields):
    change = measured(DarkNet(1), DarkNet(1), fields)
    assert change.lost == 0
    change.check(allow=False)


def changed(figure: str, *pairs: tuple[float, float]) -> AccuracyChange:
    """Of classes that were and are so accurate."""
    before, after = (
        Accuracy(float(np.mean(values)), {f"class {i}": v for i, v in enumerate(values)})
        for values in zip(*pairs, strict=True)
    )
    return AccuracyChange("a net", figure, before, after, 50, "ab" * 32)


@pytest.mark.parametrize(
    "change",
    [
        changed("weighted_f1", (0.9, 0.8951)),
        changed("weighted_f1", (0.9, 0.95)),
        changed("ap50", (0.9, 0.8901), (0.8, 0.9)),
    ],
)
def test_what_may_be_lost_is_taken(change):
    change.check(allow=False)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed("weighted_f1", (0.9, 0.89)), r"a net loses 1\.0 points of weighted_f1 on 50"),
        # The mean gains; what one class loses counts nevertheless.
        (changed("ap50", (0.9, 0.88), (0.8, 0.9)), r"a net loses 2\.0 points of ap50 on 50"),
    ],
)
def test_what_loses_more_is_refused_unless_it_is_allowed(change, told):
    with pytest.raises(ExportError, match=told) as refused:
        change.check(allow=False)
    assert "--allow-accuracy-loss" in refused.value.hint
    assert refused.value.exit_code == 5
    change.check(allow=True)


def test_the_card_holds_the_numbers_of_both(cells):
    labels = labels_of(cells)
    told = measured(TellingNet(labels), TellingNet(some_wrong(labels, 0.5, 0)), cells).to_json()
    assert told["before"] == 1.0
    assert told["lost"] == pytest.approx(1.0 - told["after"], abs=1e-5)
    assert told["allowed"] == 0.005
    assert told["split"] == "val"
    assert told["manifest_sha256"] == cells.manifest_sha256
    assert set(told["classes"]) == set(cells.scheme.names)


def test_a_data_set_for_another_task_is_refused(fields):
    with pytest.raises(UsageError, match="is to classify the level cell, the data set"):
        measured(TellingNet(np.zeros(0)), TellingNet(np.zeros(0)), fields)
