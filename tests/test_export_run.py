"""A model in, files out that answer as it does; or nothing at all."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import onnx
import pytest

from tests.made_convolutions import SIDE, convolutions
from tests.made_evaluation import ANYWHERE, ensemble_file, net
from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file, detector_file
from tests.made_training_data import made_cells, made_fields
from yolo_leuk import artifacts
from yolo_leuk.backends.net import open_net
from yolo_leuk.dataset import read_dataset
from yolo_leuk.errors import (
    CardError,
    ConfigError,
    ExportError,
    HashError,
    ModelError,
    OutputError,
    UsageError,
)
from yolo_leuk.export import parity
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.run import run
from yolo_leuk.export.verify import source_of, verify
from yolo_leuk.images import LoadedImage
from yolo_leuk.net_file import write_net
from yolo_leuk.picture_pipeline import PicturePipeline
from yolo_leuk.pipeline import Pipeline

BOXES = [(10, 10, 30, 34, 0.75, 0), (40, 8, 60, 20, 0.5, 2)]
CROPS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A data set of drawn cells."""
    return made_cells(tmp_path_factory.mktemp("made") / "cells", (4, 2, 1))


@pytest.fixture
def classifier(tmp_path):
    """A classifier with convolutions, so that there is something to convert."""
    card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, name="calls")
    path = tmp_path / "calls.onnx"
    write_net(path, convolutions().SerializeToString(), card)
    return path


@pytest.fixture
def pipeline(tmp_path, classifier):
    """A pipeline file."""
    detector = detector_file(tmp_path / "cells.onnx", BOXES)
    content = {
        "schema": "yolo-leuk/pipeline/1",
        "name": "mine",
        "detector": {"file": "cells.onnx", "sha256": detector.sha256},
        "classifier": {"file": "calls.onnx", "sha256": open_net(classifier).card.sha256},
        "cell_diameter_rbc": 1.7,
    }
    artifacts.write_json(tmp_path / "mine.json", content)
    return tmp_path / "mine.json"


def exported(model, out, **settings):
    return run(ExportConfig(model=model, out=out, progress=False, **settings))


def leftovers(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith((".", "out")))


# --- what is written -----------------------------------------------------------------------------


def test_a_net_is_written_with_its_card_and_the_comparison_in_it(classifier, tmp_path):
    outcome = exported(classifier, tmp_path / "out")
    assert outcome.result == tmp_path / "out" / "calls.onnx"
    written = open_net(outcome.result)
    export = written.card.export
    assert (export["format"], export["precision"], export["opset"]) == ("onnx", "fp32", 17)
    assert export["source"] == {
        "file": "calls.onnx", "sha256": artifacts.sha256_of_file(classifier)
    }  # fmt: skip
    assert export["parity"]["pictures"] == 64
    assert export["parity"]["largest_difference"] <= 1e-4
    assert export["parity"]["shown"] == "sample smear"
    for name, values in open_net(classifier).run(CROPS).items():
        np.testing.assert_array_equal(written.run(CROPS)[name], values)


def test_what_is_written_runs_without_the_card_beside_it(classifier, tmp_path):
    outcome = exported(classifier, tmp_path / "out")
    outcome.result.with_suffix(".json").unlink()
    assert open_net(outcome.result).card.to_json() == outcome.exported[0].card.to_json()


def test_a_pipeline_becomes_a_folder_that_runs_as_it_did(pipeline, tmp_path):
    outcome = exported(pipeline, tmp_path / "out")
    assert outcome.result.name == "pipeline.json"
    assert [one.role for one in outcome.exported] == ["detector", "classifier"]
    field = LoadedImage(np.full((64, 96, 3), 90, np.uint8), "ab")
    before, after = (
        Pipeline.load(path).run(field, "a.png", scale="none")
        for path in (pipeline, tmp_path / "out")
    )
    assert after.cells == before.cells
    assert after.model["pipeline"] == "mine"
    content = json.loads(outcome.result.read_text(encoding="utf-8"))
    assert content["cell_diameter_rbc"] == 1.7


