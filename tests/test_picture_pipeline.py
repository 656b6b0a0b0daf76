"""A picture that is classified whole, over nets that see by rules a reader can follow."""

from __future__ import annotations

import csv
import dataclasses
import json

import cv2
import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD, DETECTOR_CARD, BoxesNet, ColoursNet
from tests.made_onnx import classifier_file
from tests.made_results import picture
from yolo_leuk import images, pixels
from yolo_leuk.detect.annotate import draw_cells
from yolo_leuk.detect.run import DetectConfig, run
from yolo_leuk.errors import CardError, HashError, ModelError, UsageError
from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import MATURITY
from yolo_leuk.model_card import FeatureStatistics
from yolo_leuk.picture_pipeline import PicturePipeline
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.train.views import WholePicture

CARD = dataclasses.replace(CLASSIFIER_CARD, level="image")


def early(_colour) -> tuple[float, ...]:
    return (1.0, 4.0, 0.0, 0.0, 0.0)


def result_of(rgb, net=None, **options):
    pipeline = PicturePipeline(net or ColoursNet(early, card=CARD), name="mine", sha256="ef" * 32)
    return pipeline.run(LoadedImage(rgb, "ab" * 32), "field.jpg", **options)


def with_bar(rgb: np.ndarray) -> np.ndarray:
    """A scale bar in the lower right corner."""
    marked = rgb.copy()
    height, width = rgb.shape[:2]
    marked[-26:, -36:] = 255
    cv2.line(marked, (width - 32, height - 6), (width - 4, height - 6), (0, 0, 0), 1)
    cv2.putText(marked, "200", (width - 30, height - 10), 0, 0.35, (0, 0, 0), 1)
    return marked


# --- what the net sees, and what comes of it -----------------------------------------------------


@pytest.mark.parametrize("size_wh", [(320, 240), (240, 320), (224, 224)])
def test_the_net_sees_what_it_saw_in_training_without_the_scale_bar(size_wh):
    rgb = with_bar(picture(*size_wh))
    assert pixels.find_scale_bar(rgb) is not None
    net = ColoursNet(early, card=CARD)
    result_of(rgb, net)
    ((seen,),) = net.batches
    view = WholePicture(CARD.input_px)
    stored = pixels.without_scale_bar(rgb)  # as prepare stores it
    np.testing.assert_array_equal(seen, view.as_input(view.shown(stored, 20.0), 20.0))


def test_the_picture_gets_one_call_and_no_blast_fraction_and_the_reason_is_said():
    result = result_of(picture(320, 240))
    (cell,) = result.cells
    assert (cell.label, cell.status, cell.box_xyxy) == ("Early", "called", (0, 0, 320, 240))
    assert cell.probability == pytest.approx(np.exp(4) / (np.exp(4) + np.exp(1) + 3))
    blasts = [cell.probabilities[name] for name in ("Early", "Pre", "Pro")]
    assert cell.blast_probability == pytest.approx(sum(blasts))
    assert result.counts == {**dict.fromkeys((*MATURITY.names, "unidentified"), 0), "Early": 1}
    assert result.blast_fraction is None
    assert "classified whole" in result.blast_fraction_reason
    assert (result.view, result.scale.px_per_rbc) == ("image", None)


def test_a_result_names_its_net():
    assert result_of(picture()).model == {
        "pipeline": "mine",
        "sha256": "ef" * 32,
        "members": [{"name": "a classifier", "sha256": "34" * 32}],
        "weights": [1.0],
    }


def test_a_picture_unlike_all_of_training_is_unidentified():
    net = ColoursNet(early, lambda _: (9.0, 0.0, 0.0), CARD)
    result = result_of(picture(), net)
    assert [cell.label for cell in result.cells] == ["unidentified"]
    assert result.counts["unidentified"] == 1


@pytest.mark.parametrize(
    ("options", "told"), [({"scale": 20.0}, "--scale 20.0"), ({"view": "cell"}, "'cell'")]
)
def test_what_says_nothing_of_a_whole_picture_is_refused(options, told):
    with pytest.raises(UsageError, match=told):
        result_of(picture(), **options)


