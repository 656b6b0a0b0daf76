"""The promise that the base runs where torch is not installed, and starts fast.

Each test runs a command in a fresh process, in which torch and ultralytics are there but cannot be
imported, and looks at what was loaded when it ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_evaluation import ensemble_file, net
from tests.made_explain import cell_picture, middle
from tests.made_members import run_folder, table
from tests.made_training_data import made_cells
from yolo_leuk.dataset import read_dataset
from yolo_leuk.shipped import samples_folder

TORCH = {"torch", "torchvision", "ultralytics"}
HEAVY = {
    *("albumentations", "matplotlib", "onnx", "pandas", "pycocotools", "scipy", "sklearn", "yaml"),
}

# Prints the loaded top-level packages as the last line, whatever the command's exit code.
_RUN = """
import atexit, sys
from yolo_leuk.cli.main import main
atexit.register(lambda: print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules})))
main()
"""


@pytest.fixture
def without_torch(tmp_path):
    """A PYTHONPATH on which importing torch, torchvision or ultralytics raises."""
    folder = tmp_path / "no torch here"
    for name in TORCH:
        package = folder / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(
            f"raise RuntimeError('{name} was imported')\n", encoding="utf-8"
        )
    return folder


@pytest.fixture
def loaded_by(without_torch, tmp_path):
    """Run ``yolo-leuk`` in a fresh process; hand back the packages that it loaded."""

    def run(*arguments: object, exit_code: int = 0) -> set[str]:
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join([str(without_torch), root])
        ended = subprocess.run(
            [sys.executable, "-c", _RUN, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == exit_code, ended.stderr
        return set(ended.stdout.splitlines()[-1].split()[1:])

    return run


def test_the_stand_in_for_torch_cannot_be_imported(without_torch):
    ended = subprocess.run(
        [sys.executable, "-c", "import torch"],
        env={**os.environ, "PYTHONPATH": str(without_torch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "torch was imported" in ended.stderr


@pytest.mark.parametrize(
    "verb",
    [
        (),
        ("detect",),
        ("prepare",),
        ("audit",),
        ("train",),
        ("ensemble",),
        ("evaluate",),
        ("explain",),
        ("benchmark",),
        ("export",),
        ("doctor",),
    ],
)
def test_help_loads_nothing_of_what_the_rooms_need(loaded_by, verb):
    loaded = loaded_by(*verb, "--help")
    assert not loaded & (TORCH | HEAVY | {"cv2", "numpy", "onnxruntime"})


def test_detect_on_the_sample_loads_neither_torch_nor_anything_else_that_is_heavy(loaded_by):
    loaded = loaded_by("detect", samples_folder() / "smear.jpg")
    assert {"cv2", "numpy", "onnxruntime"} <= loaded
    assert not loaded & (TORCH | HEAVY)


def test_doctor_looks_at_torch_without_importing_it(loaded_by):
    assert not loaded_by("doctor") & TORCH


@pytest.mark.slow
def test_prepare_makes_a_data_set_without_torch(loaded_by, tmp_path):
    source = yolo_source(tmp_path / "source")
    loaded = loaded_by("prepare", source, "--kind", "yolo", "--task", "detect")
    assert not loaded & TORCH


@pytest.mark.slow
def test_ensemble_weighs_runs_without_torch(loaded_by, tmp_path):
    runs = [run_folder(tmp_path / name, table(seed=seed)) for seed, name in enumerate("ab")]
    loaded = loaded_by("ensemble", *runs, "--set", "genetic.restarts=1")
    assert not loaded & TORCH


@pytest.mark.slow
def test_evaluate_measures_a_net_without_torch(loaded_by, tmp_path):
    path = net(tmp_path, "one")
    data = made_cells(tmp_path / "cells", (1, 1, 2))
    loaded = loaded_by("evaluate", path, "--data", data, "--set", "draws=5")
    assert not loaded & TORCH


def test_explain_covers_parts_of_what_a_net_is_shown_without_torch(loaded_by, tmp_path):
    path, picture = middle(tmp_path / "net.onnx"), cell_picture(tmp_path / "cell.png")
    loaded = loaded_by("explain", path, picture, "--as", "cell", "--scale", "32")
    assert not loaded & {*TORCH, "captum"}


def test_export_writes_an_ensemble_without_torch(loaded_by, tmp_path):
    data = read_dataset(made_cells(tmp_path / "cells", (1, 1, 2)))
    file = ensemble_file(tmp_path / "both", data, [net(tmp_path, "one"), net(tmp_path, "other")])
    assert not loaded_by("export", file) & TORCH


def test_detect_runs_an_ensemble_on_numpy_opencv_and_onnxruntime_alone(loaded_by, tmp_path):
    data = read_dataset(made_cells(tmp_path / "cells", (1, 1, 2)))
    file = ensemble_file(tmp_path / "both", data, [net(tmp_path, "one"), net(tmp_path, "other")])
    loaded = loaded_by("detect", samples_folder() / "smear.jpg", "--model", file)
    assert not loaded & (TORCH | HEAVY)


def yolo_source(folder: Path) -> Path:
    """A tiny data set in YOLO layout: noise, with a white and five red cells in each picture."""
    rng = np.random.default_rng(0)
    (folder / "data.yaml").parent.mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [WBC, RBC, Platelet]\n")
    for split in ("train", "val", "test"):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for number in range(6):
            picture = rng.integers(0, 256, (240, 320, 3), np.uint8)
            cv2.imwrite(str(folder / "images" / split / f"{split}{number}.png"), picture)
            red_cells = "".join(f"1 {x / 10} 0.2 0.1 0.1\n" for x in range(1, 10, 2))
            boxes = f"0 0.5 0.6 0.2 0.2\n{red_cells}"
            (folder / "labels" / split / f"{split}{number}.txt").write_text(boxes)
    return folder
