"""``yolo-leuk evaluate``: what goes where, and which exit code ends it."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.made_evaluation import ensemble_file, net, table_file
from tests.made_training_data import made_cells
from yolo_leuk.dataset import read_dataset
from yolo_leuk.labels import LabelScheme

QUICK = ("--set", "draws=10")


@pytest.fixture
def evaluate(command, monkeypatch, tmp_path):
    """Run ``yolo-leuk evaluate`` with arguments, in this process and in a folder with models."""
    data = read_dataset(made_cells(tmp_path / "cells", (1, 2, 2)))
    one, two = (net(tmp_path, name) for name in ("one", "two"))
    net(tmp_path, "strange", scheme=LabelScheme(("a", "b", "c", "d", "e")))
    ensemble_file(tmp_path / "leaky", data, [one, two], splits=("test",))
    table_file(tmp_path / "table.csv", data, ("test",))

    monkeypatch.chdir(tmp_path)
    return partial(command, "evaluate")


def test_the_path_goes_to_standard_output_and_figures_and_warnings_to_standard_error(evaluate):
    ended = evaluate("one.onnx", "table.csv", "--data", "cells", *QUICK)
    assert (ended.code, ended.out) == (0, "runs/evaluate/cells-test/report.html\n")
    lines = ended.err.splitlines()
    assert lines[0].split() == ["figure", "(95%", "interval)", "one", "table"]
    assert lines[1].startswith("weighted F1 ")
    assert any(line.split()[:2] == ["share", "called"] and line.endswith("–") for line in lines)
    assert "warning: no patient identity in this data: the figure is optimistic" in lines


def test_runs_are_numbered_by_data_set_and_split(evaluate):
    evaluate("table.csv", "--data", "cells", *QUICK)
    again = evaluate("table.csv", "--data", "cells", *QUICK)
    assert again.out == "runs/evaluate/cells-test2/report.html\n"
    other = evaluate("one.onnx", "--data", "cells", "--split", "val", *QUICK)
    assert other.out == "runs/evaluate/cells-val/report.html\n"


def test_json_is_all_that_is_printed(evaluate, tmp_path):
    ended = evaluate("table.csv", "--data", "cells", "--json", "--out", "out", *QUICK)
    content = json.loads(ended.out)
    assert ended.err == ""
    assert content.pop("report") == "out/report.html"
    assert content == json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))


def test_settings_come_from_yaml_below_assignments_below_flags(evaluate, tmp_path):
    (tmp_path / "settings.yaml").write_text("draws: 7\nsplit: val\nseed: 3\n", encoding="utf-8")
    ended = evaluate(
        "table.csv", "--data", "cells", "--config", "settings.yaml", "--set", "seed=4",
        "--split", "test",
    )  # fmt: skip
    assert ended.code == 0
    written = json.loads(
        (tmp_path / "runs/evaluate/cells-test/config.json").read_text(encoding="utf-8")
    )
    assert (written["draws"], written["seed"], written["split"]) == (7, 4, "test")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("one.onnx", "--data", "nowhere"), 2, "nowhere holds no data set"),
        (("one.onnx",), 2, "Missing option '--data'"),
        (("one.onnx", "--data", "cells", "--split", "all"), 2, "'all' is not one of"),
        (("one.onnx", "--data", "cells", "--set", "draw=3"), 2, "Did you mean draws?"),
        (("strange.onnx", "--data", "cells"), 3, "in this order"),
        (("leaky", "--data", "cells"), 3, "were searched on test of this data set"),
        (("nothing.onnx", "--data", "cells"), 4, "there is no model"),
    ],
)
def test_what_goes_wrong_is_said_and_ends_with_its_code(evaluate, tmp_path, arguments, code, said):
    ended = evaluate(*arguments)
    assert ended.code == code
    assert said in ended.err
    assert ended.out == ""
    assert not (tmp_path / "runs").exists()