@pytest.mark.parametrize("net", [ColoursNet(early), BoxesNet(card=DETECTOR_CARD)])
def test_a_net_that_is_shown_anything_else_is_refused(net):
    with pytest.raises(CardError, match="expected a classifier of whole pictures") as caught:
        PicturePipeline(net)
    assert "--level image" in caught.value.hint


# --- where the net comes from --------------------------------------------------------------------


@pytest.fixture
def net(tmp_path):
    """An ONNX file of a classifier of whole pictures."""
    nothing_is_far = FeatureStatistics(np.zeros((1, 3)), np.eye(3), farthest=1e9)
    classifier_file(tmp_path / "whole.onnx", dataclasses.replace(CARD, features=nothing_is_far))
    return tmp_path / "whole.onnx"


def pipeline_file(folder, **picture_role):
    path = folder / "mine.json"
    content = {"schema": "yolo-leuk/pipeline/1", "name": "mine", **picture_role}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_net_is_opened_by_itself_or_by_the_pipeline_file_that_names_it(net):
    sha256 = json.loads(net.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    file = pipeline_file(net.parent, picture={"file": "whole.onnx", "sha256": sha256})
    rgb = LoadedImage(picture(), "")
    alone, named = (PicturePipeline.load(path).run(rgb, "a") for path in (net, file))
    assert alone.cells == named.cells
    assert (alone.model["pipeline"], named.model["pipeline"]) == ("whole", "mine")
    assert alone.model["members"] == named.model["members"] == [{"name": "whole", "sha256": sha256}]


def test_a_pipeline_file_with_the_hash_of_another_net_is_refused(net):
    file = pipeline_file(net.parent, picture={"file": "whole.onnx", "sha256": "00" * 32})
    with pytest.raises(HashError, match="expected 0000"):
        PicturePipeline.load(file)


def test_a_pipeline_file_with_half_a_name_is_refused(net):
    with pytest.raises(CardError, match="breaks the schema"):
        PicturePipeline.load(pipeline_file(net.parent, picture={"file": "whole.onnx"}))


def test_the_pipeline_that_ships_has_no_net_of_whole_pictures_and_says_how_to_get_one():
    with pytest.raises(CardError, match="names no net that classifies whole pictures") as caught:
        PicturePipeline.load()
    assert "--level image" in caught.value.hint


def test_a_net_that_is_not_there_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="there is no model"):
        PicturePipeline.load(tmp_path / "nothing.onnx")


def test_a_net_of_whole_pictures_finds_no_cells_and_the_error_says_what_it_can_do(net):
    with pytest.raises(CardError, match="classifies whole pictures") as caught:
        Pipeline.load(net)
    assert "--as image" in caught.value.hint


# --- what detect writes --------------------------------------------------------------------------


def test_detect_writes_a_row_and_a_report_but_draws_no_box(net):
    source = net.parent / "field.png"
    cv2.imwrite(str(source), picture(960, 480)[..., ::-1])
    outcome = run(DetectConfig(inputs=(source,), view="image", model=net, out=net.parent / "out"))
    folder = net.parent / "out" / "field"
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert (content["view"], content["blast_fraction"]) == ("image", None)
    (row,) = csv.DictReader((folder / "cells.csv").open(encoding="utf-8"))
    assert (row["label"], row["x2"], row["y2"]) == ("Pre", "960.0", "480.0")
    drawn = images.read_image(folder / "annotated.jpg")[:480]
    plain = draw_cells(images.read_image(source), (), {})
    rim = [part[:4].astype(int) for part in (drawn, plain)]
    assert np.abs(rim[0] - rim[1]).max() < 20  # where a line around all of it would run
    report = outcome.report.read_text(encoding="utf-8")
    assert "1 image, classified whole" in report
    assert "Pictures classified whole" in report
    assert "<td>1</td><td>97%</td>" in report  # 5 against four times 0
    assert "None is given: the picture was classified whole" in report
    assert "boxed" not in report
    assert "White cells found" not in report
