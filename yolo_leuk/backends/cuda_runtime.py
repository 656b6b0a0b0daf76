"""The GPU of this machine by CUDA's and TensorRT's own Python bindings, without torch."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from yolo_leuk.errors import MissingExtraError, ModelError

INSTALL_TENSORRT = (
    "On a Jetson: sudo apt install python3-libnvinfer (into a virtual environment that sees the "
    "system's packages). Elsewhere: pip install tensorrt"
)
INSTALL_CUDA = "pip install cuda-python, of the version of the machine's CUDA"


@dataclass(frozen=True)
class Device:
    """Where an engine is built and can run.

    Attributes:
        gpu: Name of the GPU, as its driver tells it.
        compute_capability: For instance ``8.7``.
        tensorrt: Version of TensorRT.
        cuda_driver: Newest CUDA version that the driver knows, for instance ``12.6``.
    """

    gpu: str
    compute_capability: str
    tensorrt: str
    cuda_driver: str

    def to_json(self) -> dict[str, str]:
        """The four facts by name."""
        return asdict(self)


def tensorrt() -> Any:
    """TensorRT's Python module. Raises MissingExtraError where it is not installed."""
    if importlib.util.find_spec("tensorrt") is None:
        raise MissingExtraError(
            "TensorRT's Python module is not installed here", hint=INSTALL_TENSORRT
        )
    try:
        return importlib.import_module("tensorrt")
    except (ImportError, OSError) as error:  # a module without its libraries
        raise ModelError(f"TensorRT cannot be loaded: {error}", hint=INSTALL_TENSORRT) from error


def cuda() -> Any:
    """The runtime API of cuda-python. Raises MissingExtraError where it is not installed."""
    for name in ("cuda.bindings.runtime", "cuda.cudart"):  # the second until cuda-python 12.6
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise MissingExtraError("CUDA's Python bindings are not installed here", hint=INSTALL_CUDA)


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of :func:`cuda` and return what it gives beside its error code.

    Raises:
        ModelError: The call failed, or there is no driver.
    """
    name = getattr(function, "__name__", str(function))
    try:
        code, *values = function(*arguments)
    except RuntimeError as error:  # older bindings say so where the driver is missing
        raise ModelError(f"{name} failed: {error}", hint="Is there an NVIDIA driver?") from error
    if int(code) != 0:
        _, text = cuda().cudaGetErrorString(code)
        raise ModelError(f"{name} failed: {text.decode(errors='replace')} (CUDA error {int(code)})")
    return values[0] if len(values) == 1 else tuple(values)


def started(factory: Callable[..., Any], logger: Any) -> Any:
    """TensorRT's ``Builder`` or ``Runtime``.

    Raises:
        ModelError: CUDA does not let it start; most often the GPU's memory is full.
    """
    try:
        return factory(logger)
    except (RuntimeError, TypeError) as error:  # "factory function returned nullptr"
        raise ModelError(
            f"TensorRT's {factory.__name__} cannot be started: {error}",
            hint="Is the GPU's memory full? nvidia-smi, or tegrastats on a Jetson, tells.",
        ) from error


def this_device() -> Device:
    """The current GPU and the versions around it.

    Raises:
        MissingExtraError: TensorRT or CUDA's bindings are not installed.
        ModelError: There is no GPU, or no driver.
    """
    trt, runtime = tensorrt(), cuda()
    properties = call(runtime.cudaGetDeviceProperties, call(runtime.cudaGetDevice))
    driver = call(runtime.cudaDriverGetVersion)
    return Device(
        gpu=properties.name.decode(errors="replace").strip("\0 "),
        compute_capability=f"{properties.major}.{properties.minor}",
        tensorrt=str(trt.__version__),
        cuda_driver=f"{driver // 1000}.{driver % 1000 // 10}",
    )
