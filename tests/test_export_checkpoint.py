"""A run of train is exported from its checkpoint, and answers as the checkpoint does."""

from __future__ import annotations

import json

import pytest

from tests.warm_process import warm_python

pytestmark = pytest.mark.slow

_EXPORTED = """
import dataclasses, json
from pathlib import Path
import numpy as np
import onnx
from tests.made_ensembles import ensemble_folder, run_folder
from yolo_leuk.backends.net import open_net
from yolo_leuk.errors import YoloLeukError
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.run import run
from yolo_leuk.net_file import write_net

def exported(model, out, **settings):
    return run(ExportConfig(model=Path(model), out=Path(out), progress=False, **settings))

told = {}
for task in ("classify", "detect"):
    folder = run_folder(Path(task), "v11n", task, input_px=32 if task == "classify" else 128)
    checkpoint = open_net(folder / "weights" / "best.pt")
    for precision in ("fp32", "fp16"):
        outcome = exported(folder, f"{task}-{precision}", precision=precision)
        export = outcome.exported[0].card.export
        told[f"{task} {precision}"] = {
            "file": outcome.result.name, "source": export["source"]["file"], **export["parity"]}
    batch = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    again = open_net(Path(f"{task}-fp32/v11n-{task}.onnx")).run(batch)
    apart = [np.abs(v - again[k]).max() for k, v in checkpoint.run(batch).items()]
    told[f"{task} apart"] = float(max(apart))

file = ensemble_folder(Path("three"), input_px=32)
graph = onnx.load(file.parent / "vote.onnx").graph
told["of all"] = {kind: [n.op_type for n in graph.node].count(kind) for kind in ("Cast", "Div")}
told["weights"] = sum(np.prod(i.dims) for i in graph.initializer if len(i.dims) > 1).item()
members = [onnx.load(file.parent / f"{name}.onnx").graph for name in ("v8n", "v11n", "v12n")]
told["of members"] = sum(
    np.prod(i.dims) for g in members for i in g.initializer if len(i.dims) > 1).item()
for precision in ("fp32", "fp16"):
    outcome = exported(file, f"vote-{precision}", precision=precision)
    told[f"vote {precision}"] = outcome.exported[0].card.export["parity"]

def refused(model, **settings):
    try:
        exported(model, "refused", **settings)
    except YoloLeukError as error:
        return [type(error).__name__, str(error), Path("refused").exists()]

checkpoint = Path("classify/weights/best.pt")
with checkpoint.open("ab") as stream:
    stream.write(b"more")
told["changed"] = refused("classify")
for name in ("best.onnx", "best.json"):
    (checkpoint.parent / name).unlink()
told["alone"] = refused(checkpoint)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What came of runs and ensembles of random nets."""
    ended = warm_python("-c", _EXPORTED, folder=tmp_path_factory.mktemp("exported"))
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_a_run_is_exported_from_its_checkpoint_and_compared_with_it(told, task):
    found = told[f"{task} fp32"]
    assert (found["file"], found["source"]) == (f"v11n-{task}.onnx", "best.pt")
    assert found["largest_difference"] <= 1e-4
    assert told[f"{task} apart"] < 1e-3  # logits and pixels, not probabilities


@pytest.mark.parametrize("what", ["classify", "detect", "vote"])
def test_fp16_stays_within_its_tolerance(told, what):
    assert told[f"{what} fp16"]["largest_difference"] <= 2e-2


def test_the_graph_of_an_ensemble_answers_as_its_members_do(told):
    assert told["vote fp32"]["largest_difference"] <= 1e-5
    assert told["vote fp32"]["agreement"] == 1


def test_the_graph_of_an_ensemble_does_the_pre_processing_once_and_keeps_all_weights(told):
    # A division each for the pixels, the three temperatures and that of the vote.
    assert told["of all"] == {"Cast": 1, "Div": 5}
    assert told["weights"] <= told["of members"]
    assert told["weights"] > 0.99 * told["of members"]


def test_a_checkpoint_that_is_not_the_one_of_its_card_is_refused(told):
    kind, text, left = told["changed"]
    assert (kind, left) == ("HashError", False)
    assert "best.pt has SHA-256" in text


def test_a_checkpoint_without_the_net_that_train_wrote_beside_it_is_refused(told):
    kind, text, left = told["alone"]
    assert (kind, left) == ("ModelError", False)
    assert "best.onnx" in text
