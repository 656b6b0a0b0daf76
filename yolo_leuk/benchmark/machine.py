"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from yolo_leuk.backends.net import usable_cores

_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "tensorrt", "torch", "numpy")


def machine() -> dict[str, Any]:
    """Processor, cores, system, and the versions of the runtimes that are installed."""
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {
            name: version for name in _PACKAGES if (version := _version(name)) is not None
        },
    }


def _processor() -> str:
    """Its name; Jetsons and Raspberry Pis tell that of the board."""
    board = Path("/proc/device-tree/model")
    if board.is_file():
        return board.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
