"""The formats that ``export`` writes, in one place; each is imported when it is asked for.

A format's module has ``write(parts, folder, config)``. It is called when the ONNX files, with their
cards, lie in ``folder``, and the ``pipeline.json`` of a pipeline; it returns the files that are the
export. ``check(config)``, where there is one, is called before anything else is done.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from yolo_leuk.errors import ConfigError
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Exported

MODULES: Mapping[str, str] = {
    "onnx": "",  # nothing is left to be done
    "engine": "yolo_leuk.export.engine",
    "jetson": "yolo_leuk.export.jetson",
}


def check(config: ExportConfig) -> None:
    """Raise what the format raises where it cannot be written here, or not of this model."""
    if config.format not in MODULES:
        raise ConfigError(f"unknown format {config.format!r}; known are {', '.join(MODULES)}")
    if name := MODULES[config.format]:
        module = importlib.import_module(name)
        if hasattr(module, "check"):
            module.check(config)


def written(parts: Sequence[Exported], folder: Path, config: ExportConfig) -> tuple[Exported, ...]:
    """What the format makes of ONNX files that lie in ``folder``."""
    if not (name := MODULES[config.format]):
        return tuple(parts)
    return tuple(importlib.import_module(name).write(parts, folder, config))
