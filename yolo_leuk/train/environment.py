"""What a training runs on: versions and machine."""

from __future__ import annotations

import importlib
import platform
from typing import Any

from yolo_leuk import __version__
from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.net import usable_cores
from yolo_leuk.train.device import device_name

_PACKAGES = ("torch", "ultralytics", "numpy", "cv2", "onnx", "onnxruntime")


def environment(device: str) -> dict[str, Any]:
    """Everything but the configuration and the data that a figure may depend on."""
    ultralytics.quiet()
    import torch

    return {
        "version": __version__,
        "python": platform.python_version(),
        **{name: importlib.import_module(name).__version__ for name in _PACKAGES},
        "platform": platform.platform(),
        "cores": usable_cores(),
        "cuda": torch.version.cuda,
        "device": device_name(device),
    }
