"""Each check, on installations that are made up."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import types

import pytest

from yolo_leuk import model_card, pipeline
from yolo_leuk.doctor import packages, runtimes, weights
from yolo_leuk.doctor.run import run

BASE = dict.fromkeys(packages.NEEDED_TO_DETECT + packages.NEEDED_BESIDES, "1.0")


def requirement_names(*, extra: str | None) -> set[str]:
    """Names that the installed metadata requires for one extra, or without any."""
    lines = importlib.metadata.requires("yolo-leuk") or []
    wanted = [line for line in lines if (f"extra == '{extra}'" in line.replace('"', "'"))]
    if extra is None:
        wanted = [line for line in lines if "extra ==" not in line]
    return {re.split(r"[<>=!~; ]", line)[0] for line in wanted}


def write_weights(folder, *, pipeline_sha256=None):
    """Two made-up models with cards and a pipeline."""
    members = {}
    for role in ("detector", "classifier"):
        content = role.encode()
        sha256 = hashlib.sha256(content).hexdigest()
        (folder / f"{role}.onnx").write_bytes(content)
        card = {"schema": weights.CARD_SCHEMA, "sha256": sha256}
        (folder / f"{role}.json").write_text(json.dumps(card))
        members[role] = {"file": f"{role}.onnx", "sha256": pipeline_sha256 or sha256}
    (folder / "default.json").write_text(json.dumps({"schema": weights.PIPELINE_SCHEMA, **members}))


def test_the_packages_it_looks_for_are_those_that_the_project_requires():
    assert set(BASE) == requirement_names(extra=None)
    brought = {"torchvision"}  # by ultralytics
    assert set(packages.NEEDED_TO_TRAIN) - brought == requirement_names(extra="train")


def test_a_complete_base_is_well():
    assert {check.status for check in packages.base_packages(BASE)} == {"ok"}


def test_a_missing_package_that_detect_needs_fails_with_the_line_that_installs_it():
    installed = {name: version for name, version in BASE.items() if name != "typer"}
    [check] = [check for check in packages.base_packages(installed) if check.status != "ok"]
    assert (check.name, check.status, check.remedy) == ("typer", "fail", "pip install typer")


def test_a_missing_package_that_detect_can_do_without_is_a_warning():
    installed = {name: version for name, version in BASE.items() if name != "pandas"}
    [check] = [check for check in packages.base_packages(installed) if check.status != "ok"]
    assert (check.name, check.status, check.remedy) == ("pandas", "warn", "pip install pandas")


def test_another_package_of_the_family_serves_as_well():
    installed = {**BASE, "onnxruntime-gpu": "1.2"}
    del installed["onnxruntime"]
    [check] = [check for check in packages.base_packages(installed) if check.name == "onnxruntime"]
    assert (check.status, check.detail) == ("ok", "onnxruntime-gpu 1.2")


def test_a_base_install_without_training_is_well_and_told_how_to_add_it():
    check = packages.train_extra(BASE)
    assert (check.status, check.remedy) == ("ok", 'pip install "yolo-leuk[train]"')
    assert "ultralytics" in check.detail


def test_with_the_train_extra_there_is_nothing_to_add():
    check = packages.train_extra(dict.fromkeys(packages.NEEDED_TO_TRAIN, "1.0"))
    assert (check.status, check.remedy) == ("ok", "")


def test_one_opencv_package_is_no_clash():
    assert packages.opencv_clash({"opencv-python-headless": "5.0"}) is None


def test_two_opencv_packages_of_one_version_are_well():
    check = packages.opencv_clash({"opencv-python": "5.0", "opencv-python-headless": "5.0"})
    assert check is not None
    assert check.status == "ok"


def test_two_opencv_packages_of_different_versions_fail_and_the_newer_one_mends_both():
    check = packages.opencv_clash({"opencv-python": "4.10.0", "opencv-python-headless": "4.9.0"})
    assert check is not None
    assert check.status == "fail"
    assert "opencv-python==4.10.0 opencv-python-headless==4.10.0" in check.remedy


def test_two_onnxruntime_packages_fail_and_the_special_one_is_kept():
    installed = {"onnxruntime": "1.20", "onnxruntime-gpu": "1.19"}
    check = packages.onnxruntime_clash(installed)
    assert check is not None
    assert check.status == "fail"
    assert check.remedy == (
        "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu==1.19"
    )
    assert packages.onnxruntime_clash({"onnxruntime": "1.20"}) is None


@pytest.mark.parametrize("torch", ["2.13.0", "2.13.0+cpu", "2.13.0+cu130"])
def test_a_torchvision_beside_the_torch_it_was_built_for_is_well(torch):
    installed = {"torch": torch, "torchvision": "0.28.0"}
    check = packages.torch_pair(installed, ["numpy", "torch==2.13.0"])
    assert check is not None
    assert check.status == "ok"


def test_a_torchvision_beside_another_torch_fails_with_the_version_it_needs():
    installed = {"torch": "2.12.0", "torchvision": "0.28.0"}
    check = packages.torch_pair(installed, ["numpy", "torch==2.13.0"])
    assert check is not None
    assert (check.status, check.remedy) == ("fail", "pip install torch==2.13.0")


def test_without_torch_there_is_no_pair_to_check():
    assert packages.torch_pair(BASE, []) is None


def test_an_onnxruntime_that_cannot_be_loaded_fails(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    check = runtimes.onnxruntime_providers()
    assert check.status == "fail"
    assert "pip install" in check.remedy


def test_an_onnxruntime_that_another_one_lies_upon_fails(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", types.ModuleType("onnxruntime"))
    assert runtimes.onnxruntime_providers().status == "fail"


def test_the_providers_of_onnxruntime_are_listed():
    assert "CPUExecutionProvider" in runtimes.onnxruntime_providers().detail


def test_the_schemas_are_those_that_the_pipeline_reads():
    assert weights.CARD_SCHEMA == model_card.SCHEMA
    assert weights.PIPELINE_SCHEMA == pipeline.SCHEMA


def test_weights_that_match_their_cards_are_well(tmp_path):
    write_weights(tmp_path)
    checks = weights.shipped_weights(tmp_path)
    assert [check.status for check in checks] == ["ok"] * 3
    assert [check.name for check in checks] == [
        "weights/default.json",
        "weights/classifier.onnx",
        "weights/detector.onnx",
    ]


def test_a_changed_weight_file_fails_against_its_card_and_the_pipeline(tmp_path):
    write_weights(tmp_path)
    (tmp_path / "detector.onnx").write_bytes(b"changed")
    failed = [check for check in weights.shipped_weights(tmp_path) if check.status == "fail"]
    assert [check.name for check in failed] == ["weights/default.json", "weights/detector.onnx"]
    assert all("expected SHA-256" in check.detail and check.remedy for check in failed)


def test_a_pipeline_that_names_another_file_than_the_card_fails(tmp_path):
    write_weights(tmp_path, pipeline_sha256="0" * 64)
    failed = [check for check in weights.shipped_weights(tmp_path) if check.status == "fail"]
    assert [check.name for check in failed] == ["weights/default.json"]


@pytest.mark.parametrize("missing", ["detector.onnx", "detector.json"])
def test_half_of_a_pair_of_weights_and_card_fails(tmp_path, missing):
    write_weights(tmp_path)
    (tmp_path / missing).unlink()
    checks = {check.name: check.status for check in weights.shipped_weights(tmp_path)}
    assert checks["weights/detector.onnx"] == "fail"


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "yolo-leuk/pipeline/1"}', "[1]"])
def test_a_pipeline_file_that_is_none_fails(tmp_path, content):
    write_weights(tmp_path)
    (tmp_path / "default.json").write_text(content)
    assert weights.shipped_weights(tmp_path)[0].status == "fail"


def test_a_card_without_hash_fails_and_names_the_key(tmp_path):
    write_weights(tmp_path)
    (tmp_path / "detector.json").write_text(json.dumps({"schema": weights.CARD_SCHEMA}))
    [check] = [check for check in weights.shipped_weights(tmp_path) if check.status == "fail"]
    assert check.detail == "expected the key 'sha256'"


def test_this_installation_is_well():
    assert [check for check in run() if check.status == "fail"] == []
