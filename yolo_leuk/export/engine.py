"""ONNX to a TensorRT engine for this machine's GPU, by TensorRT's Python API (10 and 11).

The types in the graph decide: networks are strongly typed, which TensorRT 11 knows alone and 10 on
demand. So FP16 is a converted graph and INT8 one with Q/DQ nodes, and the same file builds with
both versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolo_leuk import artifacts
from yolo_leuk.backends import cuda_runtime
from yolo_leuk.errors import ExportError, MissingExtraError, ModelError
from yolo_leuk.export import operators
from yolo_leuk.export.engine_card import engine_path, write_engine_card
from yolo_leuk.export.engine_pipeline import write_engine_pipeline
from yolo_leuk.export.profile import Profile, profile_of
from yolo_leuk.export.uint8_input import cast_first
from yolo_leuk.model_file import PIPELINE_FILE

if TYPE_CHECKING:
    from yolo_leuk.export.config import ExportConfig
    from yolo_leuk.export.exported import Exported

TIMING_CACHE = "timing.cache"


def check(_: ExportConfig) -> None:
    """Raise ExportError where no engine can be built: TensorRT or a GPU is missing."""
    try:
        cuda_runtime.this_device()
    except (MissingExtraError, ModelError) as error:
        raise ExportError(
            f"an engine is built on the machine that runs it, and this one cannot: {error}",
            hint="Use --format jetson: it makes a folder that builds the engines where you copy "
            f"it. To build them here: {error.hint}",
        ) from error


def write(parts: Sequence[Exported], folder: Path, config: ExportConfig) -> list[Exported]:
    """Build an engine from each ONNX file; returns the engines, with their cards.

    Args:
        parts: The graphs.
        folder: Where they lie, and where the engines, their cards and the timing cache go. A
            ``pipeline.json`` there names the engines afterwards.
        config: ``max_batch`` and ``workspace_mib`` are used, and the names for the command that
            builds the same again.

    Raises:
        ExportError: A graph does not fit TensorRT, or TensorRT cannot build it.
    """
    import onnx

    graphs = [cast_first(onnx.load(str(part.path))) for part in parts]
    for part, graph in zip(parts, graphs, strict=True):
        operators.check(graph, part.path.name)
    command = f"yolo-leuk export {config.model.name} --format engine --precision {config.precision}"
    engines = []
    for part, graph in zip(parts, graphs, strict=True):
        content = built(
            graph.SerializeToString(),
            part.path.name,
            profile_of(part.card, config.max_batch),
            workspace_mib=config.workspace_mib,
            timing_cache=folder / TIMING_CACHE,
        )
        path = engine_path(part.path)
        artifacts.write_bytes(path, content)
        card = write_engine_card(path, part.path, part.card, command=command)
        engines.append(type(part)(part.role, path, card))
    write_engine_pipeline(folder / PIPELINE_FILE, folder / PIPELINE_FILE, engines)
    return engines


def built(
    graph: bytes, name: str, profile: Profile, *, workspace_mib: int, timing_cache: Path
) -> bytes:
    """A serialized engine for this machine's GPU.

    Args:
        graph: An ONNX file's bytes.
        name: Of the file, for messages.
        profile: For which sizes of the input.
        workspace_mib: What a kernel may use beside weights and activations, in MiB.
        timing_cache: Read if it is there, and written: what was timed once is not timed again.

    Raises:
        ExportError: The parser refuses a node, or no engine fits the limits.
        ModelError: TensorRT cannot be started.
    """
    trt = cuda_runtime.tensorrt()
    log = _log(trt)
    builder = cuda_runtime.started(trt.Builder, log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    _parse(trt, network, log, graph, name)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace_mib << 20)
    # On by default, it would round the FP32 graphs' factors to ten bits.
    config.clear_flag(trt.BuilderFlag.TF32)
    _add_profile(builder, network, config, profile, name)
    _take_timings(config, timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ExportError(
            f"TensorRT cannot build an engine from {name}: {_last(log.errors)}",
            hint="More memory may help: --set workspace_mib=… , or a smaller --set max_batch=…",
        )
    artifacts.write_bytes(timing_cache, bytes(config.get_timing_cache().serialize()))
    return bytes(plan)


def _log(trt: Any) -> Any:
    """A logger that keeps TensorRT's errors, for the message of ours."""

    class Log(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # TensorRT's own classes demand this spelling
            self.errors: list[str] = []

        def log(self, severity: Any, msg: str) -> None:
            if severity in {trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR}:
                self.errors.append(msg)

    return Log()


def _last(errors: Sequence[str]) -> str:
    return errors[-1] if errors else "it gives no reason"


def _parse(trt: Any, network: Any, log: Any, graph: bytes, name: str) -> None:
    parser = trt.OnnxParser(network, log)
    if parser.parse(graph):
        return
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    listed = "\n".join(f"  {e.node_operator()} {e.node_name()}: {e.desc()}" for e in errors)
    raise ExportError(
        f"TensorRT {trt.__version__} cannot parse {name}:\n{listed or _last(log.errors)}"
    )


def _add_profile(builder: Any, network: Any, config: Any, profile: Profile, name: str) -> None:
    shapes = builder.create_optimization_profile()
    images = network.get_input(0)
    shapes.set_shape(images.name, profile.lowest, profile.usual, profile.highest)
    if config.add_optimization_profile(shapes) < 0:
        raise ExportError(
            f"{name} takes {tuple(images.shape)}; that does not go with {profile.to_json()}"
        )


def _take_timings(config: Any, path: Path) -> None:
    """Let the builder use the timings of a file, or start anew where they are another machine's."""
    content = path.read_bytes() if path.is_file() else b""
    for known in (content, b""):
        cache = config.create_timing_cache(known)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return
    raise ExportError(f"TensorRT takes no timing cache, not even a new one for {path}")
