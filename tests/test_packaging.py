"""The wheel works in an empty environment, outside the checkout, without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from yolo_leuk.export.own_wheel import write_own_wheel
from yolo_leuk.shipped import weights_folder

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """Run a command that sees neither the checkout nor this environment's packages."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ended = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip")
    run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of the programs of an environment that holds the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    constraints = ROOT / "constraints.txt"
    pip = (programs / "python", "-m", "pip")
    # What is not run need not be compiled.
    run(*pip, "install", "--quiet", "--no-compile", "--constraint", constraints, wheel, cwd=folder)
    return programs


def test_the_wheel_carries_the_default_pipeline_and_every_file_that_it_names(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    pipeline = json.loads((weights_folder() / "default.json").read_text())
    for role in ("detector", "classifier"):
        model = Path("yolo_leuk/weights", pipeline[role]["file"])
        assert {model.as_posix(), model.with_suffix(".json").as_posix()} <= names
    assert "yolo_leuk/samples/smear.jpg" in names


def test_the_wheel_carries_no_tests_and_no_checkpoints(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.endswith(".pt") or name.startswith("tests/")]


def test_the_wheel_that_a_bundle_packs_has_the_same_files_as_the_built_one(wheel, tmp_path):
    packed = zipfile.ZipFile(write_own_wheel(tmp_path))
    assert set(packed.namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_detect_runs_from_the_wheel_outside_the_checkout_and_without_torch(installed, tmp_path):
    python = installed / "python"
    assert "torch" not in run(python, "-m", "pip", "list", cwd=tmp_path)
    where = "from yolo_leuk.shipped import samples_folder; print(samples_folder())"
    samples = Path(run(python, "-c", where, cwd=tmp_path).strip())
    assert ROOT not in samples.parents
    printed = run(installed / "yolo-leuk", "detect", samples / "smear.jpg", cwd=tmp_path)
    report = tmp_path / printed.strip()
    assert report.name == "report.html"
    assert report.is_file()


def test_doctor_finds_nothing_wrong_in_the_installed_wheel(installed, tmp_path):
    checks = json.loads(run(installed / "yolo-leuk", "doctor", "--json", cwd=tmp_path))["checks"]
    assert "fail" not in {check["status"] for check in checks}
    assert "weights/default.json" in {check["name"] for check in checks}
