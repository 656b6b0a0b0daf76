"""Detectors and pipelines on drawn fields whose figures can be counted by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, BoxesNet, ColoursNet, SquaresNet
from tests.made_training_data import made_fields
from yolo_leuk.dataset import TrueBoxes
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.errors import DataError
from yolo_leuk.evaluate import detection, field_results, whole_pipeline
from yolo_leuk.evaluate.detection import DetectorAnswer, Fields
from yolo_leuk.evaluate.held_out import read_held_out
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.stress import CLEAN, CONDITIONS
from yolo_leuk.evaluate.whole_pipeline import WhiteCells
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import MATURITY, LabelScheme
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.records import Detections

BOX = np.array([[0, 0, 10, 10]], np.float32)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    return read_held_out(made_fields(tmp_path_factory.mktemp("made"), 3), "test")


@pytest.fixture(scope="module")
def fields(held_out) -> Fields:
    return detection.read_fields(held_out, draws=10, seed=0)


def detections(*rows: tuple[np.ndarray, float, int]) -> Detections:
    return Detections(
        np.concatenate([box for box, _, _ in rows]),
        np.array([confidence for _, confidence, _ in rows], np.float32),
        np.array([class_id for _, _, class_id in rows], np.int64),
    )


# --- detectors -----------------------------------------------------------------------------------


def test_counts_recall_and_precision_by_hand(fields):
    # Two white cells in each of three images; one found, one missed, and one box beside them.
    truth = TrueBoxes(np.concatenate([BOX, BOX + 50]), np.zeros(2, np.int64))
    found = detections((BOX, 0.9, 0), (BOX + 100, 0.8, 0), (BOX + 200, 0.7, 0), (BOX, 0.6, 1))
    made = dataclasses.replace(fields, truth=(truth,) * 3)
    figures = detection.figures_of(made, DetectorAnswer((found,) * 3, (found,) * 3))
    white = {key: drawn[0] for key, drawn in figures.by_class["white"].items()}
    assert white["recall"] == 0.5
    assert white["precision"] == pytest.approx(1 / 3)
    assert white["false_per_image"] == 2
    assert white["count_error"] == white["count_bias"] == 1
    assert figures.counts["white"].tolist() == [[3, 2]] * 3
    red = figures.by_class["red"]
    assert np.isnan(red["recall"][0])
    assert red["precision"][0] == 0
    assert set(white) == set(detection.TITLES)


def test_counting_errors_of_both_signs_cancel_in_the_bias_only(fields):
    one, two = TrueBoxes(BOX, np.zeros(1, np.int64)), detections((BOX, 0.9, 0), (BOX + 50, 0.8, 0))
    none = Detections.empty()
    made = dataclasses.replace(fields, truth=(one, one, one))
    answer = DetectorAnswer((two, none, two[:1]), (two, none, two[:1]))
    white = detection.figures_of(made, answer).by_class["white"]
    assert white["count_error"][0] == pytest.approx(2 / 3)
    assert white["count_bias"][0] == 0


def test_what_an_eager_detector_believes_is_what_the_detector_finds():
    rows = [
        (5, 5, 25, 25, 0.9, 0),
        (6, 6, 26, 26, 0.2, 0),
        (60, 60, 70, 70, 0.25, 1),
        (61, 60, 71, 70, 0.35, 1),
        (10, 12, 18, 20, 0.28, 0),
        (90, 90, 99, 99, 0.02, 2),
    ]
    rgb = np.full((128, 128, 3), 200, np.uint8)
    eager = EagerDetector(BoxesNet(rows))
    everything = eager.detect(rgb, DETECTOR_CARD.px_per_rbc)
    plain = FieldDetector(BoxesNet(rows)).detect(rgb, DETECTOR_CARD.px_per_rbc)
    believed = eager.believed(everything)
    assert len(everything) > len(believed) > 0
    assert np.array_equal(believed.xyxy, plain.xyxy)
    assert np.array_equal(believed.confidence, plain.confidence)


def test_a_detector_sees_each_field_at_the_scale_of_the_manifest(fields):
    net = SquaresNet()
    detection.detected(EagerDetector(net), fields, CONDITIONS[CLEAN])
    # The fields have 30 px per red cell, the net sees 10: a third of 200×150, in whole strides.
    assert [batch.shape[1:3] for batch in net.batches] == [(64, 96)] * 3
    larger = SquaresNet()
    detection.detected(EagerDetector(larger), fields, CONDITIONS["smaller"])
    assert all(batch.shape[1:3] == (64, 64) for batch in larger.batches)


def test_all_of_a_detector_under_stress(held_out):
    model = Model("net", "made for detect", "12" * 32, EagerDetector(SquaresNet()))
    found = field_results.measured([model, dataclasses.replace(model, name="again")], held_out,
                                   stress=True, draws=5, seed=0)  # fmt: skip
    assert list(found.detectors["net"].stress) == list(CONDITIONS)
    content = field_results.to_json(found, [model])
    assert content["models"][0]["classes"]["white"]["recall"]["value"] == 0
    (difference,) = content["differences"]
    assert (difference["model"], difference["minus"]) == ("again", "net")
    assert difference["figures"]["red"]["ap50"]["high"] == 0


# --- pipelines -----------------------------------------------------------------------------------


def pipeline_of(boxes, call: str = "Pre", classes: LabelScheme = MATURITY) -> Pipeline:
    """Finds these boxes in every field, and calls all of them the same."""
    logits = 9.0 * (np.array(classes.names) == call)
    card = dataclasses.replace(CLASSIFIER_CARD, scheme=classes)
    detector = dataclasses.replace(DETECTOR_CARD, px_per_rbc=30.0, input_px=256)
    return Pipeline(
        FieldDetector(BoxesNet(boxes, detector)), ColoursNet(lambda _: logits, card=card)
    )


def test_a_cell_has_the_class_of_its_box_or_of_its_picture_or_is_other(fields):
    truth = whole_pipeline.true_cells(fields, MATURITY)
    assert [cells.class_id.tolist() for cells in truth] == [[4, 4]] * 3  # pictures without class
    samples = tuple(dataclasses.replace(s, label="Pro") for s in fields.held_out.samples)
    labelled = dataclasses.replace(
        fields, held_out=dataclasses.replace(fields.held_out, samples=samples)
    )
    assert whole_pipeline.true_cells(labelled, MATURITY)[0].class_id.tolist() == [3, 3]
    without_other = LabelScheme(("hem", "all"))
    assert whole_pipeline.true_cells(fields, without_other)[0].class_id.tolist() == [-1, -1]
    data = dataclasses.replace(
        fields.held_out.data, scheme=LabelScheme(("Early", "red", "platelet"))
    )
    kinds = dataclasses.replace(fields, held_out=dataclasses.replace(fields.held_out, data=data))
    assert whole_pipeline.true_cells(kinds, MATURITY)[0].class_id.tolist() == [1, 1]


def test_a_class_that_the_pipeline_does_not_know_is_refused(fields):
    samples = tuple(dataclasses.replace(s, label="strange") for s in fields.held_out.samples)
    labelled = dataclasses.replace(
        fields, held_out=dataclasses.replace(fields.held_out, samples=samples)
    )
    with pytest.raises(DataError, match=r"is strange; those of the pipeline are Benign, Early"):
        whole_pipeline.true_cells(labelled, MATURITY)
    data = dataclasses.replace(fields.held_out.data, scheme=LabelScheme(("red", "platelet")))
    nothing = dataclasses.replace(fields, held_out=dataclasses.replace(fields.held_out, data=data))
    with pytest.raises(DataError, match="expected white or some of the pipeline's"):
        whole_pipeline.true_cells(nothing, MATURITY)


def test_a_pipeline_by_hand(fields):
    # Of two true cells, a Pre and an Other, the Pre is found and a box lies on no cell.
    truth = [WhiteCells(np.concatenate([BOX + 20, BOX + 100]), np.array([2, 4]))] * 3
    pipeline = pipeline_of([(20, 20, 30, 30, 0.9, 0), (60, 60, 70, 70, 0.8, 0)])
    calls = whole_pipeline.called(pipeline, fields, truth, CONDITIONS[CLEAN])
    matrix = whole_pipeline.matrix_of(calls)
    assert matrix[2, 2] == 3  # called Pre, and is
    assert matrix[4, 6] == 3  # Other, not found
    assert matrix[5, 2] == 3  # no cell, called Pre
    assert matrix.sum() == 9
    figures = {k: v[0] for k, v in whole_pipeline.figures_of(fields, calls, MATURITY).items()}
    assert figures == {
        "recall": 0.5,
        "precision": 0.5,
        "right": 0.5,
        "right_of_found": 1.0,
        "unidentified": 0.0,
        "blast_sensitivity": 1.0,
        "false_blasts": 0.5,
        "fraction_error": 0.5,  # it says that all are blasts, and half are
        "fraction_bias": 0.5,
        "fraction_given": 1.0,
    }
    assert list(figures) == list(whole_pipeline.TITLES)


def test_an_unidentified_cell_is_found_but_not_called(fields):
    truth = [WhiteCells(BOX + 20, np.array([2]))] * 3
    unsure = pipeline_of([(20, 20, 30, 30, 0.9, 0)], call="nothing")
    calls = whole_pipeline.called(unsure, fields, truth, CONDITIONS[CLEAN])
    figures = {k: v[0] for k, v in whole_pipeline.figures_of(fields, calls, MATURITY).items()}
    assert (figures["recall"], figures["unidentified"], figures["right"]) == (1, 1, 0)
    assert figures["fraction_given"] == 0
    assert np.isnan(figures["fraction_error"])


def test_cells_of_unknown_class_count_as_found_and_in_nothing_else(fields):
    truth = [WhiteCells(BOX + 20, np.array([-1]))] * 3
    pipeline = pipeline_of([(20, 20, 30, 30, 0.9, 0)])
    calls = whole_pipeline.called(pipeline, fields, truth, CONDITIONS[CLEAN])
    figures = {k: v[0] for k, v in whole_pipeline.figures_of(fields, calls, MATURITY).items()}
    assert figures["recall"] == 1
    assert np.isnan(figures["right"])
    assert whole_pipeline.matrix_of(calls).sum() == 0


def test_pipelines_beside_each_other_under_stress(held_out):
    boxes = [(20, 20, 69, 69, 0.9, 0)]
    models = [
        Model(name, "pipeline", "12" * 32, pipeline_of(boxes, call))
        for name, call in (("pre", "Pre"), ("other", "Other"))
    ]
    found = field_results.measured(models, held_out, stress=True, draws=5, seed=0)
    content = field_results.to_json(found, models)
    assert set(content["models"][0]["stress"]) == set(CONDITIONS)
    assert content["models"][0]["confusion"]["columns"][-2:] == ["unidentified", "not found"]
    (difference,) = content["differences"]
    assert difference["figures"]["cells"]["recall"]["value"] == 0
