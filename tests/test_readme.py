"""The examples of the README work as they are printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DETECT_EXAMPLES = re.findall(r"^yolo-leuk detect [^#\n]*", README, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the pictures that the examples name."""
    folder = tmp_path_factory.mktemp("desk")
    smear = (ROOT / "datasets" / "samples" / "smear.jpg").read_bytes()
    (folder / "smear.jpg").write_bytes(smear)
    (folder / "slides").mkdir()
    for name in ("first.jpg", "second.jpg"):
        (folder / "slides" / name).write_bytes(smear)
    cell = np.zeros((300, 300, 3), np.uint8)
    cv2.circle(cell, (150, 150), 90, (140, 60, 110), -1)
    cv2.imwrite(str(folder / "cell.bmp"), cell)
    classifier_file(folder / "whole.onnx", replace(CLASSIFIER_CARD, level="image"))
    return folder


def test_the_readme_shows_how_to_detect():
    assert len(DETECT_EXAMPLES) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("line", DETECT_EXAMPLES)
def test_a_detect_example_works_as_printed(desk, line):
    arguments = shlex.split(line)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "yolo_leuk", *arguments],
        cwd=desk, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (desk / done.stdout.strip()).is_file()


def test_every_file_that_the_readme_links_to_is_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_folder_at_the_top_has_something_in_it():
    for name in ("configs", "datasets", "docs", "scripts", "tests", "weights", "yolo_leuk"):
        assert any((ROOT / name).iterdir()), name
