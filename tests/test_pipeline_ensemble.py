"""A pipeline whose classifier is an ensemble, or that is made of a classifier alone."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.made_evaluation import ANYWHERE
from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file, detector_file
from tests.test_ensemble_graph import ensemble_of, nets, written
from yolo_leuk import artifacts
from yolo_leuk.detect.run import DetectConfig, run
from yolo_leuk.errors import CardError, HashError
from yolo_leuk.images import LoadedImage
from yolo_leuk.net_file import card_of
from yolo_leuk.picture_pipeline import PicturePipeline
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.shipped import samples_folder

BOXES = [(10, 10, 30, 34, 0.75, 0)]
WEIGHTS = [0.75, 0.25]


def made(folder, level: str = "cell"):
    """An ensemble of two nets."""
    paths = nets(folder / "nets", np.random.default_rng(2).normal(0, 0.05, (2, 3, 5)))
    for number, path in enumerate(paths):
        own = np.random.default_rng(number).normal(0, 0.05, (3, 5)).astype(np.float32)
        card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, level=level)
        classifier_file(path, card, own)
    return written(folder / "both", ensemble_of(paths, WEIGHTS, [1.0, 1.0]))


@pytest.fixture
def ensemble(tmp_path):
    return made(tmp_path)


@pytest.fixture
def pipeline_file(tmp_path, ensemble):
    """Writes a pipeline file whose classifier is a file in the folder of the ensemble."""
    detector = detector_file(tmp_path / "cells.onnx", BOXES)

    def write(name: str, **changes):
        file = ensemble.graph.parent / name
        content = {
            "schema": "yolo-leuk/pipeline/1",
            "name": "mine",
            "detector": {"file": "cells.onnx", "sha256": detector.sha256},
            "classifier": {"file": f"both/{name}", "sha256": artifacts.sha256_of_file(file)},
            "cell_diameter_rbc": 1.6,
            **changes,
        }
        artifacts.write_json(tmp_path / "mine.json", content)
        return tmp_path / "mine.json"

    return write


FIELD = LoadedImage(np.full((64, 96, 3), 90, np.uint8), "ab")


@pytest.mark.parametrize("name", ["ensemble.json", "vote.onnx"])
def test_a_pipeline_file_may_name_an_ensemble_or_its_graph(pipeline_file, ensemble, name):
    result = Pipeline.load(pipeline_file(name)).run(FIELD, "a.png", scale="none", view="field")
    (cell,) = result.cells
    assert cell.status == "called"
    assert result.model["pipeline"] == "mine"
    assert result.model["detector"]["name"] == "cells"
    voters = [{"name": m.name, "sha256": m.sha256} for m in ensemble.members]
    assert result.model["members"] == voters
    assert result.model["weights"] == WEIGHTS
    assert not result.warnings


@pytest.mark.parametrize("name", ["ensemble.json", "vote.onnx"])
def test_an_ensemble_that_is_not_the_one_of_the_pipeline_is_refused(pipeline_file, name):
    changed = {"file": f"both/{name}", "sha256": "00" * 32}
    with pytest.raises(HashError, match="the classifier has SHA-256"):
        Pipeline.load(pipeline_file(name, classifier=changed))


@pytest.mark.parametrize("name", ["", "ensemble.json", "vote.onnx"])
def test_a_classifier_alone_gets_the_detector_that_ships_and_every_result_says_so(ensemble, name):
    pipeline = Pipeline.load(ensemble.graph.parent / name)
    result = pipeline.run(FIELD, "a.png", scale="none", view="field")
    assert result.model["detector"]["name"] == pipeline.detector.card.name
    assert any("detector that ships" in warning for warning in result.warnings)
    assert result.model["weights"] == WEIGHTS
    alone = pipeline.run(FIELD, "a.png", scale="none", view="cell")
    assert not any("detector" in warning for warning in alone.warnings)


def test_a_net_alone_is_taken_for_a_classifier_too(ensemble):
    net = ensemble.nets[0]
    model = Pipeline.load(net).run(FIELD, "a.png", scale="none").model
    assert model["members"] == [{"name": net.stem, "sha256": card_of(net).sha256}]
    assert model["weights"] == [1.0]


def test_a_detector_alone_is_refused(tmp_path):
    detector_file(tmp_path / "cells.onnx", BOXES)
    with pytest.raises(CardError, match="cells is no classifier"):
        Pipeline.load(tmp_path / "cells.onnx")


def test_an_ensemble_of_whole_pictures_looks_at_whole_pictures(tmp_path):
    folder = made(tmp_path, "image").graph.parent
    result = PicturePipeline.load(folder).run(FIELD, "a.png")
    assert result.model["pipeline"] == "both"
    assert result.model["weights"] == WEIGHTS
    with pytest.raises(CardError, match="classifies whole pictures") as caught:
        Pipeline.load(folder)
    assert "--as image" in caught.value.hint


def test_detect_takes_an_ensemble_and_its_results_list_the_members(tmp_path, ensemble):
    config = DetectConfig(
        inputs=(samples_folder() / "smear.jpg",),
        model=ensemble.graph.parent,
        out=tmp_path / "out",
        progress=False,
    )
    outcome = run(config)
    text = (tmp_path / "out" / "smear" / "result.json").read_text(encoding="utf-8")
    model = json.loads(text)["model"]
    assert [member["name"] for member in model["members"]] == ["net0", "net1"]
    assert model["weights"] == WEIGHTS
    report = outcome.report.read_text(encoding="utf-8")
    assert "net0, net1" in report
    assert "0.750, 0.250" in report
