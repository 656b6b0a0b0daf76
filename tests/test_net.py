"""Opening a net: the right file, its card, a runtime that knows it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.made_onnx import classifier_file, detector_file
from yolo_leuk.backends.net import open_net
from yolo_leuk.backends.onnx import usable_cores
from yolo_leuk.errors import CardError, HashError, ModelError, YoloLeukError
from yolo_leuk.images import LoadedImage
from yolo_leuk.pipeline import Pipeline

BOXES = [(10, 10, 30, 34, 0.75, 0), (40, 8, 60, 20, 0.5, 2)]


@pytest.fixture
def net_file(tmp_path):
    detector_file(tmp_path / "cells.onnx", BOXES)
    return tmp_path / "cells.onnx"


# --- one net -----------------------------------------------------------------------------------


def test_an_onnx_file_runs_on_pictures_and_gives_its_outputs_by_name(net_file):
    net = open_net(net_file)
    assert net.card.name == "cells"
    outputs = net.run(np.zeros((2, 32, 64, 3), np.uint8))
    assert set(outputs) == {"boxes"}
    assert outputs["boxes"].shape == (2, 7, 2)
    np.testing.assert_allclose(outputs["boxes"][1, :4, 0], [20, 22, 20, 24])


def test_batches_of_any_number_are_understood(tmp_path):
    classifier_file(tmp_path / "calls.onnx")
    net = open_net(tmp_path / "calls.onnx")
    for count in (1, 5):
        batch = np.full((count, 32, 32, 3), (10, 20, 30), np.uint8)
        outputs = net.run(batch)
        np.testing.assert_allclose(outputs["features"], [[10, 20, 30]] * count)
        assert outputs["logits"].shape == (count, 5)


def test_a_missing_net_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match=r"no net .*cells\.onnx"):
        open_net(tmp_path / "cells.onnx")


def test_a_net_without_a_card_is_a_card_error(net_file):
    net_file.with_suffix(".json").unlink()
    with pytest.raises(CardError, match=r"cells\.json"):
        open_net(net_file)


def test_a_net_that_is_not_the_one_of_its_card_is_refused_unless_trusted(net_file):
    with net_file.open("ab") as stream:
        stream.write(b"\x7a\x02ab")  # one more field, which protobuf passes over
    with pytest.raises(HashError, match="SHA-256"):
        open_net(net_file)
    assert open_net(net_file, trust=True).run(np.zeros((1, 32, 32, 3), np.uint8))


def test_a_file_that_is_no_onnx_is_a_model_error(net_file):
    net_file.write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="onnxruntime"):
        open_net(net_file, trust=True)


def test_a_suffix_that_no_runtime_knows_is_a_model_error(net_file):
    other = net_file.rename(net_file.with_suffix(".tflite"))
    with pytest.raises(ModelError, match=r"'\.tflite'"):
        open_net(other)


@pytest.mark.parametrize(
    "batch", [np.zeros((1, 32, 32, 4), np.uint8), np.zeros((1, 32, 32, 3), np.float32)]
)
def test_what_does_not_fit_the_net_is_a_model_error_that_says_what_came(net_file, batch):
    with pytest.raises(ModelError) as caught:
        open_net(net_file).run(batch)
    assert f"{batch.dtype} {batch.shape}" in str(caught.value)


def test_there_is_always_a_core_to_use():
    assert usable_cores() >= 1


# --- the two nets of a pipeline ----------------------------------------------------------------


@pytest.fixture
def pipeline_file(tmp_path):
    cards = {
        "detector": detector_file(tmp_path / "cells.onnx", BOXES),
        "classifier": classifier_file(tmp_path / "calls.onnx"),
    }
    content = {
        "schema": "yolo-leuk/pipeline/1",
        "name": "default",
        "cell_diameter_rbc": 1.6,
        **{
            role: {"file": f"{card.name}.onnx", "sha256": card.sha256}
            for role, card in cards.items()
        },
    }
    path = tmp_path / "default.json"
    path.write_text(json.dumps(content))
    return path


def test_a_pipeline_is_opened_and_runs(pipeline_file):
    pipeline = Pipeline.load(pipeline_file)
    rgb = np.zeros((64, 96, 3), np.uint8)
    result = pipeline.run(LoadedImage(rgb, "ab"), "a.png", view="field", scale="none")
    (cell,) = result.cells
    assert cell.box_xyxy == (10, 10, 30, 34)
    assert cell.label == "Pre"
    assert result.model["detector"]["name"] == "cells"
    assert [member["name"] for member in result.model["members"]] == ["calls"]


def test_nets_of_another_pipeline_are_refused_unless_trusted(pipeline_file):
    detector_file(pipeline_file.parent / "cells.onnx", BOXES[:1])  # with a card that fits it
    with pytest.raises(HashError, match="detector"):
        Pipeline.load(pipeline_file)
    assert Pipeline.load(pipeline_file, trust=True)


@pytest.mark.parametrize("name", ["cells.onnx", "calls.onnx", "cells.json", "default.json"])
def test_a_pipeline_of_which_a_file_is_missing_names_it(pipeline_file, name):
    (pipeline_file.parent / name).unlink()
    with pytest.raises(YoloLeukError) as caught:
        Pipeline.load(pipeline_file)
    assert name in str(caught.value)
    assert caught.value.exit_code == 4


def test_the_roles_of_two_nets_cannot_be_exchanged(pipeline_file):
    content = json.loads(pipeline_file.read_text())
    content["detector"], content["classifier"] = content["classifier"], content["detector"]
    pipeline_file.write_text(json.dumps(content))
    with pytest.raises(CardError, match="detector"):
        Pipeline.load(pipeline_file)
