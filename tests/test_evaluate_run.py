"""Models and a data set in, figures and a report out."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from sklearn import metrics

from tests.made_evaluation import DARKER, ensemble_file, net, table_file
from tests.made_onnx import detector_file
from tests.made_training_data import made_cells, made_fields
from yolo_leuk.dataset import read_dataset
from yolo_leuk.errors import ConfigError, OutputError
from yolo_leuk.evaluate.cautions import CLEAN_ALONE, NO_PATIENTS
from yolo_leuk.evaluate.run import EvaluateConfig, run
from yolo_leuk.evaluate.stress import CONDITIONS, PAINTED_OUT
from yolo_leuk.manifest import FILE_NAME, read_manifest, write_manifest
from yolo_leuk.probabilities import read_probabilities

DRAWS = 30


class Page(HTMLParser):
    """Headings, pictures and what is reached from a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.images: list[str] = []
        self.reached: list[str] = []
        self._in_heading = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self._in_heading = tag == "h2"
        if tag == "img":
            self.images.append(values["src"])
        self.reached += [values[key] for key in ("src", "href") if key in values]
        assert tag != "script"

    def handle_data(self, data):
        if self._in_heading and data.strip():
            self.headings.append(data.strip())


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Drawn cells, two of a picture, of named patients but for one class."""
    folder = made_cells(tmp_path_factory.mktemp("made") / "cells", per_class=(3, 2, 4))
    samples = []
    for sample in read_manifest(folder):
        stem, number = sample.sample_id.rsplit("-", 1)
        picture = f"{stem}-{int(number) // 2}"
        subject = "" if sample.label == "Other" else picture
        samples.append(
            dataclasses.replace(sample, sha256=f"{picture:0>64}", group=picture, subject=subject)
        )
    write_manifest(folder / FILE_NAME, samples)
    return with_new_hash(folder)


def with_new_hash(folder):
    from yolo_leuk import artifacts

    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    card["manifest_sha256"] = artifacts.sha256_of_file(folder / FILE_NAME)
    artifacts.write_json(folder / "dataset.json", card)
    return folder


@pytest.fixture(scope="module")
def desk(tmp_path_factory, cells):
    """A net that knows the cells, one that knows little, a vote of both, and a table."""
    folder = tmp_path_factory.mktemp("desk")
    good = net(folder, "good")
    poor = net(folder, "poor", weights=DARKER[:, ::-1].copy())
    ensemble_file(folder / "vote", read_dataset(cells), [good, poor])
    table_file(folder / "table.csv", read_dataset(cells), ("test",))
    return folder


@pytest.fixture(scope="module")
def stressed(tmp_path_factory, cells, desk):
    """All of them beside each other, under stress too."""
    out = tmp_path_factory.mktemp("out") / "stressed"
    models = tuple(desk / name for name in ("good.onnx", "poor.onnx", "vote", "table.csv"))
    return run(EvaluateConfig(models, cells, stress=True, out=out, draws=DRAWS))


@pytest.fixture(scope="module")
def plain(tmp_path_factory, cells, desk):
    """One of them, as it is."""
    return run(plain_config(desk, cells, tmp_path_factory.mktemp("out") / "plain"))


def plain_config(desk, cells, out):
    return EvaluateConfig((desk / "good.onnx",), cells, out=out, draws=DRAWS)


def metrics_of(outcome):
    return json.loads((outcome.report.parent / "metrics.json").read_text(encoding="utf-8"))


def by_name(found):
    return {model["name"]: model for model in found["models"]}


# --- classifiers ---------------------------------------------------------------------------------


def test_the_keys_of_the_metrics_stay(stressed):
    found = metrics_of(stressed)
    assert found["schema"] == "yolo-leuk/metrics/1"
    assert set(found) == {
        "schema", "version", "task", "data", "bootstrap", "warnings",
        "models", "differences", "errors", "shortcuts",
    }  # fmt: skip
    assert set(found["data"]) == {
        "name", "level", "split", "manifest_sha256", "classes", "blasts",
        "samples", "samples_by_label", "groups", "subjects",
    }  # fmt: skip
    model = found["models"][0]
    assert set(model) == {"name", "kind", "sha256", "units", "subjects", "stress"}
    assert set(model["units"]) == {"cells", "images"}
    assert set(model["units"]["cells"]) == {
        "figures", "classes", "confusion", "coverage", "reliability",
    }  # fmt: skip
    assert set(model["units"]["cells"]["figures"]["weighted_f1"]) == {
        "value", "low", "high", "samples", "groups",
    }  # fmt: skip


def test_the_split_and_what_is_in_it_are_told(stressed, cells):
    data = metrics_of(stressed)["data"]
    assert (data["name"], data["split"], data["level"]) == ("cells", "test", "cell")
    assert (data["samples"], data["groups"], data["subjects"]) == (20, 10, 8)
    assert data["samples_by_label"]["Pre"] == 4
    assert data["manifest_sha256"] == read_dataset(cells).manifest_sha256


def test_figures_of_a_table_are_those_of_its_probabilities(stressed, desk):
    table = read_probabilities(desk / "table.csv")
    found = by_name(metrics_of(stressed))["table"]["units"]["cells"]
    labels, calls = table.class_ids, table.probabilities.argmax(axis=1)
    expected = metrics.f1_score(labels, calls, average="weighted", zero_division=0)
    assert found["figures"]["weighted_f1"]["value"] == round(expected, 4)
    assert found["confusion"] == metrics.confusion_matrix(labels, calls, labels=range(5)).tolist()
    assert "called" not in found["figures"]


def test_cells_and_pictures_have_figures_of_their_own(stressed):
    units = by_name(metrics_of(stressed))["good"]["units"]
    assert units["cells"]["figures"]["accuracy"]["samples"] == 20
    assert units["images"]["figures"]["accuracy"]["samples"] == 10


def test_what_a_net_leaves_unidentified_is_told(stressed):
    figures = by_name(metrics_of(stressed))["good"]["units"]["cells"]["figures"]
    assert 0 <= figures["called"]["value"] <= 1
    assert {"called", "called_accuracy"} <= set(figures)


def test_differences_are_to_the_first_model(stressed):
    found = metrics_of(stressed)
    assert [(d["model"], d["minus"]) for d in found["differences"]] == [
        ("poor", "good"), ("vote", "good"), ("table", "good"),
    ]  # fmt: skip
    models = by_name(found)
    for difference in found["differences"]:
        own, first = (
            models[name]["units"]["cells"]["figures"]["accuracy"]["value"]
            for name in (difference["model"], "good")
        )
        told = difference["units"]["cells"]["accuracy"]["value"]
        assert told == pytest.approx(own - first, abs=2e-4)
        assert "called" not in difference["units"]["cells"] or difference["model"] != "table"


def test_every_condition_is_measured_for_every_model_that_can_be_asked(stressed):
    found = metrics_of(stressed)
    models = by_name(found)
    for name in ("good", "poor", "vote"):
        assert list(models[name]["stress"]) == [*CONDITIONS, PAINTED_OUT]
    assert models["table"]["stress"] is None
    shortcuts = found["shortcuts"]
    assert shortcuts["learnt_from"] == 5 * (3 + 2)
    assert set(shortcuts["colour_only"]) == {"clean", "swapped"}
    clean = models["good"]["stress"]["clean"]["weighted_f1"]["value"]
    alone = shortcuts["colour_only"]["clean"]["weighted_f1"]["value"]
    above = shortcuts["weighted_f1_above_colour_only"]["good"]["clean"]["value"]
    assert above == pytest.approx(clean - alone, abs=2e-4)


def test_named_patients_are_listed_with_their_share_of_blasts(stressed):
    subjects = by_name(metrics_of(stressed))["good"]["subjects"]
    assert len(subjects["list"]) == 8
    assert {s["samples"] for s in subjects["list"]} == {2}
    assert subjects["auroc"]["samples"] == 8


def test_cautions_stand_in_the_metrics_and_on_the_page(stressed):
    warnings = metrics_of(stressed)["warnings"]
    assert NO_PATIENTS in warnings
    assert "drawn, not photographed" in warnings
    assert "only 10 groups: intervals over fewer than 30 are rough" in warnings
    assert any(re.match(r"table: intervals wider than 0\.1: ", text) for text in warnings)
    assert any(text.startswith("table: probabilities as in the table") for text in warnings)
    assert CLEAN_ALONE not in warnings
    page = stressed.report.read_text(encoding="utf-8")
    assert page.count(NO_PATIENTS) == 1


def test_the_page_holds_all_that_it_shows_and_reaches_for_nothing(stressed):
    text = stressed.report.read_text(encoding="utf-8")
    page = Page(text)
    assert page.headings == [
        "Models", "Per cell", "Errors", "Per image", "Per subject", "Under stress",
        "How this was made",
    ]  # fmt: skip
    pictures = sorted((stressed.report.parent / "pictures").glob("*.png"))
    assert len(page.images) == len(pictures) + 1
    assert all(link.startswith("data:image/") for link in page.reached)
    assert "it does not diagnose" in text
    assert "This is the test split." in text


def test_pictures_are_pictures(stressed):
    folder = stressed.report.parent
    for picture in [*(folder / "pictures").iterdir(), folder / "all-wrong.jpg"]:
        assert cv2.imread(str(picture)) is not None, picture.name


def test_wrong_samples_are_listed_with_what_each_model_says(stressed):
    with (stressed.report.parent / "wrong-samples.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    counts = metrics_of(stressed)["errors"]["cells"]["samples_by_wrong_models"]
    assert len(rows) == sum(count for number, count in counts.items() if number != "0")
    assert {"sample_id", "path", "label", "good: called", "table: probability"} <= set(rows[0])


def test_the_configuration_is_written_without_folders(stressed):
    text = (stressed.report.parent / "config.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["schema"] == "yolo-leuk/evaluate-config/1"
    assert content["models"] == ["good.onnx", "poor.onnx", "vote", "table.csv"]
    assert "/" not in text.replace("yolo-leuk/evaluate-config/1", "")


def test_the_vote_is_that_of_its_members(cells, desk):
    from yolo_leuk.backends.net import open_net
    from yolo_leuk.ensemble_file import read_ensemble
    from yolo_leuk.evaluate.held_out import read_held_out
    from yolo_leuk.evaluate.showing import Showing, inputs_of
    from yolo_leuk.evaluate.stress import CLEAN
    from yolo_leuk.evaluate.voters import Voter

    ensemble = read_ensemble(desk / "vote")
    nets = [open_net(path) for path in ensemble.nets]
    shown = Showing(read_held_out(cells, "test")).under(CONDITIONS[CLEAN], range(6))
    inputs = inputs_of(shown, nets[0].card)
    mean = np.mean([Voter(one).answer(inputs).probabilities for one in nets], axis=0)
    vote = Voter(open_net(desk / "vote")).answer(inputs)
    assert vote.probabilities == pytest.approx(mean)
    assert vote.is_called.tolist() == (mean.max(axis=1) >= 0.3).tolist()


def test_the_same_run_gives_the_same_bytes(tmp_path, cells, desk, plain):
    files = []
    for outcome in (plain, run(plain_config(desk, cells, tmp_path / "again"))):
        folder = outcome.report.parent
        files.append({p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()})
        files[-1].pop("config.json")
    assert files[0] == files[1]


def test_without_stress_the_page_says_that_colours_are_as_they_are(tmp_path, cells, desk, plain):
    found = metrics_of(plain)
    assert CLEAN_ALONE in found["warnings"]
    assert found["models"][0]["stress"] is None
    assert found["shortcuts"] is None
    assert found["differences"] == []
    table = EvaluateConfig((desk / "table.csv",), cells, out=tmp_path / "table", draws=DRAWS)
    assert CLEAN_ALONE not in metrics_of(run(table))["warnings"]


def test_a_class_of_one_group_is_named(tmp_path, cells, desk):
    config = EvaluateConfig((desk / "good.onnx",), cells, "val", out=tmp_path / "out", draws=DRAWS)
    outcome = run(config)
    assert any("all of Pre is of one group" in text for text in metrics_of(outcome)["warnings"])
    assert "This is not the test split" in outcome.report.read_text(encoding="utf-8")


def test_results_never_overwrite_anything(tmp_path, cells, desk):
    (tmp_path / "something").write_text("")
    with pytest.raises(OutputError, match="already holds something"):
        run(EvaluateConfig((desk / "good.onnx",), cells, out=tmp_path))


@pytest.mark.parametrize("changes", [{"draws": 0}, {"seed": -1}, {"models": ()}])
def test_settings_out_of_range_are_refused(cells, desk, changes):
    with pytest.raises(ConfigError):
        EvaluateConfig(**{"models": (desk / "good.onnx",), "data": cells, **changes})


# --- fields --------------------------------------------------------------------------------------


def test_detectors_and_pipelines_are_measured_on_one_page(tmp_path):
    from yolo_leuk import artifacts
    from yolo_leuk.pipeline import SCHEMA

    fields = made_fields(tmp_path / "made", 2)
    detector = detector_file(tmp_path / "detector.onnx", [(10, 10, 30, 30, 0.9, 0)])
    classifier = net(tmp_path, "cells")
    artifacts.write_json(
        tmp_path / "both.json",
        {
            "schema": SCHEMA,
            "name": "both",
            "detector": {"file": "detector.onnx", "sha256": detector.sha256},
            "classifier": {
                "file": "cells.onnx",
                "sha256": artifacts.sha256_of_file(classifier),
            },
            "cell_diameter_rbc": 1.6,
        },
    )
    outcome = run(
        EvaluateConfig(
            (tmp_path / "detector.onnx", tmp_path / "both.json"),
            fields, stress=True, out=tmp_path / "out", draws=DRAWS,
        )
    )  # fmt: skip
    found = metrics_of(outcome)
    assert (found["task"], found["data"]["level"]) == ("detect", "field")
    one, both = found["models"]
    assert set(one) == {"name", "kind", "sha256", "classes", "mean", "stress"}
    assert set(one["classes"]) == {"white", "red", "platelet"}
    assert set(both) == {"name", "kind", "sha256", "cells", "confusion", "stress"}
    assert set(one["stress"]) == set(both["stress"]) == set(CONDITIONS)
    assert found["differences"] == []
    page = Page(outcome.report.read_text(encoding="utf-8"))
    assert page.headings == [
        "Models", "Detection", "The pipeline as a whole", "How this was made",
    ]  # fmt: skip
    assert list(outcome.table) == ["detector", "both"]
