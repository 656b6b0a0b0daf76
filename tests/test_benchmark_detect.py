"""The benchmark of ``detect`` runs one detector on both sides, and fails where one side fails."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.fresh_process import ROOT
from tests.warm_process import warm_python


@pytest.fixture(scope="module")
def detect():
    """The module, imported as scripts/benchmark imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from benchmarks import detect
    return detect


_SAME = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np
import torch
from benchmarks import detect, random_nets
from yolo_leuk.backends.net import open_net
from yolo_leuk.backends.ultralytics import load_checkpoint
from yolo_leuk.pipeline import Pipeline
checkpoint, pipeline = detect._made(Path("."), None)
Pipeline.load(pipeline)
batch = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
with torch.no_grad():
    theirs = load_checkpoint(checkpoint)(random_nets._as_tensor(batch))[0].numpy()
ours = open_net(pipeline.with_name("detector.onnx")).run(batch)["boxes"]
print(float(np.abs(ours - theirs).max()), float(np.abs(theirs).max()))
detect._bare_parts(pipeline, detect.samples_folder() / detect.SAMPLE, Path("."))()
print(Path("annotated.jpg").stat().st_size > 1000)
"""


@pytest.mark.slow
def test_both_sides_have_the_same_detector_and_the_parts_of_an_image_can_be_run_alone(tmp_path):
    ended = warm_python("-c", _SAME, ROOT / "scripts", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    first, second = ended.stdout.splitlines()
    apart, largest = map(float, first.split())
    assert apart < 1e-4 * largest
    assert second == "True"


def test_a_command_that_fails_ends_the_benchmark_with_what_it_said(detect):
    failing = [sys.executable, "-c", "import sys; sys.exit('no such net')"]
    with pytest.raises(SystemExit, match="no such net"):
        detect._of_process(failing)


def test_a_process_that_works_has_its_own_time(detect):
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    spent = detect._of_process([sys.executable, "-c", busy])
    assert spent.cpu_s > 0.25  # the system counts in hundredths
    assert spent.wall_s > 0


def test_the_median_is_of_each_figure_alone(detect):
    spent = [detect.Spent(1, 30), detect.Spent(2, 10), detect.Spent(9, 20)]
    assert detect._median(spent) == detect.Spent(2, 20)


def test_a_recorded_net_answers_as_the_net_itself_and_keeps_what_it_was_shown(detect):
    class Net:
        card = "a card"

        def run(self, batch):
            return {"boxes": batch + 1}

    net = detect._Recorded(Net())
    assert net.run(np.ones(2))["boxes"].tolist() == [2, 2]
    assert [batch.tolist() for batch in net.batches] == [[1, 1]]
    assert net.card == "a card"
