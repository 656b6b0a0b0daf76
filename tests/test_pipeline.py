"""One image to a result, over nets that see by rules a reader can follow."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, BoxesNet, ColoursNet, DiscsNet
from yolo_leuk import pixels
from yolo_leuk.errors import CardError, UsageError
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import MATURITY
from yolo_leuk.model_card import FeatureStatistics
from yolo_leuk.pipeline import Pipeline, blast_fraction, read_pipeline_file
from yolo_leuk.probabilities import wilson_interval

WHITE, RED = 0, 1
GLASS = (236, 228, 232)
COLOURS = {
    "Benign": (40, 40, 160),
    "Early": (160, 40, 40),
    "Pre": (40, 120, 40),
    "Pro": (120, 20, 160),
    "Other": (90, 90, 90),
}
WIDE_DETECTOR = dataclasses.replace(DETECTOR_CARD, input_px=1024)
RADIUS = 9


def by_colour(colour) -> list[float]:
    """Logits that are the higher the nearer a colour is to that of the class."""
    return [-float(np.abs(colour - COLOURS[name]).sum()) / 10 for name in MATURITY.names]


def field_of(cells, width: int = 320, height: int = 240) -> np.ndarray:
    """A pale field with a disc for each (x, y, class name or colour)."""
    rgb = np.full((height, width, 3), GLASS, np.uint8)
    for x, y, cell in cells:
        cv2.circle(rgb, (x, y), RADIUS, COLOURS.get(cell, cell), cv2.FILLED)
    return rgb


def boxes_of(cells, confidence: float = 0.9):
    return [
        (x - RADIUS, y - RADIUS, x + RADIUS + 1, y + RADIUS + 1, confidence, WHITE)
        for x, y, _ in cells
    ]


def pipeline_of(cells=(), classifier=None, **options) -> Pipeline:
    detector = BoxesNet(boxes_of(cells), WIDE_DETECTOR)
    return Pipeline(FieldDetector(detector), classifier or ColoursNet(by_colour), **options)


def result_of(cells, rgb=None, *, classifier=None, scale="none", view=None):
    rgb = field_of(cells) if rgb is None else rgb
    pipeline = pipeline_of(cells, classifier)
    return pipeline.run(LoadedImage(rgb, "ab" * 32), "smear.jpg", view=view, scale=scale)


def grid_of(names) -> list[tuple[int, int, str]]:
    """Cells of these classes in rows of ten."""
    return [(20 + 30 * (i % 10), 20 + 30 * (i // 10), name) for i, name in enumerate(names)]


# --- cells -------------------------------------------------------------------------------------


def test_each_box_is_called_by_what_is_seen_in_it():
    names = [MATURITY.names[i] for i in np.random.default_rng(5).integers(0, 5, 60)]
    cells = grid_of(names)
    result = result_of(cells)
    assert [cell.label for cell in result.cells] == names
    for cell, (x, y, _) in zip(result.cells, cells, strict=True):
        assert cell.box_xyxy == (x - 9, y - 9, x + 10, y + 10)
        assert cell.confidence == pytest.approx(0.9)
        assert cell.status == "called"


def test_the_classifier_sees_the_crops_of_the_contract_in_batches():
    cells = grid_of(["Pre", "Benign"] * 40)
    rgb, classifier = field_of(cells, 400, 300), ColoursNet(by_colour)
    result_of(cells, rgb, classifier=classifier)
    assert max(len(batch) for batch in classifier.batches) < len(cells)
    crops = np.concatenate(classifier.batches)
    assert len(crops) == len(cells)
    fill = pixels.background_colour(rgb)
    for crop, box in zip(crops, boxes_of(cells), strict=True):
        np.testing.assert_array_equal(crop, pixels.cell_crop(rgb, box[:4], 10.0, 32, fill=fill))


def test_a_sharper_image_is_reduced_before_its_cells_are_cut_out():
    cells = [(100, 100, "Pro")]
    rgb, classifier = field_of(cells), ColoursNet(by_colour)
    rgb = np.repeat(np.repeat(rgb, 6, axis=0), 6, axis=1)
    detector = BoxesNet(boxes_of(cells), WIDE_DETECTOR)
    pipeline = Pipeline(FieldDetector(detector), classifier)
    pipeline.run(LoadedImage(rgb, ""), "a", scale=60)
    ((crop,),) = classifier.batches
    reduced, factor = pixels.reduced_field(rgb, 60.0)
    assert factor == 3
    box = np.array(boxes_of(cells)[0][:4]) * 6 / 3
    expected = pixels.cell_crop(reduced, box, 20.0, 32, fill=GLASS)
    np.testing.assert_array_equal(crop, expected)


def test_cells_are_numbered_from_top_to_bottom_and_in_a_row_from_left_to_right():
    # A cell is 19 px high; each row is uneven by less than half of that, across 38 and across 57.
    rows = [[(40, 38), (100, 30), (160, 36), (220, 33)], [(30, 60), (120, 64), (200, 56)]]
    cells = [(x, y, "Pre") for x, y in [*rows[1], *rows[0][::-1]]]
    found = result_of(cells).cells
    assert [cell.id for cell in found] == list(range(1, 8))
    centres = [((c.box_xyxy[0] + c.box_xyxy[2] - 1) / 2, (c.box_xyxy[1] + 9)) for c in found]
    assert centres == [*rows[0], *rows[1]]


@given(st.permutations(grid_of(["Pre"] * 12)))
def test_the_numbers_of_cells_do_not_depend_on_the_order_of_the_detections(cells):
    found = result_of(cells, field_of(cells)).cells
    assert [c.box_xyxy[:2] for c in found] == [(x - 9, y - 9) for x, y, _ in grid_of("a" * 12)]


def test_red_cells_are_not_called():
    detector = BoxesNet([(10, 10, 29, 29, 0.9, RED)], WIDE_DETECTOR)
    pipeline = Pipeline(FieldDetector(detector), ColoursNet(by_colour))
    result = pipeline.run(LoadedImage(field_of([]), ""), "a", scale="none")
    assert result.cells == ()


def test_probabilities_sum_to_one_and_those_of_the_blasts_are_added():
    (cell,) = result_of([(50, 50, (100, 60, 100))]).cells
    assert sum(cell.probabilities.values()) == pytest.approx(1)
    assert cell.probability == max(cell.probabilities.values())
    blasts = [cell.probabilities[name] for name in ("Early", "Pre", "Pro")]
    assert cell.blast_probability == pytest.approx(sum(blasts))


def test_probabilities_are_calibrated_by_the_temperature_of_the_card():
    warm = ColoursNet(by_colour, card=dataclasses.replace(CLASSIFIER_CARD, temperature=4.0))
    cells = [(50, 50, (100, 60, 100))]
    (cold,), (doubtful,) = (
        result_of(cells).cells,
        result_of(cells, classifier=warm).cells,
    )
    ratio = {name: np.log(p / cold.probability) for name, p in cold.probabilities.items()}
    for name, p in doubtful.probabilities.items():
        assert np.log(p / doubtful.probability) == pytest.approx(ratio[name] / 4, abs=1e-4)


# --- unidentified cells ------------------------------------------------------------------------


def test_a_cell_whose_classes_are_too_near_each_other_is_unidentified():
    torn = ColoursNet(lambda colour: (0, 3, 3, 0, 0) if colour[0] > 100 else (0, 0, 3, 0, 0))
    result = result_of([(50, 50, "Early"), (100, 50, "Pre")], classifier=torn)
    assert [cell.status for cell in result.cells] == ["unidentified", "called"]
    doubtful = result.cells[0]
    assert doubtful.label == "unidentified"
    assert doubtful.probability == max(doubtful.probabilities.values()) < 0.5


def test_a_cell_unlike_all_training_cells_is_unidentified_however_sure_the_net_is():
    far = ColoursNet(
        lambda _: (0, 0, 50, 0, 0), lambda colour: (2.0, 0, 0) if colour[0] > 100 else (0.5, 0, 0)
    )
    result = result_of([(50, 50, "Early"), (100, 50, "Pre")], classifier=far)
    assert [cell.label for cell in result.cells] == ["unidentified", "Pre"]
    assert result.cells[0].probability == pytest.approx(1.0)


@pytest.mark.parametrize(("x", "status"), [(-2, "unidentified"), (2, "called")])
def test_a_cell_of_which_the_edge_leaves_less_than_a_red_cell_is_unidentified(x, status):
    at_edge, whole = result_of([(x, 120, "Pre"), (160, 120, "Pre")]).cells
    assert at_edge.probability == pytest.approx(whole.probability, abs=0.05)
    assert (at_edge.status, whole.status) == (status, "called")


def test_every_class_is_counted_also_with_no_cell():
    names = ["Pre", "Pre", "Other", "Benign"]
    result = result_of(grid_of(names))
    assert result.counts == {
        "Benign": 1, "Early": 0, "Pre": 2, "Pro": 0, "Other": 1, "unidentified": 0,
    }  # fmt: skip


# --- blast fraction ----------------------------------------------------------------------------


def counts_of(**counts: int) -> dict[str, int]:
    return {**dict.fromkeys((*MATURITY.names, "unidentified"), 0), **counts}


def test_the_blast_fraction_counts_blasts_among_all_called_cells():
    result = result_of(grid_of(["Early", "Pre", "Pro", "Other", "Benign", "Pre"]))
    fraction = result.blast_fraction
    assert fraction is not None
    assert (fraction.estimate, fraction.cells) == (pytest.approx(4 / 6), 6)
    assert (fraction.low, fraction.high) == wilson_interval(4, 6)
    assert result.blast_fraction_reason == ""


def test_there_is_no_blast_fraction_without_a_called_cell():
    result = result_of([])
    assert result.blast_fraction is None
    assert result.blast_fraction_reason == "no white cell was called"


@pytest.mark.parametrize(("unidentified", "is_null"), [(4, False), (5, False), (6, True)])
def test_there_is_no_blast_fraction_when_more_than_half_are_unidentified(unidentified, is_null):
    fraction, reason = blast_fraction(counts_of(Pre=5, unidentified=unidentified), MATURITY)
    assert (fraction is None) == is_null
    assert ("6 of 11" in reason) == is_null


def test_unidentified_cells_are_not_among_those_that_blasts_are_a_share_of():
    fraction, _ = blast_fraction(counts_of(Pre=2, Benign=2, unidentified=3), MATURITY)
    assert fraction is not None
    assert (fraction.estimate, fraction.cells) == (0.5, 4)


# --- scale -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [24, 24.0, "24", "24.0"])
def test_a_given_scale_is_taken_as_it_is(scale):
    found = result_of([(50, 50, "Pre")], scale=scale).scale
    assert (found.px_per_rbc, found.source, found.confidence) == (24.0, "given", 1.0)


@pytest.mark.parametrize("scale", ["big", "", "0", 0, -20, "nan", "inf", 1e6])
def test_a_scale_that_is_no_width_of_a_red_cell_is_a_usage_error(scale):
    with pytest.raises(UsageError, match="--scale") as caught:
        result_of([(50, 50, "Pre")], scale=scale)
    assert repr(scale) in str(caught.value)


def test_without_a_scale_the_image_is_taken_to_be_at_the_detectors():
    result = result_of([(50, 50, "Pre")], scale="none")
    assert (result.scale.px_per_rbc, result.scale.source) == (None, "none")
    assert result.warnings == ()


def test_too_few_red_cells_to_measure_are_said():
    result = result_of([(50, 50, "Pre")], scale="auto")
    assert result.scale.confidence == 0
    assert any("--scale" in warning for warning in result.warnings)


def test_the_scale_is_measured_on_the_red_cells_of_the_image():
    rgb = np.full((300, 400, 3), GLASS, np.uint8)
    for x in range(30, 400, 50):
        for y in range(30, 300, 50):
            cv2.circle(rgb, (x, y), 16, (206, 90, 100), cv2.FILLED)
    pipeline = Pipeline(FieldDetector(DiscsNet()), ColoursNet(by_colour))
    scale = pipeline.run(LoadedImage(rgb, ""), "a").scale
    assert scale.px_per_rbc == pytest.approx(33, rel=0.1)
    assert scale.source == "auto"


def test_an_image_too_coarse_to_call_cells_is_warned_of():
    assert any("6 px wide" in w for w in result_of([(50, 50, "Pre")], scale=6).warnings)


# --- what a picture is taken for ---------------------------------------------------------------


def cell_on_black(colour=COLOURS["Pro"]) -> np.ndarray:
    rgb = np.zeros((240, 320, 3), np.uint8)
    cv2.circle(rgb, (150, 110), 48, colour, cv2.FILLED)
    return rgb


def test_a_cell_on_black_is_recognised_and_said_to_be_one():
    result = result_of([(20, 20, "Pre")], cell_on_black(), scale="auto")
    (cell,) = result.cells
    assert cell.label == "Pro"
    assert cell.box_xyxy == (102, 62, 199, 159)
    assert result.scale.px_per_rbc == pytest.approx(97 / 1.6, rel=0.02)
    assert any("--as field" in warning for warning in result.warnings)


def test_asked_for_a_cell_nothing_is_said_of_it():
    assert result_of([], cell_on_black(), scale="auto", view="cell").warnings == ()


def test_asked_for_a_field_a_cell_on_black_is_one():
    result = result_of([(20, 20, "Pre")], cell_on_black(), view="field")
    assert result.cells[0].box_xyxy == (11, 11, 30, 30)


def test_a_cell_on_glass_is_the_whole_picture_when_asked_for():
    rgb = field_of([(160, 120, "Early")])
    result = result_of([(20, 20, "Pre")], rgb, view="cell", scale="none")
    (cell,) = result.cells
    assert cell.box_xyxy == (0, 0, 320, 240)
    assert cell.label == "Early"


def test_the_width_that_a_single_cell_is_taken_to_have_is_that_of_the_pipeline():
    pipeline = pipeline_of(cell_diameter_rbc=2.0)
    result = pipeline.run(LoadedImage(cell_on_black(), ""), "a")
    assert result.scale.px_per_rbc == pytest.approx(97 / 2.0, rel=0.02)


def test_a_pipeline_without_a_net_for_whole_fields_says_so():
    with pytest.raises(CardError, match="whole field"):
        result_of([], view="image")


def test_an_unknown_view_is_a_usage_error():
    with pytest.raises(UsageError, match="field, cell and image"):
        result_of([], view="slide")


def test_a_scale_bar_is_painted_out_before_the_detector_looks():
    rgb = field_of([])
    rgb[-26:, -36:] = 255
    cv2.line(rgb, (288, 234), (316, 234), (0, 0, 0), 1)
    cv2.putText(rgb, "200", (290, 230), 0, 0.35, (0, 0, 0), 1)
    assert pixels.find_scale_bar(rgb) is not None
    seen = []

    class Watching(BoxesNet):
        def run(self, batch):
            seen.append(batch[0, :240, :320])
            return super().run(batch)

    detector = FieldDetector(Watching([], WIDE_DETECTOR))
    Pipeline(detector, ColoursNet(by_colour)).run(LoadedImage(rgb, ""), "a", scale="none")
    np.testing.assert_array_equal(seen[0], pixels.without_scale_bar(rgb))


# --- the result --------------------------------------------------------------------------------


def test_a_result_names_its_image_and_its_nets():
    pipeline = pipeline_of(name="default", sha256="ef" * 32)
    result = pipeline.run(LoadedImage(field_of([]), "cd" * 32), "a b.jpg", scale="none")
    assert dataclasses.astuple(result.image) == ("a b.jpg", 320, 240, "cd" * 32)
    assert result.model == {
        "pipeline": "default",
        "sha256": "ef" * 32,
        "detector": {"name": "a detector", "sha256": "12" * 32},
        "members": [{"name": "a classifier", "sha256": "34" * 32}],
        "weights": [1.0],
    }
    assert {"read", "detect", "classify"} <= set(result.timing_ms)
    json.dumps(result.to_json(), allow_nan=False)


def test_the_image_that_is_given_is_not_changed():
    rgb = field_of([(50, 50, "Pre")])
    before = rgb.copy()
    result_of([(50, 50, "Pre")], rgb, scale=20)
    np.testing.assert_array_equal(rgb, before)


def test_the_same_image_gives_the_same_result():
    cells = grid_of(["Pre", "Other", "Early"])
    first, second = (dataclasses.replace(result_of(cells), timing_ms={}) for _ in range(2))
    assert first == second


# --- what a pipeline is made of ----------------------------------------------------------------


@pytest.mark.parametrize(
    "card", [DETECTOR_CARD, dataclasses.replace(CLASSIFIER_CARD, features=None)]
)
def test_a_net_that_cannot_call_cells_is_no_classifier(card):
    with pytest.raises(CardError, match="classifier"):
        Pipeline(FieldDetector(BoxesNet()), ColoursNet(by_colour, card=card))


def test_a_net_of_whole_pictures_is_not_shown_single_cells():
    card = dataclasses.replace(CLASSIFIER_CARD, level="image")
    with pytest.raises(CardError, match="a classifier classifies whole pictures") as caught:
        Pipeline(FieldDetector(BoxesNet()), ColoursNet(by_colour, card=card))
    assert "--level cell" in caught.value.hint


def test_the_classes_of_a_pipeline_are_those_of_its_classifier():
    assert pipeline_of().labels is MATURITY


def test_features_may_have_any_length():
    features = FeatureStatistics(np.zeros((2, 5)), np.eye(5), farthest=1.0)
    card = dataclasses.replace(CLASSIFIER_CARD, features=features)
    net = ColoursNet(by_colour, lambda _: (0.1,) * 5, card)
    assert result_of([(50, 50, "Pre")], classifier=net).cells[0].status == "called"


PIPELINE = {
    "schema": "yolo-leuk/pipeline/1",
    "name": "default",
    "detector": {"file": "cells.onnx", "sha256": "12" * 32},
    "classifier": {"file": "calls.onnx", "sha256": "34" * 32},
    "cell_diameter_rbc": 1.6,
}


def test_a_pipeline_file_names_its_nets_beside_it(tmp_path):
    path = tmp_path / "default.json"
    path.write_text(json.dumps(PIPELINE))
    file = read_pipeline_file(path)
    assert file.detector == tmp_path / "cells.onnx"
    assert file.classifier == tmp_path / "calls.onnx"
    assert file.sha256 == {"detector": "12" * 32, "classifier": "34" * 32}
    assert (file.name, file.cell_diameter_rbc) == ("default", 1.6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": "yolo-leuk/ensemble/1"},
        {"detector": None},
        {"detector": {"file": "cells.onnx"}},
        {"classifier": "calls.onnx"},
        {"cell_diameter_rbc": "wide"},
    ],
)
def test_a_pipeline_file_that_breaks_its_schema_is_refused_with_its_path(tmp_path, wrong):
    path = tmp_path / "default.json"
    path.write_text(json.dumps({**PIPELINE, **wrong}))
    with pytest.raises(CardError, match="pipeline/1") as caught:
        read_pipeline_file(path)
    assert str(path) in str(caught.value)
