"""TensorRT engines as nets, on the stand-in for TensorRT and CUDA: it has never run on a GPU."""

from __future__ import annotations

import dataclasses
import gc
import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

from tests.made_onnx import classifier_file, detector_file
from tests.stand_in import FOLDER, TENSORRT_10, TENSORRT_11, in_a_process, stand_in
from yolo_leuk.backends.net import open_net
from yolo_leuk.errors import CardError, HashError, MissingExtraError, ModelError
from yolo_leuk.export.engine import built
from yolo_leuk.export.engine_card import engine_path, write_engine_card
from yolo_leuk.export.profile import profile_of
from yolo_leuk.model_card import read_card, write_card

BOXES = [(10, 10, 30, 34, 0.75, 0), (40, 8, 60, 20, 0.5, 2)]


def engine_of(graph, card, max_batch=8):
    """Build ``<stem>-trt.engine`` beside a graph, with its card; returns its path."""
    content = built(
        graph.read_bytes(),
        graph.name,
        profile_of(card, max_batch),
        workspace_mib=64,
        timing_cache=graph.with_name("timing.cache"),
    )
    path = engine_path(graph)
    path.write_bytes(content)
    write_engine_card(path, graph, card, command="build it so")
    return path


@pytest.fixture(params=[TENSORRT_10, TENSORRT_11])
def device(request):
    """TensorRT's and CUDA's stand-ins."""
    with stand_in(request.param) as modules:
        yield modules


@pytest.fixture
def graph(tmp_path):
    classifier_file(tmp_path / "calls.onnx")
    return tmp_path / "calls.onnx"


@pytest.fixture
def engine(device, graph):  # noqa: ARG001  # it must be there
    return engine_of(graph, read_card(graph.with_suffix(".json")))


def batch_of(count, side=32):
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 8])
def test_an_engine_answers_as_its_graph(engine, graph, count):
    net, reference = open_net(engine), open_net(graph)
    assert net.card.name == "calls-trt"
    batch = batch_of(count)
    expected = reference.run(batch)
    found = net.run(batch)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], values)


def test_more_than_the_engine_takes_at_once_is_run_in_parts(engine, graph):
    batch = batch_of(19)
    found = open_net(engine).run(batch)
    np.testing.assert_array_equal(found["features"], open_net(graph).run(batch)["features"])


def test_batches_of_changing_size_follow_each_other(engine, graph):
    net, reference = open_net(engine), open_net(graph)
    for count in (2, 7, 1, 8, 3):
        batch = batch_of(count)
        np.testing.assert_array_equal(net.run(batch)["features"], reference.run(batch)["features"])


def test_a_view_of_a_larger_array_is_understood(engine, graph):
    batch = batch_of(6)[::2, :, ::-1]
    assert not batch.flags.c_contiguous
    np.testing.assert_array_equal(
        open_net(engine).run(batch)["features"], open_net(graph).run(batch)["features"]
    )


@pytest.mark.usefixtures("device")
def test_a_detector_takes_tiles_of_any_size_up_to_its_own(tmp_path):
    card = detector_file(tmp_path / "cells.onnx", BOXES)
    net = open_net(engine_of(tmp_path / "cells.onnx", card))
    for height, width in ((32, 32), (96, 64), (128, 128)):
        boxes = net.run(np.zeros((2, height, width, 3), np.uint8))["boxes"]
        np.testing.assert_allclose(boxes[1, :4, 0], [20, 22, 20, 24])


# --- memory ------------------------------------------------------------------------------------


def test_memory_and_stream_are_given_back_when_it_is_closed(device, engine):
    _, cuda = device
    net = open_net(engine)
    net.run(batch_of(3))
    assert cuda.PIECES
    net.close()
    assert not cuda.PIECES
    assert not cuda.STREAMS
    with pytest.raises(ModelError, match="closed"):
        net.run(batch_of(1))


def test_memory_and_stream_are_given_back_with_the_object(device, engine):
    _, cuda = device
    net = open_net(engine)
    net.run(batch_of(3))
    del net
    gc.collect()
    assert not cuda.PIECES
    assert not cuda.STREAMS


def test_memory_grows_with_the_largest_batch_and_not_with_their_number(device, engine):
    _, cuda = device
    net = open_net(engine)
    net.run(batch_of(8))
    held = sum(map(len, cuda.PIECES.values()))
    for count in (1, 8, 5, 8):
        net.run(batch_of(count))
    assert sum(map(len, cuda.PIECES.values())) == held


def test_too_little_memory_is_a_model_error_and_nothing_stays_allocated(device, engine):
    _, cuda = device
    net = open_net(engine)
    cuda._MOST_BYTES = 0
    with pytest.raises(ModelError, match="cudaErrorMemoryAllocation"):
        net.run(batch_of(1))
    net.close()
    assert not cuda.PIECES


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 32, 32, 3), np.float32),
        np.zeros((1, 32, 32, 4), np.uint8),
        np.zeros((1, 48, 32, 3), np.uint8),
        np.zeros((0, 32, 32, 3), np.uint8),
        np.zeros((32, 32, 3), np.uint8),
    ],
)
def test_what_does_not_fit_the_engine_is_a_model_error_that_says_what_came(engine, batch):
    with pytest.raises(ModelError) as caught:
        open_net(engine).run(batch)
    assert f"{batch.dtype} {batch.shape}" in str(caught.value)


