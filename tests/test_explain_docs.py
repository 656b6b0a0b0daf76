"""The examples of docs/explain.md work as they are printed, and its tables say what is so."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.fresh_process import ROOT, python
from tests.made_explain import cell_picture, ensemble, middle, upper_left
from yolo_leuk.explain.activations import MOST_CHANNELS
from yolo_leuk.explain.cam import PLACES
from yolo_leuk.explain.config import ExplainConfig, OcclusionConfig
from yolo_leuk.explain.pictures import COLOURS
from yolo_leuk.shipped import samples_folder, weights_folder

DOC = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^yolo-leuk explain [^\n]*", DOC, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the models and the pictures that the examples name, but for checkpoints."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(weights_folder(), folder / "weights")
    shutil.copyfile(samples_folder() / "smear.jpg", folder / "smear.jpg")
    cell_picture(folder / "cells" / "cell.png")
    middle(folder / "runs" / "train" / "v11n" / "weights" / "best.onnx")
    nets = [middle(folder / "members" / "v8n.onnx"), upper_left(folder / "members" / "v11n.onnx")]
    ensemble(folder / "runs" / "ensemble" / "both", nets, [0.5, 0.5])
    return folder


def test_the_page_shows_the_ways_to_call_it():
    assert len(EXAMPLES) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in EXAMPLES if "--layers" not in line])
def test_an_example_works_as_printed(desk, line):
    quick = ("--set", "most_cells=2", "--set", "occlusion.patches=[0.5]")
    ended = python(*("-m", "yolo_leuk", *shlex.split(line)[1:], *quick), folder=desk)
    assert ended.returncode == 0, ended.stderr
    if "--json" not in line:
        assert (desk / ended.stdout.strip()).is_file()


def test_the_numbers_of_the_page_are_those_of_the_program():
    config = ExplainConfig(Path("net.onnx"), (Path("smear.jpg"),))
    patches = OcclusionConfig().patches
    assert f"`--set most_cells=…` ({config.most_cells};" in DOC
    assert f"`--set occlusion.batch=…` ({config.occlusion.batch})" in DOC
    assert f"more than {MOST_CHANNELS} channels" in DOC
    assert f"{sum(round(2 / patch) ** 2 for patch in patches)} answers of the net" in DOC
    assert patches == (1 / 3, 1 / 6)  # a third and a sixth of the side
    assert PLACES == (6, 12)  # six and twelve places a side
    assert COLOURS in DOC


def test_the_figures_of_the_page_are_those_that_were_measured_on_the_net_that_it_names():
    figures = json.loads((ROOT / "docs" / "explanations.json").read_text(encoding="utf-8"))
    assert f"of SHA-256 {figures['net']['sha256'][:8]}…" in DOC
    for source, shares in figures["on_cells"].items():
        (row,) = [line for line in DOC.splitlines() if line.startswith(f"| {source}, ")]
        assert [int(number) for number in re.findall(r"\d+(?= %|–|\))", row)] == [
            round(100 * shares["area"]["value"]),
            *(
                round(100 * shares[method][key])
                for method in ("occlusion", "cam")
                for key in ("value", "low", "high")
            ),
        ]
    table = DOC[DOC.index("| heat | lost | agreement |") :]
    for way in re.findall(r"^\| ([^|]+) \| [\d−-]", table, flags=re.MULTILINE):
        (row,) = [line for line in table.splitlines() if line.startswith(f"| {way} |")]
        found = [float(number) for number in re.findall(r"-?\d+\.\d+", row)]
        assert found == [
            round(figures["ways"][way][figure][key], 2)
            for figure in ("lost_nats", "agreement_with_occlusion")
            for key in ("value", "low", "high")
        ]
