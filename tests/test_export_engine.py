"""Engines from ONNX by TensorRT's Python API, on its stand-in: it has never run on a GPU."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.made_onnx import classifier_file, detector_file
from tests.stand_in import TENSORRT_10, TENSORRT_11, stand_in
from yolo_leuk.backends.net import open_net
from yolo_leuk.errors import ExportError
from yolo_leuk.export import engine
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Exported
from yolo_leuk.export.profile import profile_of
from yolo_leuk.export.run import run
from yolo_leuk.export.verify import verify
from yolo_leuk.model_card import read_card
from yolo_leuk.pipeline import read_pipeline_file

BOXES = [(10, 10, 30, 34, 0.75, 0)]


@pytest.fixture(params=[TENSORRT_10, TENSORRT_11])
def trt(request):
    with stand_in(request.param) as (module, _):
        yield module


@pytest.fixture
def parts(tmp_path):
    """A pipeline's two nets, as an export leaves them to a format."""
    cards = {
        "detector": detector_file(tmp_path / "cells.onnx", BOXES),
        "classifier": classifier_file(tmp_path / "calls.onnx"),
    }
    content = {
        "schema": "yolo-leuk/pipeline/1",
        "name": "made",
        "cell_diameter_rbc": 1.6,
        **{r: {"file": f"{c.name}.onnx", "sha256": c.sha256} for r, c in cards.items()},
    }
    (tmp_path / "pipeline.json").write_text(json.dumps(content))
    return [Exported(r, tmp_path / f"{c.name}.onnx", c) for r, c in cards.items()]


def written(parts, **changes):
    config = ExportConfig(model=parts[0].path.with_name("made.json"), **changes)
    return engine.write(parts, parts[0].path.parent, config)


def asked(trt, name):
    """What the calls of a name were given."""
    return [call[1:] for call in trt.RECORD if call[0] == name]


def built(content, tmp_path, max_batch=8):
    card = classifier_file(tmp_path / "any.onnx")
    return engine.built(
        content,
        "any.onnx",
        profile_of(card, max_batch),
        workspace_mib=64,
        timing_cache=tmp_path / "timing.cache",
    )


# --- what TensorRT is asked for ----------------------------------------------------------------


def test_networks_are_strongly_typed_and_no_flag_of_a_precision_is_set(trt, parts):
    written(parts, precision="fp16")
    strongly_typed = 1 << trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
    assert asked(trt, "create_network") == [(strongly_typed,)] * 2
    assert not asked(trt, "set_flag")


def test_float32_stays_float32(trt, parts):
    written(parts)
    assert asked(trt, "clear_flag") == [("TF32",)] * 2


def test_the_limit_of_the_workspace_is_given_in_bytes(trt, parts):
    written(parts, workspace_mib=300)
    assert asked(trt, "set_memory_pool_limit") == [("WORKSPACE", 300 * 1024 * 1024)] * 2


def test_each_net_gets_the_sizes_that_it_meets(trt, parts):
    written(parts, max_batch=24)
    assert asked(trt, "set_shape") == [
        ("images", (1, 32, 32, 3), (4, 128, 128, 3), (4, 128, 128, 3)),
        ("images", (1, 32, 32, 3), (16, 32, 32, 3), (24, 32, 32, 3)),
    ]


def test_what_was_timed_once_is_not_timed_again(trt, parts):
    written(parts)
    (first, _), (second, _) = asked(trt, "set_timing_cache")
    assert second > first
    assert (parts[0].path.parent / "timing.cache").stat().st_size > second


def test_timings_of_another_gpu_are_not_used(tmp_path):
    graph = cast_graph()
    with stand_in(gpu="Orin NX"):
        built(graph, tmp_path)
    with stand_in(gpu="Orin") as (trt, _):
        built(graph, tmp_path)
        taken = [fits for _, fits in asked(trt, "set_timing_cache")]
    assert taken == [False, True]
    assert b"Orin NX" not in (tmp_path / "timing.cache").read_bytes()


# --- what comes of it --------------------------------------------------------------------------


def test_the_card_says_where_the_engine_was_built_and_of_what(trt, parts):
    found = {part.role: part for part in written(parts)}
    card = read_card(found["classifier"].path.with_suffix(".json"))
    assert card.name == found["classifier"].path.stem == "calls-trt"
    assert card.export["format"] == "engine"
    facts = card.export["engine"]
    assert facts["graph"] == {"file": "calls.onnx", "sha256": parts[1].card.sha256}
    assert card.export["source"] == facts["graph"]
    assert facts["gpu"] == "Orin"
    assert facts["compute_capability"] == "8.7"
    assert facts["tensorrt"] == trt.__version__
    assert facts["cuda_driver"] == "12.6"
    assert facts["profile"]["highest"] == [64, 32, 32, 3]
    assert facts["command"] == "yolo-leuk export made.json --format engine --precision fp32"


@pytest.mark.usefixtures("trt")
def test_the_pipeline_names_the_engines_and_they_answer(parts):
    engines = written(parts)
    content = json.loads((parts[0].path.parent / "pipeline.json").read_text())
    for found in engines:
        assert content[found.role] == {"file": found.path.name, "sha256": found.card.sha256}
    batch = np.full((3, 32, 32, 3), (10, 20, 30), np.uint8)
    answers = open_net(engines[1].path).run(batch)
    np.testing.assert_allclose(answers["features"], [[10, 20, 30]] * 3)