@pytest.mark.usefixtures("device")
def test_a_tile_beyond_the_profile_is_refused_with_the_profile(tmp_path):
    card = detector_file(tmp_path / "cells.onnx", BOXES)
    net = open_net(engine_of(tmp_path / "cells.onnx", card))
    with pytest.raises(ModelError, match=r"\(1, 32, 32, 3\) to \(4, 128, 128, 3\)"):
        net.run(np.zeros((1, 160, 128, 3), np.uint8))


@pytest.mark.parametrize(
    ("key", "value"),
    [("gpu", "Orin NX"), ("compute_capability", "7.2"), ("tensorrt", "10.0.1")],
)
def test_an_engine_that_was_built_elsewhere_is_refused_with_the_command(engine, key, value):
    card = read_card(engine.with_suffix(".json"))
    built_there = {**card.export["engine"], key: value}
    export = {**card.export, "engine": built_there}
    write_card(engine.with_suffix(".json"), dataclasses.replace(card, export=export))
    with pytest.raises(ModelError, match=f"built elsewhere.*{key} '{value}', here") as caught:
        open_net(engine)
    assert caught.value.hint == "Build it here: build it so"


def test_a_newer_driver_runs_it_still(engine):
    path = engine.with_suffix(".json")
    path.write_text(path.read_text().replace('"cuda_driver": "12.6"', '"cuda_driver": "12.4"'))
    assert open_net(engine).run(batch_of(1))


def test_an_engine_that_tensorrt_cannot_read_is_a_model_error(engine):
    engine.write_bytes(b"no engine")
    with pytest.raises(ModelError, match="cannot be read by TensorRT"):
        open_net(engine, trust=True)


def test_an_engine_that_is_not_the_one_of_its_card_is_refused(engine):
    engine.write_bytes(engine.read_bytes() + b" ")
    with pytest.raises(HashError):
        open_net(engine)


def test_a_card_that_does_not_say_where_it_was_built_is_a_card_error(engine):
    card = read_card(engine.with_suffix(".json"))
    write_card(engine.with_suffix(".json"), dataclasses.replace(card, export={}))
    with pytest.raises(CardError, match="where the engine was built"):
        open_net(engine)


@pytest.mark.usefixtures("device")
def test_an_engine_of_another_kind_of_net_is_refused(graph):
    card = dataclasses.replace(read_card(graph.with_suffix(".json")), task="detect", features=None)
    engine = engine_of(graph, card)
    with pytest.raises(ModelError, match="expected the outputs boxes"):
        open_net(engine)


def test_without_a_gpu_it_says_so(engine):
    with stand_in(gpu=""), pytest.raises(ModelError, match=r"cudaGetDevice.*NoDevice"):
        open_net(engine)


def test_a_runtime_that_cannot_be_started_is_a_model_error(device, engine, monkeypatch):
    def nothing(*_):
        raise TypeError("pybind11::init(): factory function returned nullptr")

    nothing.__name__ = "Runtime"
    monkeypatch.setattr(device[0], "Runtime", nothing)
    with pytest.raises(ModelError, match="TensorRT's Runtime cannot be started") as caught:
        open_net(engine)
    assert "memory" in caught.value.hint


@pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="TensorRT is here")
def test_without_tensorrt_it_says_how_to_install_it(graph):
    with stand_in():
        engine = engine_of(graph, read_card(graph.with_suffix(".json")))
    with pytest.raises(MissingExtraError) as caught:
        open_net(engine)
    assert "python3-libnvinfer" in caught.value.hint


def test_it_needs_neither_torch_nor_the_runtime_of_the_graph(engine):
    program = f"""
import sys
import numpy as np
from pathlib import Path
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "ultralytics", "pandas", "scipy"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from yolo_leuk.backends.net import open_net
net = open_net(Path({str(engine)!r}))
print(sorted(net.run(np.zeros((1, 32, 32, 3), np.uint8))))
ours = [m for m in sys.modules if m.startswith("yolo_leuk")]
print(any("onnx" in Path(sys.modules[m].__file__).name for m in ours))
"""
    version = sys.modules["tensorrt"].__version__
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=in_a_process(version),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.splitlines() == ["['features', 'logits']", "False"], ended.stderr


# --- is the stand-in the real thing? -----------------------------------------------------------


def api(version):
    return json.loads((FOLDER.parent / "golden" / "tensorrt_api.json").read_text())[version]


@pytest.mark.parametrize("version", [TENSORRT_10, TENSORRT_11])
def test_the_stand_in_has_no_name_and_no_parameter_that_tensorrt_has_not(version):
    known = api(version)["tensorrt"]
    with stand_in(version) as (trt, _):
        for class_name, members in known.items():
            for name, member in vars(getattr(trt, class_name)).items():
                if name.startswith("_") or (class_name == "DataType" and name in {"name"}):
                    continue
                assert name in members, f"{class_name}.{name} is not in TensorRT {version}"
                if members[name] and callable(member) and hasattr(member, "__code__"):
                    code = member.__code__
                    mine = list(code.co_varnames[1 : code.co_argcount])
                    assert any(mine == theirs[: len(mine)] for theirs in members[name])


@pytest.mark.parametrize("version", [TENSORRT_10, TENSORRT_11])
def test_the_stand_in_has_no_function_and_no_parameter_that_cuda_has_not(version):
    known = api(version)["cuda"]
    with stand_in(version) as (_, cuda):
        for name, [theirs] in known.items():
            code = getattr(cuda, name).__code__
            assert list(code.co_varnames[: code.co_argcount]) == theirs
