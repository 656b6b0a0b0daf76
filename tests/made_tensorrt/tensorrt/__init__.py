"""A stand-in for TensorRT's Python module, for machines that have none.

It has the names and parameters of the real one (tests/golden/tensorrt_api.json) that this package
uses, in the version that ``MADE_TENSORRT`` in the environment names (10.3.0 or 11.4.0), writes down
what is asked of it in ``RECORD``, and refuses what the real one is known to refuse. Its "engines"
hold the ONNX graph, which onnxruntime runs, on the memory of the stand-in for CUDA beside it.
"""

from __future__ import annotations

import ctypes
import enum
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from cuda.bindings import runtime as cuda
from google.protobuf.message import DecodeError
from onnx import TensorProto

__version__ = os.environ.get("MADE_TENSORRT", "10.3.0")

RECORD: list[tuple[Any, ...]] = []

_GOLDEN = Path(__file__).parents[2] / "golden" / "tensorrt_api.json"
_API = json.loads(_GOLDEN.read_text())[__version__]["tensorrt"]


def _enumeration(name: str) -> Any:
    """The members that this version has."""
    members = [member for member in _API[name] if member not in {"name", "value"}]
    return enum.IntEnum(name, {member: value for value, member in enumerate(members)})


BuilderFlag = _enumeration("BuilderFlag")
DataType = _enumeration("DataType")
MemoryPoolType = _enumeration("MemoryPoolType")
NetworkDefinitionCreationFlag = _enumeration("NetworkDefinitionCreationFlag")
TensorIOMode = _enumeration("TensorIOMode")

_TYPES = {
    TensorProto.UINT8: DataType.UINT8,
    TensorProto.FLOAT: DataType.FLOAT,
    TensorProto.FLOAT16: DataType.HALF,
    TensorProto.INT64: DataType.INT64,
}


class Dims(tuple):
    """A shape; -1 where it is free."""


class ILogger:
    class Severity(enum.Enum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    INTERNAL_ERROR = Severity.INTERNAL_ERROR
    ERROR = Severity.ERROR
    WARNING = Severity.WARNING
    INFO = Severity.INFO
    VERBOSE = Severity.VERBOSE

    def log(self, severity, msg):
        raise NotImplementedError


class Logger(ILogger):
    def __init__(self, min_severity=ILogger.Severity.WARNING):
        self.min_severity = min_severity

    def log(self, severity, msg):
        pass


class IHostMemory(bytes):
    @property
    def nbytes(self):
        return len(self)


class ITensor:
    def __init__(self, value):
        dims = value.type.tensor_type.shape.dim
        self.name = value.name
        self.shape = Dims(d.dim_value if d.HasField("dim_value") else -1 for d in dims)
        self.dtype = _TYPES[value.type.tensor_type.elem_type]


class INetworkDefinition:
    def __init__(self, flags):
        self.flags = flags
        self._graph = b""
        self._inputs = []

    @property
    def num_inputs(self):
        return len(self._inputs)

    def get_input(self, index):
        return self._inputs[index]


class IOptimizationProfile:
    def __init__(self):
        self._shapes = {}

    def set_shape(self, input, min, opt, max):
        RECORD.append(("set_shape", input, tuple(min), tuple(opt), tuple(max)))
        self._shapes[input] = [tuple(min), tuple(opt), tuple(max)]


class ITimingCache:
    def __init__(self, content):
        self._content = content

    def serialize(self):
        return IHostMemory(self._content)


class IBuilderConfig:
    def __init__(self):
        self._profiles = []
        self._cache = None

    def set_flag(self, flag):
        RECORD.append(("set_flag", flag.name))

    def clear_flag(self, flag):
        RECORD.append(("clear_flag", flag.name))

    def set_memory_pool_limit(self, pool, pool_size):
        RECORD.append(("set_memory_pool_limit", pool.name, pool_size))

    def add_optimization_profile(self, profile):
        if any(not lo <= opt <= hi for lo, opt, hi in _sides(profile)):
            return -1
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache):
        return ITimingCache(bytes(serialized_timing_cache) or _cache_header())

    def set_timing_cache(self, cache, ignore_mismatch):
        fits = ignore_mismatch or cache._content.startswith(_cache_header())
        RECORD.append(("set_timing_cache", len(cache._content), fits))
        self._cache = cache if fits else self._cache
        return fits

    def get_timing_cache(self):
        return self._cache


def _sides(profile):
    for low, usual, high in profile._shapes.values():
        yield from zip(low, usual, high, strict=True)


def _here() -> dict[str, str]:
    """What an engine is bound to."""
    gpu = cuda.cudaDeviceProp()
    return {"version": __version__, "gpu": gpu.name.decode(), "cc": f"{gpu.major}.{gpu.minor}"}


def _cache_header() -> bytes:
    return json.dumps(_here()).encode()


