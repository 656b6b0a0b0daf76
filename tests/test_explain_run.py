"""From pictures to heat maps, tables and a page, over nets that are known to look at one place."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_explain import (
    CARD,
    GLASS,
    SIDE,
    cell_picture,
    dark_picture,
    ensemble,
    field_picture,
    middle,
    pipeline,
    upper_left,
)
from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import classifier_file, detector_file
from yolo_leuk.cell_mask import cell_mask
from yolo_leuk.errors import ConfigError, ModelError, OutputError, UsageError
from yolo_leuk.explain.config import ExplainConfig, OcclusionConfig
from yolo_leuk.explain.run import run

# Of the made detector: a red cell is 10 px wide, and so a window 30.
BOXES = [(31, 31, 49, 49, 0.9, 0), (71, 51, 89, 69, 0.8, 0)]
CENTRES = [(40, 40), (80, 60)]
QUICK = OcclusionConfig(patches=(1 / 4,))


def explained(model: Path, *inputs: Path, **settings):
    settings = {"occlusion": QUICK, "progress": False, **settings}
    return run(ExplainConfig(model, inputs, **settings))


def on_field(tmp_path: Path, net: Path, **settings):
    """A field of two cells, explained with a detector that finds them."""
    whole = pipeline(tmp_path / "pipeline", net, BOXES)
    picture = field_picture(tmp_path / "field.png", CENTRES)
    return explained(whole, picture, scale=10.0, out=tmp_path / "out", **settings)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def read(folder: Path, image: str) -> dict:
    return json.loads((folder / image / "explanation.json").read_text(encoding="utf-8"))


# --- where the heat is ---------------------------------------------------------------------------


def test_of_a_net_that_looks_at_the_middle_the_heat_lies_on_the_cells(tmp_path):
    outcome = on_field(tmp_path, middle(tmp_path / "net.onnx"))
    (summary,) = outcome.explanations[0].summaries
    assert summary.on_cells > 0.7
    assert 0.2 < summary.cell_area < 0.6
    for window in outcome.explanations[0].windows:
        assert window.voices[0].on_cells > 1.5 * window.cell_area


def test_of_a_net_that_looks_beside_the_cells_the_heat_lies_there(tmp_path):
    net = upper_left(tmp_path / "net.onnx")
    picture = dark_picture(tmp_path / "dark.png")
    explained(net, picture, view="cell", scale=32.0, out=tmp_path / "out", explained="Early")
    stored = np.load(tmp_path / "out" / "dark" / "heat.npz")
    (heat,) = stored["heat"][0]
    assert stored["heat"].shape == (1, 1, SIDE, SIDE)
    half = SIDE // 2
    assert heat[:half, :half].sum() > 0.75 * heat.sum()


def test_the_share_is_that_of_the_stored_heat_on_the_stored_cells(tmp_path):
    outcome = on_field(tmp_path, middle(tmp_path / "net.onnx"))
    stored = np.load(tmp_path / "out" / "field" / "heat.npz")
    for number, window in enumerate(outcome.explanations[0].windows):
        heat, cells = stored["heat"][number, 0], stored["cells"][number]
        assert window.voices[0].on_cells == pytest.approx(heat[cells].sum() / heat.sum(), abs=1e-5)
        assert window.cell_area == pytest.approx(cells.mean())
        assert window.voices[0].greatest == pytest.approx(heat.max())
    assert stored["ids"].tolist() == [1, 2]
    assert stored["members"].tolist() == ["net"]


def test_windows_are_three_red_cells_wide_around_their_cells(tmp_path):
    outcome = on_field(tmp_path, middle(tmp_path / "net.onnx"))
    found = [window.window_xyxy for window in outcome.explanations[0].windows]
    assert found == [(25, 25, 55, 55), (65, 45, 95, 75)]


def test_another_class_can_be_explained_than_the_called_one(tmp_path):
    net = middle(tmp_path / "net.onnx")
    picture = cell_picture(tmp_path / "cell.png")
    called = explained(net, picture, view="cell", scale=32.0, out=tmp_path / "a")
    other = explained(net, picture, view="cell", scale=32.0, out=tmp_path / "b", explained="Pro")
    one, two = (outcome.explanations[0].windows[0] for outcome in (called, other))
    assert (one.explained, two.explained) == ("Early", "Pro")
    assert one.voices[0].probability > 0.9
    assert two.voices[0].probability < 0.1
    assert one.voices[0].greatest > 0
    assert two.voices[0].on_cells is None  # the net holds nothing for it anywhere


# --- what is written -----------------------------------------------------------------------------


def test_a_field_has_its_files_and_a_row_for_the_net(tmp_path):
    outcome = on_field(tmp_path, middle(tmp_path / "net.onnx"))
    assert outcome.report == tmp_path / "out" / "report.html"
    assert files(tmp_path / "out") == {
        "config.json", "report.html", "summary.csv", "field/heat.png", "field/cells.png",
        "field/heat.npz", "field/explanation.json",
    }  # fmt: skip
    text = (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["image"], row["view"], row["method"]) == ("field.png", "field", "occlusion")
    assert (row["member"], row["cells"], row["class"]) == ("net", "2", "Early 2")
    content = read(tmp_path / "out", "field")
    assert float(row["heat_on_cells"]) == content["members"][0]["heat_on_cells"]
    assert float(row["area_of_cells"]) == content["members"][0]["area_of_cells"]


def test_the_json_says_what_was_explained_of_what_and_how(tmp_path):
    on_field(tmp_path, middle(tmp_path / "net.onnx"))
    content = read(tmp_path / "out", "field")
    assert content["schema"] == "yolo-leuk/explanation/1"
    assert content["image"]["path"] == "field.png"
    assert (content["view"], content["px_per_rbc"]) == ("field", 10.0)
    assert (content["method"], content["settings"]) == ("occlusion", {"patches": [0.25]})
    assert content["model"]["kind"] == "pipeline"
    assert [member["name"] for member in content["model"]["members"]] == ["net"]
    assert [window["id"] for window in content["windows"]] == [1, 2]
    assert set(content["windows"][0]) == {
        "id", "box_xyxy", "window_xyxy", "label", "explained", "area_of_cells", "members",
    }  # fmt: skip


def test_members_and_their_vote_are_side_by_side(tmp_path):
    nets = [middle(tmp_path / "nets" / "one.onnx"), upper_left(tmp_path / "nets" / "two.onnx")]
    both = ensemble(tmp_path / "both", nets, [0.5, 0.5])
    picture = dark_picture(tmp_path / "dark.png")
    outcome = explained(
        both, picture, view="cell", scale=32.0, out=tmp_path / "out", explained="Early"
    )
    assert [voice.name for voice in outcome.explanations[0].voices] == ["one", "two", "vote"]
    (heat,) = np.load(tmp_path / "out" / "dark" / "heat.npz")["heat"]
    places = [np.unravel_index(one.argmax(), one.shape) for one in heat]
    assert all(SIDE // 4 < at < 3 * SIDE // 4 for at in places[0])
    assert all(at < SIDE // 2 for at in places[1])
    assert not np.array_equal(heat[2], heat[0])
    text = (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["member"], row["weight"]) for row in rows] == [
        ("one", "0.5"), ("two", "0.5"), ("vote", "1.0"),
    ]  # fmt: skip


def test_a_whole_picture_is_explained_for_a_net_of_whole_pictures(tmp_path):
    card = dataclasses.replace(CARD, level="image")
    net = upper_left(tmp_path / "net.onnx", card=card)
    picture = field_picture(tmp_path / "field.png", CENTRES)
    outcome = explained(net, picture, out=tmp_path / "out")
    (window,) = outcome.explanations[0].windows
    assert (outcome.explanations[0].view, window.window_xyxy) == ("image", (0, -10, 120, 110))
    assert "field/cells.png" not in files(tmp_path / "out")


def test_a_cell_on_black_is_recognised_and_shown_on_glass(tmp_path):
    rgb = np.zeros((96, 96, 3), np.uint8)
    cv2.circle(rgb, (48, 48), 20, (140, 50, 90), cv2.FILLED)
    cv2.imwrite(str(tmp_path / "black.png"), rgb)
    outcome = explained(middle(tmp_path / "net.onnx"), tmp_path / "black.png", out=tmp_path / "o")
    explanation = outcome.explanations[0]
    assert explanation.view == "cell"
    assert any("taken for a single cell on black" in warning for warning in explanation.warnings)
    assert explanation.summaries[0].on_cells > 0.5


def test_the_page_needs_nothing_but_itself_and_tells_no_folder(tmp_path):
    outcome = on_field(tmp_path, middle(tmp_path / "net.onnx"))
    page = outcome.report.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:|#|field/)[^"]*"', page) == []
    assert page.count("data:image/jpeg;base64,") == 2
    assert "does not diagnose" in page
    for path in (tmp_path / "out").rglob("*"):
        if path.suffix in (".json", ".csv", ".html"):
            assert str(tmp_path) not in path.read_text(encoding="utf-8"), path


def test_the_same_run_twice_writes_the_same(tmp_path):
    net = middle(tmp_path / "net.onnx")
    picture = cell_picture(tmp_path / "cell.png")
    for name in ("a", "b"):
        explained(net, picture, view="cell", scale=32.0, out=tmp_path / name)
    for name in files(tmp_path / "a") - {"report.html", "config.json"}:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_pictures_of_one_name_have_folders_of_their_own(tmp_path):
    net = middle(tmp_path / "net.onnx")
    pictures = [cell_picture(tmp_path / folder / "cell.png") for folder in "ab"]
    odd = cell_picture(tmp_path / "summary.csv.png")
    explained(net, *pictures, odd, view="cell", scale=32.0, out=tmp_path / "out")
    folders = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders == {"cell", "cell-2", "summary.csv-2"}


def test_of_many_cells_the_surest_are_explained_and_this_is_said(tmp_path):
    outcome = on_field(tmp_path, middle(tmp_path / "net.onnx"), most_cells=1)
    explanation = outcome.explanations[0]
    assert [window.id for window in explanation.windows] == [1]
    assert any("only the 1 surest of 2 cells" in warning for warning in explanation.warnings)


def test_a_field_without_cells_has_a_page_that_says_so(tmp_path):
    whole = pipeline(tmp_path / "pipeline", middle(tmp_path / "net.onnx"), [])
    picture = field_picture(tmp_path / "field.png", [])
    outcome = explained(whole, picture, scale=10.0, out=tmp_path / "out")
    assert outcome.explanations[0].windows == ()
    assert "no white cell was found, so there is nothing to explain" in outcome.report.read_text()
    assert files(tmp_path / "out" / "field") == {"explanation.json"}
    assert read(tmp_path / "out", "field")["members"][0]["heat_on_cells"] is None


def test_where_no_cell_can_be_told_by_colour_there_is_no_share(tmp_path):
    net = middle(tmp_path / "net.onnx")
    path = tmp_path / "grey.png"
    grey = np.full((96, 96, 3), GLASS, np.uint8)
    grey[38:58, 38:58] = 90
    cv2.imwrite(str(path), grey)
    assert not cell_mask(grey).any()
    outcome = explained(net, path, view="cell", scale=32.0, out=tmp_path / "out")
    assert outcome.explanations[0].summaries[0].on_cells is None
    assert any("no cell was found by its colour" in w for w in outcome.explanations[0].warnings)


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_picture_that_cannot_be_read_does_not_keep_the_others_from_being_done(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    good = cell_picture(tmp_path / "cell.png")
    outcome = explained(
        middle(tmp_path / "net.onnx"), tmp_path / "broken.png", good,
        view="cell", scale=32.0, out=tmp_path / "out",
    )  # fmt: skip
    assert [path.name for path, _ in outcome.failures] == ["broken.png"]
    assert len(outcome.explanations) == 1
    assert "Not in this report" in outcome.report.read_text(encoding="utf-8")


def test_where_no_picture_can_be_used_nothing_is_left(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    net = middle(tmp_path / "net.onnx")
    outcome = explained(net, tmp_path / "broken.png", out=tmp_path / "out")
    assert outcome.report is None
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"explained": "Late"}, ConfigError, "unknown class 'Late'; known are Benign, Early"),
        ({"view": "image"}, UsageError, "--as image does not fit"),
        ({"method": "cam"}, UsageError, "looks into checkpoints; there is none of net"),
        ({"layers": ("3",)}, UsageError, "--layers looks into checkpoints; there is none of net"),
        ({"checkpoints": (Path("runs/none"),)}, UsageError, "is no checkpoint"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_written(
    tmp_path, settings, error, said
):
    net, picture = middle(tmp_path / "net.onnx"), cell_picture(tmp_path / "cell.png")
    with pytest.raises(error, match=said):
        explained(net, picture, out=tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_a_net_of_whole_pictures_is_not_shown_cells(tmp_path):
    net = upper_left(tmp_path / "net.onnx", card=dataclasses.replace(CARD, level="image"))
    with pytest.raises(UsageError, match=r"--as field does not fit .* shown whole pictures"):
        explained(net, cell_picture(tmp_path / "cell.png"), view="field")


def test_a_detector_is_refused(tmp_path):
    detector_file(tmp_path / "finds.onnx", BOXES)
    with pytest.raises(UsageError, match="is a net to detect; expected one that classifies"):
        explained(tmp_path / "finds.onnx", cell_picture(tmp_path / "cell.png"))


def test_a_card_is_no_model(tmp_path):
    classifier_file(tmp_path / "net.onnx", CLASSIFIER_CARD)
    with pytest.raises(ModelError, match="expected a pipeline"):
        explained(tmp_path / "net.json", cell_picture(tmp_path / "cell.png"))


def test_a_net_that_its_card_does_not_speak_of_is_refused(tmp_path):
    net = middle(tmp_path / "net.onnx")
    net.write_bytes(net.read_bytes() + b" ")
    with pytest.raises(ModelError, match="its card says"):
        explained(net, cell_picture(tmp_path / "cell.png"))


def test_a_folder_with_files_is_not_written_into(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(OutputError, match="holds files already"):
        explained(
            middle(tmp_path / "net.onnx"), cell_picture(tmp_path / "c.png"), out=tmp_path / "out"
        )


@pytest.mark.parametrize(
    "settings",
    [{"inputs": ()}, {"most_cells": 0}, {"max_pixels": 0}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError):
        ExplainConfig(**{"model": Path("net.onnx"), "inputs": (Path("a.png"),), **settings})


@pytest.mark.parametrize("settings", [{"patches": ()}, {"patches": (1.5,)}, {"batch": 0}])
def test_settings_of_occlusion_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError):
        OcclusionConfig(**settings)
