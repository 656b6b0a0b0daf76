"""The stand-ins of tests/made_tensorrt, in the place of TensorRT's and CUDA's Python modules."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

FOLDER = Path(__file__).parent / "made_tensorrt"

TENSORRT_10, TENSORRT_11 = "10.3.0", "11.4.0"


@contextlib.contextmanager
def stand_in(version: str = TENSORRT_10, gpu: str = "Orin") -> Iterator[tuple[Any, Any]]:
    """Put the stand-ins where imports find them, fresh; hands out TensorRT's and CUDA's.

    Args:
        version: Of TensorRT.
        gpu: Its name; empty where there is none.
    """
    real = _taken_away()
    with (
        mock.patch.dict(os.environ, environment(version, gpu)),
        mock.patch.object(sys, "path", [str(FOLDER), *sys.path]),
    ):
        try:
            yield (
                importlib.import_module("tensorrt"),
                importlib.import_module("cuda.bindings.runtime"),
            )
        finally:
            _taken_away()
            sys.modules.update(real)


def _taken_away() -> dict[str, Any]:
    names = [name for name in sys.modules if name.partition(".")[0] in {"tensorrt", "cuda"}]
    return {name: sys.modules.pop(name) for name in names}


def environment(version: str = TENSORRT_10, gpu: str = "Orin") -> dict[str, str]:
    """What tells the stand-ins what they are."""
    return {"MADE_TENSORRT": version, "MADE_GPU": gpu, "MADE_COMPUTE_CAPABILITY": "8.7"}


def in_a_process(version: str = TENSORRT_10) -> dict[str, str]:
    """The environment of a process that finds the stand-ins and this checkout."""
    path = os.pathsep.join([str(FOLDER), str(Path(__file__).parents[1])])
    return {**os.environ, **environment(version), "PYTHONPATH": path}