class Builder:
    def __init__(self, logger):
        self.logger = logger

    def create_network(self, flags=0):
        RECORD.append(("create_network", flags))
        return INetworkDefinition(flags)

    def create_builder_config(self):
        return IBuilderConfig()

    def create_optimization_profile(self):
        return IOptimizationProfile()

    def build_serialized_network(self, network, config):
        free = [tensor.name for tensor in network._inputs if -1 in tensor.shape]
        profiles = config._profiles
        if any(name not in profile._shapes for name in free for profile in profiles[:1] or [None]):
            self.logger.log(ILogger.ERROR, f"{free}: dynamic input without a profile")
            return None
        shapes = profiles[0]._shapes if profiles else {}
        if config._cache is not None:
            config._cache._content += b" a timing"
        head = json.dumps({**_here(), "shapes": shapes}).encode()
        return IHostMemory(head + b"\n" + network._graph)


class ParserError:
    def __init__(self, node_name, node_operator, desc):
        self._node_name, self._node_operator, self._desc = node_name, node_operator, desc

    def node_name(self):
        return self._node_name

    def node_operator(self):
        return self._node_operator

    def desc(self):
        return self._desc


class OnnxParser:
    def __init__(self, network, logger):
        self._network = network
        self._errors = []

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]

    def parse(self, model, path=None):
        """Refuses what is no ONNX, operators it does not know, and UINT8 beyond a Cast."""
        try:
            graph = onnx.load_from_string(bytes(model)).graph
        except DecodeError:
            self._errors.append(ParserError("", "", "Failed to parse the ONNX model"))
            return False
        inputs = {v.name for v in graph.input if _elem_type(v) == TensorProto.UINT8}
        for node in graph.node:
            if node.op_type in {"Unique", "StringNormalizer"}:
                reason = "Plugin not found, are the plugin name and version correct?"
                self._errors.append(ParserError(node.name, node.op_type, reason))
            elif node.op_type != "Cast" and inputs & set(node.input):
                reason = "UINT8 is only supported as network input or output"
                self._errors.append(ParserError(node.name, node.op_type, reason))
        self._network._graph = bytes(model)
        self._network._inputs = [ITensor(value) for value in graph.input]
        return not self._errors


def _elem_type(value):
    return value.type.tensor_type.elem_type


class Runtime:
    def __init__(self, logger):
        self.logger = logger

    def deserialize_cuda_engine(self, serialized_engine):
        head, _, graph = bytes(serialized_engine).partition(b"\n")
        try:
            built = json.loads(head)
        except ValueError:
            return None
        if {key: built.get(key) for key in _here()} != _here():
            return None
        return ICudaEngine(graph, built["shapes"])


class ICudaEngine:
    def __init__(self, graph, shapes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(graph, options)
        self._shapes = shapes
        graph = onnx.load_from_string(graph).graph
        self._values = {value.name: value for value in (*graph.input, *graph.output)}
        self._input_names = {value.name for value in graph.input}

    @property
    def num_io_tensors(self):
        return len(self._values)

    def get_tensor_name(self, index):
        return list(self._values)[index]

    def get_tensor_mode(self, name):
        return TensorIOMode.INPUT if name in self._input_names else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name):
        return _TYPES[_elem_type(self._values[name])]

    def get_tensor_profile_shape(self, name, profile_index):
        assert profile_index == 0
        return [Dims(shape) for shape in self._shapes[name]]

    def create_execution_context(self):
        return IExecutionContext(self)


class IExecutionContext:
    def __init__(self, engine):
        self.engine = engine
        self._shapes = {}
        self._addresses = {}

    def set_input_shape(self, name, shape):
        low, _, high = self.engine._shapes[name]
        if not all(lo <= side <= hi for lo, side, hi in zip(low, shape, high, strict=True)):
            return False
        answers = self.engine._session.run(None, {name: np.zeros(shape, np.uint8)})
        names = [output.name for output in self.engine._session.get_outputs()]
        self._shapes = {name: tuple(shape)}
        self._shapes.update((n, a.shape) for n, a in zip(names, answers, strict=True))
        return True

    def get_tensor_shape(self, name):
        return Dims(self._shapes[name])

    def set_tensor_address(self, name, memory):
        self._addresses[name] = memory
        return memory in cuda.PIECES

    def execute_async_v3(self, stream_handle):
        if set(self._addresses) != set(self.engine._values):
            return False
        cuda.STREAMS[stream_handle].append(self._execute)
        return True

    def _execute(self):
        (name,) = self.engine._input_names
        picture = self._at(name, np.uint8)
        for output in self.engine._session.get_outputs():
            (answer,) = self.engine._session.run([output.name], {name: picture})
            self._at(output.name, np.float32)[...] = answer

    def _at(self, name, dtype):
        """The array at a tensor's address; its piece of memory must be large enough."""
        shape = self._shapes[name]
        nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        address = self._addresses[name]
        assert len(cuda.PIECES[address]) >= nbytes
        piece = (ctypes.c_char * nbytes).from_address(address)
        return np.frombuffer(piece, dtype).reshape(shape)