def test_two_nets_of_one_name_both_get_a_file(pipeline, tmp_path):
    for name in ("cells", "calls"):
        net = tmp_path / f"{name}.onnx"
        card = dataclasses.replace(open_net(net).card, name="config")
        write_net(net, net.read_bytes(), card)
    content = json.loads(pipeline.read_text(encoding="utf-8"))
    for role, name in (("detector", "cells"), ("classifier", "calls")):
        content[role]["sha256"] = open_net(tmp_path / f"{name}.onnx").card.sha256
    artifacts.write_json(pipeline, content)
    outcome = exported(pipeline, tmp_path / "out")
    names = [one.path.name for one in outcome.exported]
    assert names == ["config-detector.onnx", "config-classifier.onnx"]
    assert Pipeline.load(tmp_path / "out").labels == Pipeline.load(pipeline).labels


def test_the_net_of_whole_pictures_of_a_pipeline_is_exported_too(pipeline, tmp_path):
    card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, level="image")
    sha256 = classifier_file(tmp_path / "whole.onnx", card).sha256
    content = json.loads(pipeline.read_text(encoding="utf-8"))
    content["picture"] = {"file": "whole.onnx", "sha256": sha256}
    artifacts.write_json(pipeline, content)
    exported(pipeline, tmp_path / "out")
    picture = LoadedImage(np.full((64, 96, 3), 90, np.uint8), "ab")
    before, after = (
        PicturePipeline.load(path).run(picture, "a.png") for path in (pipeline, tmp_path / "out")
    )
    assert after.cells == before.cells


def test_an_ensemble_becomes_one_net_that_is_compared_with_its_members(tmp_path, cells):
    members = [net(tmp_path / "nets", name) for name in ("a", "b", "c")]
    file = ensemble_file(tmp_path / "three", read_dataset(cells), members)
    outcome = exported(file, tmp_path / "out")
    (one,) = outcome.exported
    assert (one.path.name, len(one.card.members)) == ("three.onnx", 3)
    assert one.card.export["source"]["file"] == "ensemble.json"
    assert one.card.export["parity"]["largest_difference"] < 1e-5


