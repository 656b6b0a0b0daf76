"""docs/jetson.md says what is so, and its first example works as it is printed."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

from tests.fresh_process import ROOT, python
from yolo_leuk.export import jetson
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.profile import profile_of
from yolo_leuk.model_card import read_card
from yolo_leuk.shipped import samples_folder, weights_folder

DOC = (ROOT / "docs" / "jetson.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^yolo-leuk [^\n]*", DOC, flags=re.MULTILINE)


@pytest.mark.slow
def test_the_folder_is_written_and_run_as_the_examples_say(tmp_path):
    shutil.copytree(weights_folder(), tmp_path / "weights")
    shutil.copy(samples_folder() / "smear.jpg", tmp_path)
    for line in (EXAMPLES[0], EXAMPLES[-1]):
        ended = python("-m", "yolo_leuk", *shlex.split(line)[1:], folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
    written = {path.name for path in (tmp_path / "jetson").iterdir()}
    table = DOC.partition("| file |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([\w.-]+)`", table)) - {"l4t-jetpack"}
    assert named <= written
    assert {path.name for path in jetson._TEXTS.iterdir()} <= named


def test_the_sizes_are_those_that_engines_are_built_for():
    defaults = ExportConfig(model=weights_folder() / "default.json")
    assert f"`--set max_batch=…` ({defaults.max_batch})" in DOC
    assert f"`--set workspace_mib=…` ({defaults.workspace_mib})" in DOC
    card = read_card(weights_folder() / "v11n-detect.json")
    profile = profile_of(card, defaults.max_batch)
    row = " | ".join(
        " × ".join(map(str, shape[:3]))
        for shape in (profile.lowest, profile.usual, profile.highest)
    )
    assert f"| detector | {row} |" in DOC
