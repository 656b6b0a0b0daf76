"""A run of ``detect`` over made results: what it writes, where, and what it leaves alone."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
from pathlib import Path

import cv2
import pytest
from PIL import Image as PillowImage

from tests.made_results import MadePipeline, picture
from yolo_leuk.cli.main import main
from yolo_leuk.detect import run as room
from yolo_leuk.detect.run import DetectConfig
from yolo_leuk.errors import ConfigError, DataError, ImageError, ModelError, OutputError
from yolo_leuk.image_files import display_name, is_synthetic, list_images
from yolo_leuk.images import LoadedImage
from yolo_leuk.progress import progress_bar
from yolo_leuk.run_folder import open_run_folder, safe_name

FILES = {"annotated.jpg", "cells.csv", "cells.geojson", "result.json"}


@pytest.fixture(autouse=True)
def _made_pipeline(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "Pipeline", MadePipeline)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, **options) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    PillowImage.fromarray(picture()).save(path, **options)
    return path


def detect(*inputs: Path, **options) -> room.DetectOutcome:
    return room.run(DetectConfig(inputs=inputs, **options))


def exit_code(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["yolo-leuk", "detect", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def hashes_in(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- what is written --------------------------------------------------------------------------


def test_an_image_gets_its_files_and_the_run_its_report(source):
    outcome = detect(put(source, "smear.jpg"))
    assert outcome.folder == Path("runs/detect/smear")
    assert outcome.report == outcome.folder / "report.html"
    assert names_in(outcome.folder) == {"config.json", "report.html", "smear"}
    assert names_in(outcome.folder / "smear") == FILES
    assert outcome.failures == ()


def test_the_result_file_is_the_result_with_the_time_that_every_step_took(source):
    path = put(source, "smear.jpg")
    outcome = detect(path)
    ((done, result),) = outcome.results
    assert done == path
    written = json.loads((outcome.folder / "smear/result.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(result.to_json()))
    assert written["schema"] == "yolo-leuk/smear-result/1"
    assert written["image"] == {
        "path": "smear.jpg",
        "width": 320,
        "height": 240,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert list(written["timing_ms"]) == ["read", "detect", "classify", "write"]
    assert result.timing_ms["read"] > 0
    assert result.timing_ms["write"] > 0


def test_the_configuration_is_written_before_anything_is_done(source, monkeypatch):
    seen = []

    def load(_path):
        seen.append(json.loads(Path("out/config.json").read_text(encoding="utf-8")))
        return MadePipeline()

    monkeypatch.setattr(MadePipeline, "load", load)
    detect(put(source, "smear.jpg"), out=Path("out"), scale=20.0)
    (config,) = seen
    assert config["inputs"] == ["smear.jpg"]
    assert config["scale"] == 20.0


def test_the_pipeline_is_told_what_was_asked_for(source, monkeypatch):
    given = []

    def run(self, loaded: LoadedImage, name: str, *, view, scale):
        given.append((name, view, scale))
        return answer(self, loaded, name)

    answer = MadePipeline.run
    monkeypatch.setattr(MadePipeline, "run", run)
    detect(put(source, "smear.jpg"), view="cell", scale="none")
    assert given == [("smear.jpg", "cell", "none")]


def test_no_output_holds_a_folder_of_the_user_nor_metadata_of_the_image(source, tmp_path):
    exif = PillowImage.Exif()
    exif[0x010E] = "Patient Jane Doe"
    put(source, "smear.jpg", exif=exif)
    (source / "bad.jpg").write_bytes(b"no picture")
    outcome = detect(source, out=tmp_path / "out")
    for path in outcome.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(tmp_path).encode() not in content, path
            assert b"Jane Doe" not in content, path
            assert b"Exif" not in content, path


def test_the_annotated_picture_is_upright(source):
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    outcome = detect(put(source, "turned.jpg", exif=exif))
    shown = cv2.imread(str(outcome.folder / "turned/annotated.jpg"))
    assert shown.shape[0] > shown.shape[1]
    assert outcome.results[0][1].image.width == 240


def test_a_synthetic_image_is_called_one_in_result_and_report(source):
    put(source, "made.png")
    (source / "made.json").write_text('{"synthetic": true}')
    put(source, "real.png")
    (source / "real.json").write_text("[1, 2")
    outcome = detect(source)
    warned = {p.name: any("synthetic" in w.lower() for w in r.warnings) for p, r in outcome.results}
    assert warned == {"made.png": True, "real.png": False}
    assert "Synthetic image" in outcome.report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "truth", [None, "[]", '{"synthetic": "yes"}', '{"synthetic": false}', "\0"]
)
def test_only_a_truth_file_that_says_so_makes_an_image_synthetic(source, truth):
    path = put(source, "a.png")
    if truth is not None:
        (source / "a.json").write_text(truth)
    assert not is_synthetic(path)


# --- several images ---------------------------------------------------------------------------


def test_a_folder_is_done_in_natural_order_without_hidden_files_and_other_suffixes(source):
    for name in ("smear10.png", "smear2.PNG", "smear1.jpg", ".hidden.png", "notes.txt", "b/in.png"):
        if name.endswith("txt"):
            (source / name).write_text("no picture")
        else:
            put(source, name)
    outcome = detect(source)
    assert [path.name for path, _ in outcome.results] == ["smear1.jpg", "smear2.PNG", "smear10.png"]
    assert outcome.folder == Path("runs/detect/source")


def test_an_image_named_twice_is_done_once(source):
    path = put(source, "a.png")
    assert len(detect(path, source, path).results) == 1


def test_images_of_one_stem_get_folders_of_their_own(source):
    inputs = [put(source, name) for name in ("a.png", "a.jpg", "A.bmp", "report.html.png")]
    outcome = detect(*inputs, out=Path("out"))
    folders = names_in(outcome.folder) - {"config.json", "report.html"}
    assert len({name.casefold() for name in folders}) == 4
    assert all(names_in(outcome.folder / folder) == FILES for folder in folders)


def test_in_a_batch_with_bad_images_the_others_are_done_and_the_exit_code_is_3(
    source, monkeypatch, capsys
):
    whole = put(source, "a.jpg").read_bytes()
    (source / "b.jpg").write_bytes(whole[: len(whole) // 2])
    (source / "c.jpg").write_bytes(b"")
    put(source, "d.png")
    code = exit_code(monkeypatch, source, source / "missing.jpg", "--out", "out")
    assert code == 3
    assert names_in(Path("out")) == {"config.json", "report.html", "a", "d"}
    errors = capsys.readouterr().err
    report = Path("out/report.html").read_text(encoding="utf-8")
    for name in ("b.jpg", "c.jpg", "missing.jpg"):
        assert name in errors
        assert name in report


def test_a_single_bad_image_ends_with_3_and_leaves_no_folder(source, monkeypatch, capsys):
    (source / "bad.jpg").write_bytes(b"no picture")
    assert exit_code(monkeypatch, source / "bad.jpg") == 3
    assert not Path("runs").exists()
    assert capsys.readouterr().out == ""


def test_a_folder_without_pictures_is_a_data_error_that_names_it(source):
    (source / "notes.txt").write_text("no picture")
    outcome = detect(source)
    ((path, error),) = outcome.failures
    assert path == source
    assert isinstance(error, DataError)
    assert f"no pictures in folder {source}" in str(error)
    assert "1 other files" in str(error)
    assert outcome.folder is None
    assert not Path("runs").exists()


def test_a_folder_without_pictures_does_not_keep_others_from_being_done(source, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = detect(empty, put(source, "a.png"))
    assert len(outcome.results) == 1
    assert [path for path, _ in outcome.failures] == [empty]


def test_a_picture_over_the_limit_is_refused(source):
    ((_, error),) = detect(put(source, "a.png"), max_pixels=1000).failures
    assert "at most 1,000 pixels" in str(error)


def test_a_path_with_spaces_and_letters_of_other_scripts_goes_through(tmp_path, monkeypatch):
    path = put(tmp_path / "präparat 3 – 血液", "мазок № 1.png")
    out = tmp_path / "ergebnis für 血"
    assert exit_code(monkeypatch, path, "--out", out) == 0
    assert names_in(out / "мазок № 1") == FILES
    rows = list(csv.DictReader((out / "мазок № 1/cells.csv").open(encoding="utf-8")))
    assert rows[0]["image"] == "мазок № 1.png"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_file_name_that_is_no_text_goes_through(source):
    path = Path(os.fsdecode(os.fsencode(source) + b"/smear\xff.png"))
    path.write_bytes(put(source, "a.png").read_bytes())
    outcome = detect(path)
    assert display_name(path) == "smear\ufffd.png"
    assert outcome.results[0][1].image.path == "smear\ufffd.png"
    assert "smear\ufffd.png" in outcome.report.read_text(encoding="utf-8")


# --- nothing that existed is damaged ----------------------------------------------------------


def test_sources_are_not_changed(source):
    put(source, "a.jpg")
    put(source, "b.png")
    (source / "c.jpg").write_bytes(b"no picture")
    before = hashes_in(source)
    detect(source)
    assert hashes_in(source) == before


def test_runs_are_numbered_and_leave_each_other_alone(source):
    path = put(source, "smear.jpg")
    first = detect(path).folder
    before = hashes_in(first)
    assert [detect(path).folder.name for _ in range(2)] == ["smear2", "smear3"]
    assert hashes_in(first) == before


def test_an_output_folder_that_holds_something_is_refused_and_stays(source, monkeypatch):
    path = put(source, "smear.jpg")
    assert exit_code(monkeypatch, path, "--out", "out") == 0
    before = hashes_in(Path("out"))
    assert exit_code(monkeypatch, path, "--out", "out") == 2
    assert hashes_in(Path("out")) == before


def test_an_empty_output_folder_is_used_and_stays_if_nothing_could_be_done(source):
    Path("out").mkdir()
    (source / "bad.jpg").write_bytes(b"no picture")
    assert detect(source / "bad.jpg", out=Path("out")).folder is None
    assert names_in(Path("out")) == set()
    assert detect(put(source, "a.jpg"), out=Path("out")).folder == Path("out")


def test_an_output_folder_that_cannot_be_made_is_found_before_the_work(source, monkeypatch):
    def load(_path):
        pytest.fail("the work has begun")

    monkeypatch.setattr(MadePipeline, "load", load)
    Path("file").write_text("in the way")
    path = put(source, "a.jpg")
    for out in (Path("file"), Path("file/below")):
        with pytest.raises(OutputError, match="cannot make folder"):
            detect(path, out=out)
    assert exit_code(monkeypatch, path, "--out", "file") == 2
    assert Path("file").read_text() == "in the way"


def test_a_file_in_the_place_of_the_runs_folder_is_an_output_error(source):
    Path("runs").write_text("in the way")
    with pytest.raises(OutputError, match="cannot make folder"):
        detect(put(source, "a.jpg"))


def test_a_model_that_cannot_be_loaded_leaves_no_folder(source, monkeypatch):
    def load(_path):
        raise ModelError("no weights")

    monkeypatch.setattr(MadePipeline, "load", load)
    with pytest.raises(ModelError):
        detect(put(source, "a.jpg"))
    assert not Path("runs").exists()


def test_folders_of_others_are_not_taken_away(source):
    (source / "bad.jpg").write_bytes(b"no picture")
    Path("runs/detect/other").mkdir(parents=True)
    detect(source / "bad.jpg")
    assert names_in(Path("runs/detect")) == {"other"}


# --- names and settings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("smear 1", "smear 1"),
        ("мазок", "мазок"),
        ('a<b>:"/\\|?*\n', "a_b_________"),
        ("..", "image"),
        ("", "image"),
        ("CON", "CON_"),
        ("lpt1.old", "lpt1.old_"),
        ("trailing. .", "trailing"),
        ("血" * 200, "血" * 60),
    ],
)
def test_names_are_safe_on_every_system(stem, name):
    assert safe_name(stem) == name


def test_a_run_folder_gives_no_name_twice(tmp_path):
    with open_run_folder(tmp_path / "out", Path("runs"), "") as folder:
        claimed = [
            folder.claim(stem) for stem in ("a", "A", "a-2", "u\u0308", "\u00fc", "config.json")
        ]
    names = [path.name.casefold() for path in claimed]
    assert len(set(names)) == len(names)
    assert "config.json" not in names


@pytest.mark.parametrize(
    "wrong",
    [
        {"inputs": ()},
        {"scale": 0.0},
        {"scale": float("nan")},
        {"scale": "wide"},
        {"view": "slide"},
        {"max_pixels": 0},
    ],
)
def test_a_setting_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match="expected"):
        DetectConfig(**{"inputs": (Path("a.png"),), **wrong})


def test_a_path_that_is_no_folder_is_left_to_the_reader(tmp_path):
    missing = tmp_path / ("x" * 5000)
    images, failures = list_images([missing])
    assert (images, failures) == ([missing], [])
    ((_, error),) = detect(missing).failures
    assert isinstance(error, ImageError)


# --- progress ---------------------------------------------------------------------------------


def test_progress_is_silent_where_there_is_no_terminal(capsys):
    with progress_bar(3, enabled=True) as show:
        show(0, "a.png")
    assert capsys.readouterr() == ("", "")


def test_progress_goes_to_standard_error_and_is_gone_in_the_end(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_bar(2, enabled=True) as show:
        show(1, "b.png")
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2 b.png" in err
    assert err.endswith("\r\x1b[K")
