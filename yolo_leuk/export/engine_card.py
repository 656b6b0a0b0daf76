"""The card of an engine: what it was made from, and the one kind of machine that it runs on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from yolo_leuk import artifacts
from yolo_leuk.backends import cuda_runtime
from yolo_leuk.errors import ExportError
from yolo_leuk.export.profile import INPUT, Profile
from yolo_leuk.model_card import ModelCard, write_card

SUFFIX = "-trt"
"""What an engine's name has more than that of its graph: their cards lie in one folder."""

# Facts of an export that are still true of an engine made from it. (Its parity is its own.)
_KEPT = ("precision", "opset", "source", "half", "int8", "accuracy")


def engine_path(graph: Path) -> Path:
    """``<stem>-trt.engine`` beside ``<stem>.onnx``."""
    return graph.with_name(f"{graph.stem}{SUFFIX}.engine")


def write_engine_card(engine: Path, graph: Path, source: ModelCard, *, command: str) -> ModelCard:
    """Write ``<stem>-trt.json`` for an engine that was built on this machine; returns it.

    Args:
        engine: The file.
        graph: The ONNX file that it was built from.
        source: The card of that file.
        command: What builds it again, for whoever tries to run it elsewhere.

    Raises:
        ExportError: TensorRT cannot read the engine here.
        ModelError: There is no GPU.
    """
    device = cuda_runtime.this_device()
    made_of = {"file": graph.name, "sha256": source.sha256}
    export = {
        "source": made_of,  # unless the graph was itself made of something
        **{key: source.export[key] for key in _KEPT if key in source.export},
        "format": "engine",
        "engine": {
            **device.to_json(),
            "graph": made_of,
            "profile": _profile_in(engine).to_json(),
            "command": command,
        },
    }
    card = dataclasses.replace(
        source, name=engine.stem, sha256=artifacts.sha256_of_file(engine), export=export
    )
    write_card(engine.with_suffix(".json"), card)
    return card


def _profile_in(engine: Path) -> Profile:
    """The sizes that an engine was really built for."""
    trt = cuda_runtime.tensorrt()
    logger = trt.Logger(trt.Logger.ERROR)
    runtime = cuda_runtime.started(trt.Runtime, logger)
    read = runtime.deserialize_cuda_engine(engine.read_bytes())
    if read is None:
        raise ExportError(f"{engine} cannot be read by TensorRT {trt.__version__}")
    shapes = (tuple(shape) for shape in read.get_tensor_profile_shape(INPUT, 0))
    return Profile(*shapes)
