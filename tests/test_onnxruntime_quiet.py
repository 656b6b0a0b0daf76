"""onnxruntime keeps a device id and sends events to its maker, unless it is told not to in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fresh_process import python
from tests.made_onnx import detector_file


@pytest.fixture
def files_in_home(tmp_path):
    """Run a script in a fresh process; hand back the files that it leaves in the user's home."""

    def run(script: str) -> list[Path]:
        ended = python("-c", script, folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return [path for path in (tmp_path / "home").rglob("*") if path.is_file()]

    return run


def test_running_a_net_leaves_nothing_in_the_users_home(files_in_home, tmp_path):
    detector_file(tmp_path / "cells.onnx", [(10, 10, 30, 34, 0.75, 0)])
    script = f"""
import numpy as np
from pathlib import Path
from yolo_leuk.backends.net import open_net
net = open_net(Path({str(tmp_path / "cells.onnx")!r}))
assert net.run(np.zeros((1, 32, 32, 3), np.uint8))["boxes"].shape == (1, 7, 1)
"""
    assert files_in_home(script) == []


def test_looking_for_what_is_installed_leaves_nothing_in_the_users_home(files_in_home):
    script = """
from yolo_leuk.doctor.runtimes import onnxruntime_providers
assert onnxruntime_providers().status == "ok"
"""
    assert files_in_home(script) == []
