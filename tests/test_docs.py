"""The commands of the documentation are such that the program takes them."""

from __future__ import annotations

import re
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer

from tests.made_fields import all4_tree
from yolo_leuk.cli.main import app
from yolo_leuk.config import resolve
from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare import run as prepare
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.train.config import TrainConfig

ROOT = Path(__file__).resolve().parent.parent
CONFIGS: dict[str, Any] = {"prepare": PrepareConfig, "train": TrainConfig}


def commands_of(page: Path) -> list[str]:
    """The calls of yolo-leuk in the shell blocks of a page, one line each."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").replace("$arch", "v11n").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("yolo-leuk ")]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    pytest.param(line, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, line in enumerate(commands_of(page))
]


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The verb of a command, and what its options say."""
    _, verb, *arguments = shlex.split(line, comments=True)
    command = typer.main.get_command(app).commands[verb]
    return verb, command.make_context(verb, arguments).params


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_documentation_has_options_and_settings_that_there_are(line):
    verb, options = parsed(line)
    if verb in CONFIGS:
        resolve(CONFIGS[verb], options["config"], options["assignments"] or ())


def test_every_page_with_commands_was_read():
    assert {page.stem for page in PAGES if commands_of(page)} >= {
        *("README", "from-archives", "prepare", "training"),
    }


# --- from the archives ---------------------------------------------------------------------------


def as_zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))


def cnmc_tree(folder: Path) -> None:
    """Two cells of each of six leukemic and six normal subjects."""
    for subject in range(12):
        label, name = ("all", str(subject)) if subject % 2 else ("hem", f"H{subject}")
        for cell in (1, 2):
            rgb = np.zeros((90, 90, 3), np.uint8)
            cv2.circle(rgb, (45, 45), 24 + cell, (150, 60 + 10 * subject, 110), cv2.FILLED)
            path = folder / f"fold_{subject % 3}" / label / f"UID_{name}_{cell}_1_{label}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), rgb)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the zips that the page names, in small."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "datasets" / "raw").mkdir(parents=True)
    cnmc_tree(folder / "cnmc")
    all4_tree(folder / "all4")
    for name in ("cnmc", "all4"):
        as_zip(folder / name, folder / "datasets" / "raw" / f"{name}.zip")
    return folder


PREPARED = [
    line for line in commands_of(ROOT / "docs" / "from-archives.md") if "prepare" in line.split()
]


@pytest.mark.parametrize("line", PREPARED)
def test_an_archive_becomes_the_data_set_of_three_folds_that_the_page_tells(
    desk, monkeypatch, line
):
    monkeypatch.chdir(desk)
    _, options = parsed(line)
    flags = {key: options[key] for key in ("level", "out")}
    flags |= {"sources": tuple(options["sources"]), "folds": int(options["folds"])}
    config = resolve(PrepareConfig, assignments=options["assignments"] or (), flags=flags)
    told: list[str] = []
    prepare.run(replace(config, workers=1), tell=told.append)
    kind = options["sources"][0].stem
    assert told[0].startswith(f"{options['sources'][0]}: taken for {kind}, ")
    assert {sample.fold for sample in read_manifest(config.out)} == {-1, 0, 1, 2}