@pytest.mark.usefixtures("trt")
def test_export_compares_each_engine_with_the_net_that_was_named(parts, tmp_path):
    model = parts[0].path.with_name("pipeline.json")
    outcome = run(ExportConfig(model=model, format="engine", out=tmp_path / "out"))
    assert [one.path.name for one in outcome.exported] == ["cells-trt.engine", "calls-trt.engine"]
    for one in outcome.exported:
        card = read_card(one.path.with_suffix(".json"))
        assert card.export["parity"]["largest_difference"] == 0
        assert verify(one.path, ExportConfig(model=model)).is_within
        assert open_net(one.path).card.to_json() == one.card.to_json() == card.to_json()
    assert read_pipeline_file(outcome.result).classifier.name == "calls-trt.engine"


def test_where_an_engine_cannot_be_built_nothing_is_left_of_the_export(
    trt, parts, tmp_path, monkeypatch
):
    monkeypatch.setattr(trt.Builder, "build_serialized_network", lambda *_: None)
    model = parts[0].path.with_name("pipeline.json")
    before = set(tmp_path.iterdir())
    with pytest.raises(ExportError, match=r"cannot build an engine from cells\.onnx"):
        run(ExportConfig(model=model, format="engine", out=tmp_path / "out"))
    assert set(tmp_path.iterdir()) == before


@pytest.mark.usefixtures("trt")
def test_a_single_net_has_no_pipeline(tmp_path):
    card = classifier_file(tmp_path / "calls.onnx")
    written([Exported("model", tmp_path / "calls.onnx", card)])
    assert not (tmp_path / "pipeline.json").exists()


# --- what is refused ---------------------------------------------------------------------------


def test_without_tensorrt_the_bundle_is_offered(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(ExportError, match="TensorRT's Python module is not installed") as caught:
        engine.check(ExportConfig(model=None))
    assert "--format jetson" in caught.value.hint


def test_without_a_gpu_the_bundle_is_offered():
    with stand_in(gpu=""), pytest.raises(ExportError, match="NoDevice") as caught:
        engine.check(ExportConfig(model=None))
    assert "--format jetson" in caught.value.hint


@pytest.mark.usefixtures("trt")
def test_with_both_nothing_is_said():
    engine.check(ExportConfig(model=None))


def cast_graph(*nodes):
    """uint8 to float32, by way of these nodes from ``real`` to ``y``."""
    nodes = nodes or (helper.make_node("Identity", ["real"], ["y"]),)
    made = helper.make_graph(
        [helper.make_node("Cast", ["images"], ["real"], to=TensorProto.FLOAT), *nodes],
        "made",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_a_node_that_the_parser_refuses_is_named(trt, tmp_path):
    unique = helper.make_node("Unique", ["real"], ["y"], name="find all")
    with pytest.raises(ExportError, match="Unique find all: Plugin not found") as caught:
        built(cast_graph(unique), tmp_path)
    assert f"TensorRT {trt.__version__} cannot parse any.onnx" in str(caught.value)


@pytest.mark.usefixtures("trt")
def test_a_file_that_is_no_onnx_is_an_export_error(tmp_path):
    with pytest.raises(ExportError, match="Failed to parse the ONNX model"):
        built(b"not a graph", tmp_path)


@pytest.mark.usefixtures("trt")
def test_a_graph_that_does_not_fit_is_refused_before_any_engine_is_built(parts):
    bad = onnx.load_from_string(cast_graph(helper.make_node("Unique", ["real"], ["y"])))
    onnx.save(bad, parts[1].path)
    with pytest.raises(ExportError, match=r"calls.onnx.*1 of its parts"):
        written(parts)
    assert not list(parts[0].path.parent.glob("*.engine"))


def test_an_engine_that_cannot_be_built_is_said_with_tensorrts_reason(trt, tmp_path, monkeypatch):
    def fail(builder, *_):
        builder.logger.log(trt.ILogger.ERROR, "no tactic fits into 64 MiB")

    monkeypatch.setattr(trt.Builder, "build_serialized_network", fail)
    with pytest.raises(ExportError, match="no tactic fits into 64 MiB") as caught:
        built(cast_graph(), tmp_path)
    assert "workspace_mib" in caught.value.hint
    assert not (tmp_path / "timing.cache").exists()


@pytest.mark.usefixtures("trt")
def test_a_profile_that_makes_no_sense_is_refused(tmp_path):
    card = classifier_file(tmp_path / "any.onnx")
    profile = dataclasses.replace(profile_of(card, 8), lowest=(9, 32, 32, 3))
    with pytest.raises(ExportError, match=r"any\.onnx takes"):
        engine.built(
            cast_graph(),
            "any.onnx",
            profile,
            workspace_mib=64,
            timing_cache=tmp_path / "timing.cache",
        )


def test_nothing_at_once_is_refused(tmp_path):
    with pytest.raises(ExportError, match="max_batch is 0"):
        profile_of(classifier_file(tmp_path / "any.onnx"), 0)
