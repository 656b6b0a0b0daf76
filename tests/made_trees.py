"""Small sources for tests: from names alone, as a folder, or as a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from yolo_leuk.prepare.problems import Problem
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree, open_tree


def tree_of(names: Iterable[str], root: Path = Path("made")) -> SourceTree:
    """A tree of names; nothing of it can be read."""
    return SourceTree(root, tuple(SourceFile(root, name) for name in sorted(names)))


def write_folder(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def folder_of(folder: Path, files: Mapping[str, bytes | str]) -> SourceTree:
    return open_tree(write_folder(folder, files))


def zip_of(path: Path, files: Mapping[str, bytes | str]) -> SourceTree:
    return open_tree(write_zip(path, files))


def picture(width: int = 40, height: int = 30, suffix: str = ".png") -> bytes:
    """A picture of one colour."""
    return cv2.imencode(suffix, np.full((height, width, 3), 200, np.uint8))[1].tobytes()


def reasons(problems: Iterable[Problem]) -> dict[str, str]:
    """What is wrong with each file."""
    return {problem.file: problem.reason for problem in problems}
