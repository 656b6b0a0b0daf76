"""The examples of docs/export.md work as they are printed, and its tables say what is so."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex

import pytest

from tests.fresh_process import ROOT, python
from tests.made_convolutions import convolutions
from tests.made_evaluation import ANYWHERE, ensemble_file, net
from tests.made_nets import CLASSIFIER_CARD
from tests.made_training_data import made_cells
from yolo_leuk.backends.net import expected_outputs
from yolo_leuk.dataset import read_dataset
from yolo_leuk.export.parity import TOLERANCES
from yolo_leuk.net_file import card_of, write_net
from yolo_leuk.onnx_graph import OPSET
from yolo_leuk.shipped import weights_folder

DOC = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^yolo-leuk export [^\n]*", DOC, flags=re.MULTILINE)

# They need a checkpoint and torch, or data sets for a real net: other tests run the like of them.
ELSEWHERE = [line for line in EXAMPLES if "runs/train" in line or "int8" in line]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the models that the examples name, each small."""
    folder = tmp_path_factory.mktemp("desk")
    data = read_dataset(made_cells(folder / "datasets" / "cells", (2, 2, 1)))
    members = [net(folder / "members", name) for name in ("v8n", "v11n")]
    ensemble_file(folder / "runs" / "ensemble" / "all-three", data, members)
    card = dataclasses.replace(CLASSIFIER_CARD, features=ANYWHERE, name="v11n-classify")
    made = folder / "weights" / "v11n-classify.onnx"
    made.parent.mkdir()
    write_net(made, convolutions().SerializeToString(), card)
    (folder / "weights" / "default.json").write_text(_pipeline(card_of(made).sha256))
    for file in weights_folder().glob("v11n-detect.*"):
        (folder / "weights" / file.name).symlink_to(file)
    return folder


def _pipeline(classifier_sha256: str) -> str:
    content = json.loads((weights_folder() / "default.json").read_text(encoding="utf-8"))
    content["classifier"]["sha256"] = classifier_sha256
    return json.dumps(content)


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in EXAMPLES if line not in ELSEWHERE])
def test_an_example_works_as_printed(desk, line):
    ended = python(*("-m", "yolo_leuk", *shlex.split(line)[1:]), folder=desk)
    assert ended.returncode == 0, ended.stderr
    assert (desk / ended.stdout.strip()).is_file()


def test_the_page_tells_the_opset_and_the_outputs_of_each_kind_of_net():
    assert f"The opset is {OPSET}," in DOC
    for card in (card_of(path) for path in weights_folder().glob("*.onnx")):
        for output in expected_outputs(card):
            assert f"`{output}`" in DOC


def test_the_page_tells_what_may_differ():
    table = DOC[DOC.index("| | fp32 | fp16 | int8 |") :].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[2:5]] for line in table.splitlines()[2:]]
    allowed = [TOLERANCES[name] for name in ("fp32", "fp16", "int8")]
    assert [float(cell) for cell in rows[0]] == [one.difference for one in allowed]
    assert rows[1] == [f"{100 * one.agreement:.0f} %" for one in allowed]
    assert [float(cell) for cell in rows[2]] == [one.iou for one in allowed]


def test_every_net_that_ships_stands_in_the_table_of_parity():
    measured = json.loads((ROOT / "docs" / "parity.json").read_text(encoding="utf-8"))["nets"]
    shipped = {path.stem: card_of(path).sha256 for path in weights_folder().glob("*.onnx")}
    assert {name: found["sha256"] for name, found in measured.items()} == shipped, (
        "run scripts/measure_parity.py and scripts/write_results.py"
    )
    table = DOC[DOC.index("<!-- parity") : DOC.index("<!-- end of parity")]
    for name in shipped:
        assert table.count(f"| `{name}` |") == 2
