"""The command line: what goes where, and which exit code ends it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path
from typing import get_args

import pytest

from yolo_leuk import __version__, errors
from yolo_leuk.cli.prepare import Kind
from yolo_leuk.detect.run import DetectOutcome
from yolo_leuk.doctor.check import Check
from yolo_leuk.errors import ImageError, YoloLeukError
from yolo_leuk.labels import MATURITY
from yolo_leuk.model_card import ModelCard
from yolo_leuk.prepare.problems import Problem
from yolo_leuk.prepare.run import PrepareResult
from yolo_leuk.prepare.sources.kinds import KINDS
from yolo_leuk.records import BlastFraction, CellCall, ImageFacts, Scale, SmearResult
from yolo_leuk.train.all_folds import FoldsResult
from yolo_leuk.train.run import TrainResult

VERBS = (
    *("detect", "prepare", "audit", "train", "ensemble", "evaluate", "explain", "export"),
    *("benchmark", "doctor"),
)

# Verbs share these; who has met them once need not look again.
COMMON_OPTIONS = {"--config", "--debug", "--help", "--json", "--out", "--set"}

ALL_ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, YoloLeukError)
]


@pytest.fixture
def doctor_that(monkeypatch):
    """Let the room behind ``doctor`` raise, or return what is given."""

    def replace(outcome: object) -> None:
        def run() -> object:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr("yolo_leuk.doctor.run.run", run)

    return replace


# --- help and usage --------------------------------------------------------------------------


def test_help_lists_every_verb_and_says_that_it_does_not_diagnose(command):
    ended = command("--help")
    assert ended.code == 0
    assert re.findall(r"^  (\w+)  +\S", ended.out.split("Commands:")[1], re.MULTILINE) == list(
        VERBS
    )
    assert "does not diagnose" in ended.out


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_at_most_eight_options_that_a_newcomer_must_look_at(command, verb):
    options = set(re.findall(r"^  (?:-h, )?(--\w[\w-]*)", command(verb, "-h").out, re.MULTILINE))
    assert "--help" in options
    assert len(options - COMMON_OPTIONS) <= 8


def test_without_a_verb_the_help_is_shown_and_the_exit_code_is_that_of_wrong_usage(command):
    ended = command()
    assert ended.code == 2
    assert "Commands:" in ended.out + ended.err


@pytest.mark.parametrize(
    "arguments", [("diagnose",), ("detect",), ("detect", "--colour"), ("doctor", "now")]
)
def test_wrong_usage_ends_with_2_and_leaves_standard_output_alone(command, arguments):
    ended = command(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_the_version_is_printed(command):
    assert astuple(command("--version")) == (0, f"yolo-leuk {__version__}\n", "")


_TIMED_HELP = """
import atexit, sys, time
atexit.register(lambda: sys.stderr.write(str(time.process_time())))
sys.argv = ["yolo-leuk", "--help"]
from yolo_leuk.cli.main import main
main()
"""


def test_help_takes_less_than_three_tenths_of_a_second():
    def seconds() -> float:
        """Of the processor: on a busy machine, the clock tells of other processes."""
        ended = subprocess.run(
            [sys.executable, "-c", _TIMED_HELP], check=True, capture_output=True, text=True
        )
        return float(ended.stderr)

    assert min(seconds() for _ in range(5)) < 0.3


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ALL_ERRORS)
def test_every_error_ends_with_its_message_its_hint_and_its_exit_code(command, doctor_that, error):
    doctor_that(error("expected a smear, got a cat", hint="Take another picture."))
    ended = command("doctor")
    assert ended.code == error.exit_code
    assert ended.out == ""
    assert ended.err == "error: expected a smear, got a cat\n  Take another picture.\n"


def test_debug_shows_the_traceback_too(command, doctor_that):
    doctor_that(ImageError("expected a smear, got a cat"))
    ended = command("doctor", "--debug")
    assert ended.code == 3
    assert ended.err.startswith("Traceback (most recent call last):")
    assert ended.err.endswith("error: expected a smear, got a cat\n")


def test_an_error_that_nobody_foresaw_is_one_line_and_points_to_debug(command, doctor_that):
    doctor_that(ZeroDivisionError("division by zero"))
    ended = command("doctor")
    assert ended.code == 1
    assert ended.err.startswith("error: unexpected ZeroDivisionError: division by zero\n")
    assert "--debug" in ended.err
    assert "Traceback" not in ended.err


def test_an_error_that_nobody_foresaw_shows_its_traceback_with_debug(command, doctor_that):
    doctor_that(ZeroDivisionError("division by zero"))
    ended = command("doctor", "--debug")
    assert ended.code == 1
    assert "Traceback" in ended.err


def test_an_interrupt_ends_with_130_and_no_traceback(command, doctor_that):
    doctor_that(KeyboardInterrupt())
    assert astuple(command("doctor")) == (130, "", "interrupted\n")


# --- doctor ----------------------------------------------------------------------------------

WELL = Check("numpy", "ok", "2.4.6")
MISSING = Check("pandas", "warn", "not installed", "pip install pandas")
CLASH = Check("opencv packages", "fail", "4.9 and 4.10", "pip install both")


def test_doctor_ends_with_0_when_nothing_fails(command, doctor_that):
    doctor_that([WELL, MISSING])
    ended = command("doctor")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "ok    numpy   2.4.6",
        "warn  pandas  not installed",
        "              → pip install pandas",
    ]


def test_doctor_ends_with_4_when_something_fails(command, doctor_that):
    doctor_that([WELL, CLASH])
    assert command("doctor").code == 4


def test_doctor_prints_its_checks_as_json_and_nothing_else(command, doctor_that):
    doctor_that([CLASH])
    ended = command("doctor", "--json")
    assert ended.code == 4
    assert json.loads(ended.out) == {
        "schema": "yolo-leuk/doctor/1",
        "checks": [
            {
                "name": "opencv packages",
                "status": "fail",
                "detail": "4.9 and 4.10",
                "remedy": "pip install both",
            }
        ],
    }


# --- detect ----------------------------------------------------------------------------------


def smear_result(name: str, *, fraction: BlastFraction | None) -> SmearResult:
    cell = CellCall(
        id=1,
        box_xyxy=(1.0, 2.0, 30.0, 40.0),
        confidence=0.9,
        label="Pro",
        probability=0.8,
        probabilities={"Pro": 0.8, "Other": 0.2},
        blast_probability=0.8,
        status="called",
    )
    return SmearResult(
        image=ImageFacts(name, 640, 480, "0" * 64),
        scale=Scale(28.0, "given", 1.0),
        cells=(cell,),
        counts={"Pro": 1, "Other": 0, "unidentified": 0},
        blast_fraction=fraction,
        blast_fraction_reason="" if fraction else "no cell was called",
        warnings=("fewer than 100 cells",),
        model={"pipeline": "default"},
    )


@pytest.fixture
def detect_room(monkeypatch):
    """Stand in for the room behind ``detect``; remembers the configuration that it was given."""
    given = []

    def answer(*, failures=(), results=None):
        if results is None:
            results = [
                (Path("a.jpg"), smear_result("a.jpg", fraction=BlastFraction(1.0, 0.207, 1.0, 1))),
                (Path("bö.jpg"), smear_result("bö.jpg", fraction=None)),
            ]

        def run(config):
            given.append(config)
            folder = Path("runs/detect/a") if results else None
            report = folder / "report.html" if folder else None
            return DetectOutcome(folder, report, tuple(results), tuple(failures))

        monkeypatch.setattr("yolo_leuk.detect.run.run", run)
        return given

    return answer


def test_detect_prints_the_path_of_the_report_and_nothing_else_to_standard_output(
    command, detect_room
):
    detect_room()
    ended = command("detect", "a.jpg", "bö.jpg")
    assert (ended.code, ended.out) == (0, f"{Path('runs/detect/a/report.html')}\n")


def test_detect_prints_the_counts_the_blasts_and_the_warnings_to_standard_error(
    command, detect_room
):
    detect_room()
    assert command("detect", "a.jpg", "bö.jpg").err.splitlines() == [
        "image   white cells  Pro  Other  unidentified     blasts (95% interval)",
        "a.jpg             1    1      0             0  100.0% (20.7% to 100.0%)",
        "bö.jpg            1    1      0             0                         –",
        "a.jpg: fewer than 100 cells",
        "bö.jpg: no blast fraction: no cell was called",
        "bö.jpg: fewer than 100 cells",
        "Decision support: yolo-leuk suggests, it does not diagnose.",
    ]


def test_detect_prints_the_results_as_json_and_nothing_else(command, detect_room):
    detect_room(failures=[(Path("folder/c.jpg"), ImageError("c.jpg is empty"))])
    ended = command("detect", "a.jpg", "--json")
    content = json.loads(ended.out)
    assert content["schema"] == "yolo-leuk/detect-run/1"
    assert [result["image"]["path"] for result in content["results"]] == ["a.jpg", "bö.jpg"]
    assert content["failures"] == [{"path": "c.jpg", "message": "c.jpg is empty"}]
    assert ended.err == "error: c.jpg is empty\n"


def test_detect_ends_with_3_when_some_pictures_failed_and_reports_the_others(command, detect_room):
    detect_room(failures=[(Path("c.jpg"), ImageError("c.jpg is empty", hint="Copy it again."))])
    ended = command("detect", "a.jpg", "c.jpg")
    assert ended.code == 3
    assert ended.out.endswith("report.html\n")
    assert ended.err.startswith("error: c.jpg is empty\n  Copy it again.\n")


def test_detect_prints_no_path_where_there_is_no_report(command, detect_room):
    detect_room(results=[], failures=[(Path("c.jpg"), ImageError("c.jpg is empty"))])
    assert astuple(command("detect", "c.jpg")) == (3, "", "error: c.jpg is empty\n")


def test_detect_hands_its_flags_to_the_room(command, detect_room):
    given = detect_room()
    arguments = ("--out", "o", "--model", "m.json", "--as", "cell", "--scale", "28.5")
    command("detect", "a.jpg", "folder", *arguments)
    [config] = given
    assert config.inputs == (Path("a.jpg"), Path("folder"))
    assert (config.out, config.model) == (Path("o"), Path("m.json"))
    assert (config.view, config.scale) == ("cell", 28.5)


def test_detect_takes_a_flag_before_set_before_yaml(command, detect_room, tmp_path):
    given = detect_room()
    settings = tmp_path / "settings.yaml"
    settings.write_text("scale: 20\nview: image\nmax_pixels: 1000\n")
    command("detect", "a.jpg", "--config", settings, "--set", "view=field", "--scale", "none")
    [config] = given
    assert (config.scale, config.view, config.max_pixels) == ("none", "field", 1000)


@pytest.mark.parametrize("option", [("--scale", "large"), ("--as", "slide"), ("--set", "scal=1")])
def test_detect_refuses_a_value_that_it_does_not_know(command, detect_room, option):
    detect_room()
    ended = command("detect", "a.jpg", *option)
    assert (ended.code, ended.out) == (2, "")


# --- prepare ---------------------------------------------------------------------------------


@pytest.fixture
def prepare_room(monkeypatch):
    given = []

    def run(config, *, tell, progress):
        given.append(config)
        tell("raw: taken for all4, 23 pictures")
        assert progress
        counts = {"classify": {"train": {"Benign": 8, "Pro": 12}, "test": {"Benign": 3}}}
        problems = (Problem("raw/a.jpg", "it is empty"),)
        return PrepareResult(Path("datasets/all4-classify"), counts, problems, ("no patients",))

    monkeypatch.setattr("yolo_leuk.prepare.run.run", run)
    return given


@pytest.mark.usefixtures("prepare_room")
def test_prepare_prints_the_folder_to_standard_output_and_the_counts_to_standard_error(command):
    ended = command("prepare", "raw")
    assert (ended.code, ended.out) == (0, f"{Path('datasets/all4-classify')}\n")
    assert ended.err.splitlines() == [
        "raw: taken for all4, 23 pictures",
        "classify  Benign  Pro",
        "train          8   12",
        "test           3    0",
        "warning: 1 files could not be used; problems.csv says why",
        "warning: no patients",
    ]


@pytest.mark.usefixtures("prepare_room")
def test_prepare_prints_its_result_as_json_and_nothing_else(command):
    ended = command("prepare", "--json")
    content = json.loads(ended.out)
    assert content["counts"]["classify"]["train"] == {"Benign": 8, "Pro": 12}
    assert content["problems"] == [{"file": "raw/a.jpg", "reason": "it is empty"}]


def test_prepare_hands_its_flags_to_the_room(command, prepare_room):
    flags = ("--kind", "yolo", "--task", "both", "--level", "image", "--compose", "fields")
    kept = ("--keep-split", "old", "--max-bad", "0.2")
    command("prepare", "a", "b.zip", *flags, *kept, "--folds", "3", "--set", "labels.hem=Other")
    [config] = prepare_room
    assert config.sources == (Path("a"), Path("b.zip"))
    assert (config.kind, config.task, config.level) == ("yolo", "both", "image")
    assert (config.compose, config.keep_split, config.max_bad) == ("fields", Path("old"), 0.2)
    assert (config.folds, config.labels) == (3, {"hem": "Other"})


def test_prepare_takes_official_folds_and_no_other_words(command, prepare_room):
    assert command("prepare", "a", "--folds", "official").code == 0
    assert prepare_room[0].folds == "official"
    assert command("prepare", "a", "--folds", "three").code == 2


def test_prepare_knows_every_kind_of_source():
    assert set(get_args(Kind)) == {"auto", *KINDS}


def test_prepare_without_data_says_where_each_data_set_is_and_where_it_belongs(
    command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    ended = command("prepare")
    assert (ended.code, ended.out) == (2, "")
    for fact in ("page", "size", "licence", "datasets/raw"):
        assert fact in ended.err


# --- train -----------------------------------------------------------------------------------


@pytest.fixture
def train_room(monkeypatch):
    """Stand in for the room behind ``train``; remembers the configuration that it was given."""
    given = []
    card = ModelCard(
        name="best",
        task="classify",
        architecture="v11n",
        scheme=MATURITY,
        px_per_rbc=20.0,
        input_px=80,
        preprocessing=(),
        thresholds={},
        sha256="0" * 64,
        date="2026-01-01",
    )

    def run(config):
        given.append(config)
        folder = Path("runs/train/v11n-classify")
        return TrainResult(folder, folder / "weights/best.onnx", card)

    monkeypatch.setattr("yolo_leuk.train.run.run", run)
    return given


@pytest.mark.usefixtures("train_room")
def test_train_prints_the_path_of_the_net_and_nothing_else_to_standard_output(command):
    assert command("train").out == f"{Path('runs/train/v11n-classify/weights/best.onnx')}\n"


@pytest.mark.usefixtures("train_room")
def test_train_prints_the_card_as_json_and_nothing_else(command):
    content = json.loads(command("train", "--json").out)
    assert content["card"]["schema"] == "yolo-leuk/model-card/1"
    assert content["card"]["architecture"] == "v11n"


def test_train_hands_its_flags_to_the_room(command, train_room):
    flags = ("--arch", "v11n", "--task", "detect", "--epochs", "3", "--device", "cpu")
    command("train", *flags, "--set", "optimise.batch=8")
    [config] = train_room
    assert (config.arch, config.task, config.epochs, config.device) == ("v11n", "detect", 3, "cpu")
    assert config.optimise.batch == 8


def test_a_fold_is_handed_to_the_room(command, train_room):
    command("train", "--fold", "2")
    [config] = train_room
    assert config.fold == 2


def test_train_of_all_folds_prints_where_their_probabilities_lie(command, monkeypatch):
    given = []

    def run_all_folds(config):
        given.append(config.fold)
        folder = Path("runs/train/v11n-classify")
        return FoldsResult(folder, (), folder / "probabilities.csv")

    monkeypatch.setattr("yolo_leuk.train.all_folds.run_all_folds", run_all_folds)
    told = command("train", "--folds", "all").out
    assert told == f"{Path('runs/train/v11n-classify/probabilities.csv')}\n"
    content = json.loads(command("train", "--folds", "all", "--json").out)
    assert content["probabilities"] == told.strip()
    assert given == ["all", "all"]


@pytest.mark.parametrize("wrong", ["every", "-1", "1.5"])
def test_a_fold_that_is_neither_a_number_nor_all_is_wrong_usage(command, train_room, wrong):
    ended = command("train", "--fold", wrong)
    assert (ended.code, train_room) == (2, [])
    assert "fold: expected a whole number or all" in ended.err


def test_train_refuses_a_key_that_it_does_not_know_and_names_the_nearest(command, train_room):
    ended = command("train", "--set", "optimise.batches=8")
    assert (ended.code, train_room) == (2, [])
    assert "Did you mean batch?" in ended.err
