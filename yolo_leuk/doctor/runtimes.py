"""What can run a net on this machine."""

from __future__ import annotations

import ctypes.util
import importlib.util

from yolo_leuk.doctor.check import Check


def onnxruntime_providers() -> Check:
    """The execution providers that onnxruntime offers."""
    name = "onnxruntime providers"
    try:
        from yolo_leuk.backends.onnx import quiet_onnxruntime

        return Check(name, "ok", ", ".join(quiet_onnxruntime().get_available_providers()))
    # A broken build fails in many ways: ImportError, OSError, or AttributeError where two
    # packages lie on top of each other.
    except Exception as error:  # noqa: BLE001
        return Check(
            name,
            "fail",
            f"onnxruntime cannot be loaded: {error}",
            "pip install --force-reinstall onnxruntime",
        )


def gpu_runtimes() -> Check:
    """Which NVIDIA libraries the loader finds; none are needed."""
    found = [
        label
        for label, library in (
            ("driver", "cuda"),
            ("CUDA runtime", "cudart"),
            ("cuDNN", "cudnn"),
            ("TensorRT", "nvinfer"),
        )
        if ctypes.util.find_library(library)
    ]
    if importlib.util.find_spec("tensorrt") is not None:
        found.append("tensorrt for Python")
    return Check("CUDA and TensorRT", "ok", ", ".join(found) or "none found; the CPU is used")