def test_the_first_file_is_the_configuration_with_no_path_in_it(classifier, tmp_path):
    exported(classifier, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert content["schema"] == "yolo-leuk/export-config/1"
    assert content["model"] == "calls.onnx"
    assert str(tmp_path) not in json.dumps(content)


def test_runs_are_numbered_by_the_model(classifier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [exported(classifier, None).folder.as_posix() for _ in range(2)]
    assert folders == ["runs/export/calls", "runs/export/calls2"]


def test_a_net_of_a_run_is_called_by_what_it_is(classifier, tmp_path):
    run_net = tmp_path / "best.onnx"
    card = dataclasses.replace(open_net(classifier).card, name="best", architecture="v11n")
    write_net(run_net, classifier.read_bytes(), card)
    assert exported(run_net, tmp_path / "out").result.name == "v11n-classify.onnx"


# --- precision -----------------------------------------------------------------------------------


def test_fp16_keeps_the_ends_of_the_graph_and_stays_near(classifier, tmp_path):
    outcome = exported(classifier, tmp_path / "out", precision="fp16")
    (one,) = outcome.exported
    assert one.path.name == "calls-fp16.onnx"
    assert one.card.precision == "fp16"
    assert 0 < one.card.export["parity"]["largest_difference"] <= 2e-2
    model = onnx.load(one.path)
    kinds = {value.data_type for value in model.graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    found = open_net(one.path).run(CROPS)
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}


def test_int8_is_calibrated_on_the_training_split_and_measured_on_the_validation_split(
    classifier, tmp_path, cells
):
    outcome = exported(
        classifier, tmp_path / "out", precision="int8", data=(cells,), allow_accuracy_loss=True
    )
    export = outcome.exported[0].card.export
    assert export["int8"]["calibrated_on"] == 20
    assert export["accuracy"]["samples"] == 10
    assert export["parity"]["shown"] == "cells"


def test_int8_without_a_data_set_is_refused_before_anything_is_done(classifier, tmp_path):
    with pytest.raises(ConfigError, match="calibrated on a training split") as caught:
        exported(classifier, tmp_path / "out", precision="int8")
    assert "--data" in caught.value.hint


def test_a_data_set_that_fits_no_net_is_refused(classifier, tmp_path):
    fields = made_fields(tmp_path / "drawn", 1)
    with pytest.raises(UsageError, match="calls is to classify the level cell"):
        exported(classifier, tmp_path / "out", data=(fields,))


def test_each_net_of_a_pipeline_takes_the_data_set_that_fits_it(pipeline, tmp_path, cells):
    outcome = exported(pipeline, tmp_path / "out", data=(cells,))
    shown = {one.role: one.card.export["parity"]["shown"] for one in outcome.exported}
    assert shown == {"detector": "sample smear", "classifier": "cells"}


def test_an_int8_pipeline_needs_a_data_set_for_each_net(pipeline, tmp_path, cells):
    with pytest.raises(UsageError, match=r"none of the data sets .* of cells, and INT8"):
        exported(pipeline, tmp_path / "out", precision="int8", data=(cells,))
    assert leftovers(tmp_path) == []


def test_a_net_that_was_converted_is_not_converted_again(classifier, tmp_path):
    half = exported(classifier, tmp_path / "half", precision="fp16").result
    with pytest.raises(ExportError, match="a net in fp16 for one runtime"):
        exported(half, tmp_path / "out")


# --- the gate ------------------------------------------------------------------------------------


def test_an_export_that_answers_otherwise_is_removed_with_exit_code_5(
    classifier, tmp_path, monkeypatch
):
    nothing = dataclasses.replace(parity.TOLERANCES["fp16"], difference=0.0)
    monkeypatch.setitem(parity.TOLERANCES, "fp16", nothing)
    with pytest.raises(ExportError, match="answers otherwise") as caught:
        exported(classifier, tmp_path / "out", precision="fp16")
    assert caught.value.exit_code == 5
    assert leftovers(tmp_path) == []


def test_an_export_that_lost_too_much_is_removed_unless_it_is_allowed(
    classifier, tmp_path, cells, monkeypatch
):
    from yolo_leuk.export import accuracy

    monkeypatch.setitem(accuracy.ALLOWED, "weighted_f1", -1.0)
    with pytest.raises(ExportError, match="loses"):
        exported(classifier, tmp_path / "out", precision="fp16", data=(cells,))
    assert leftovers(tmp_path) == []
    outcome = exported(
        classifier, tmp_path / "out", precision="fp16", data=(cells,), allow_accuracy_loss=True
    )
    assert outcome.result.is_file()


# --- once more -----------------------------------------------------------------------------------


def test_a_file_is_verified_again_with_the_same_numbers(classifier, tmp_path):
    outcome = exported(classifier, tmp_path / "out", precision="fp16")
    found = verify(outcome.result, ExportConfig(model=classifier))
    expected = outcome.exported[0].card.export["parity"]
    assert found.to_json() == {k: v for k, v in expected.items() if k != "shown"}


def test_what_a_file_was_made_from_is_found_one_folder_above_it(classifier, tmp_path):
    outcome = exported(classifier, tmp_path / "out")
    assert source_of(outcome.result) == classifier
    classifier.rename(tmp_path / "elsewhere.onnx")
    with pytest.raises(UsageError, match=r"calls\.onnx of SHA-256") as caught:
        source_of(outcome.result)
    assert "--verify FILE" in caught.value.hint


def test_a_file_is_not_verified_against_another_net(classifier, tmp_path):
    outcome = exported(classifier, tmp_path / "out")
    other = tmp_path / "other.onnx"
    write_net(other, convolutions(seed=1).SerializeToString(), open_net(classifier).card)
    with pytest.raises(HashError, match=r"was made from calls\.onnx"):
        verify(outcome.result, ExportConfig(model=other))


def test_a_net_that_was_never_exported_cannot_be_verified(classifier):
    with pytest.raises(UsageError, match="is no export"):
        verify(classifier, ExportConfig(model=classifier))


# --- bad input -----------------------------------------------------------------------------------


def test_an_onnx_file_of_another_program_is_refused(tmp_path):
    onnx.save(convolutions(), tmp_path / "other.onnx")
    with pytest.raises(CardError, match="has no model card"):
        exported(tmp_path / "other.onnx", tmp_path / "out")
    assert leftovers(tmp_path) == []


def test_an_onnx_file_of_another_kind_with_a_card_that_is_not_its_own_is_refused(tmp_path):
    model = convolutions()
    model.graph.output[0].name = "scores"
    for node in model.graph.node:
        node.output[:] = ["scores" if name == "logits" else name for name in node.output]
    write_net(tmp_path / "other.onnx", model.SerializeToString(), CLASSIFIER_CARD)
    with pytest.raises(ModelError, match=r"expected the outputs logits, features .* scores"):
        exported(tmp_path / "other.onnx", tmp_path / "out")


def test_a_net_that_takes_no_uint8_pictures_is_refused(tmp_path):
    model = convolutions()
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    write_net(tmp_path / "other.onnx", model.SerializeToString(), CLASSIFIER_CARD)
    with pytest.raises(ModelError, match=r"uint8 pictures .* found images: tensor\(float\)"):
        open_net(tmp_path / "other.onnx")


def test_a_truncated_file_is_refused(classifier, tmp_path):
    classifier.write_bytes(classifier.read_bytes()[:-100])
    with pytest.raises(HashError):
        exported(classifier, tmp_path / "out")
    with pytest.raises(ModelError, match="cannot be opened"):
        exported(classifier, tmp_path / "out", trust=True)
    assert leftovers(tmp_path) == []


def test_an_operator_that_no_runtime_here_knows_is_refused_by_name(tmp_path):
    model = convolutions()
    model.graph.node[4].op_type = "Telepathy"
    write_net(tmp_path / "strange.onnx", model.SerializeToString(), CLASSIFIER_CARD)
    with pytest.raises(ModelError, match="Telepathy"):
        exported(tmp_path / "strange.onnx", tmp_path / "out")
    assert leftovers(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(classifier, tmp_path):
    (tmp_path / "a file").touch()
    with pytest.raises(OutputError, match="a file"):
        exported(classifier, tmp_path / "a file" / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    with pytest.raises(OutputError, match="already holds something"):
        exported(classifier, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["something"]


def test_a_card_that_does_not_match_its_pipeline_is_refused(pipeline, tmp_path):
    classifier_file(tmp_path / "calls.onnx")
    with pytest.raises(HashError, match="the classifier has SHA-256"):
        exported(pipeline, tmp_path / "out")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, SIDE, SIDE, 1), np.uint8),
        np.zeros((1, 3, SIDE, SIDE), np.uint8),
        np.zeros((SIDE, SIDE, 3), np.uint8),
        np.zeros((1, SIDE + 1, SIDE, 3), np.uint8),
        np.zeros((1, SIDE, SIDE, 3), np.float32),
    ],
)
def test_a_wrong_shape_at_run_time_is_a_model_error_that_says_what_is_right(classifier, batch):
    with pytest.raises(ModelError, match=r"expected uint8 \(n, 32, 32, 3\)") as caught:
        open_net(classifier).run(batch)
    assert f"{batch.dtype} {batch.shape}" in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"crops": 63}, {"fields": 3}, {"seed": -1}, {"calibration_samples": 0}]
)
def test_settings_out_of_range_are_refused(classifier, settings):
    with pytest.raises(ConfigError, match="or more"):
        ExportConfig(model=classifier, **settings)
