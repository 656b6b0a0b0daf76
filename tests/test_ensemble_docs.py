"""The examples of docs/ensemble.md work as they are printed."""

from __future__ import annotations

import re
import shlex
import sys

import numpy as np
import pytest

from tests.fresh_process import ROOT
from tests.made_members import card_of, run_folder
from tests.made_onnx import classifier_file
from tests.made_training_data import made_cells
from yolo_leuk.cli.main import main
from yolo_leuk.config import resolve
from yolo_leuk.dataset import read_dataset
from yolo_leuk.ensemble.fitness import fitness_of
from yolo_leuk.ensemble.run import EnsembleConfig
from yolo_leuk.ensemble.validation import validation_table

DOC = (ROOT / "docs" / "ensemble.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^yolo-leuk ensemble [^\n]*", DOC, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the data set, the runs and the net that the examples name."""
    folder = tmp_path_factory.mktemp("desk")
    data = read_dataset(made_cells(folder / "datasets" / "cells", (2, 6, 1)))
    training = {"manifest_sha256": data.manifest_sha256, "config": {"fold": 0}}
    for seed, name in enumerate(("v8n", "v11n", "v12n")):
        weights = np.random.default_rng(seed).normal(0, 0.02, (3, 5)).astype(np.float32)
        card = card_of("best", training=training)
        about = {"card": card, "weights": weights, "manifest_sha256": data.manifest_sha256}
        net = run_folder(folder / "net", None, **about) / "weights" / "best.onnx"
        run_folder(folder / "runs" / "train" / name, validation_table(net, data), **about)
        net.parents[1].rename(folder / f"net{seed}")
    (folder / "weights").mkdir()
    weights = np.random.default_rng(9).normal(0, 0.02, (3, 5)).astype(np.float32)
    classifier_file(folder / "weights" / "mine.onnx", card_of("mine", training=training), weights)
    return folder


def test_the_page_shows_the_ways_to_call_it():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_works_as_printed(desk, line, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert not ended.value.code, printed.err
    assert (desk / printed.out.strip()).is_file()


def test_the_blend_of_the_page_is_understood():
    (setting,) = re.findall(r'--set "(fitness=[^`]*)"', DOC)
    config = resolve(EnsembleConfig, assignments=[setting], flags={"members": ["a", "b"]})
    assert fitness_of(config.fitness, ("a", "b")).title == "0.70 weighted F1 + 0.30 AUROC"
