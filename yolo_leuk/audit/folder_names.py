"""What the names of folders and lists say: the split of a picture, and whether it has a class."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

# Folders that say that pictures lie in them, not what they show.
PICTURE_FOLDERS = frozenset({"image", "images", "imgs", "jpegimages"})

_SPLIT_FOLDER = re.compile(
    r"(?:.*[_-])?(train|training|val|valid|validation|test|testing)(?:[_-]?(?:data|set|\d+))?",
    re.IGNORECASE,
)
_FOLD_FOLDER = re.compile(r"fold[_-]?\d+", re.IGNORECASE)
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def class_folders(names: Iterable[PurePosixPath]) -> set[str]:
    """Names of folders that stand beside another one with pictures: one alone divides nothing."""
    beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for name in names:
        split, folders = split_of(name.parts[:-1])
        if folders and folders[-1].lower() not in PICTURE_FOLDERS:
            beside[(split, *folders[:-1])].add(folders[-1])
    return {folder for folders in beside.values() if len(folders) > 1 for folder in folders}


def split_of(folders: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Name of the split, and the folders below the one that names it; all where none does."""
    for position in reversed(range(len(folders))):
        if match := _SPLIT_FOLDER.fullmatch(folders[position]):
            return _SPLIT_NAMES[match.group(1).lower()], folders[position + 1 :]
        if _FOLD_FOLDER.fullmatch(folders[position]):
            return folders[position].lower(), folders[position + 1 :]
    return "", folders


def split_named(label_file: PurePosixPath | None) -> str:
    """The split that the name of a JSON file says, as that of ``instances_train2017.json``."""
    if label_file is None or label_file.suffix.lower() != ".json":
        return ""
    words = re.split(r"[\W\d_]+", label_file.stem.lower())
    return next((_SPLIT_NAMES[word] for word in words if word in _SPLIT_NAMES), "")


def listed_splits(root: Path) -> dict[str, str]:
    """File name without suffix to split, as ``ImageSets/Main`` of Pascal VOC lists them."""
    splits = {}
    for split in ("train", "val", "test"):
        file = root / "ImageSets" / "Main" / f"{split}.txt"
        if file.is_file():
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            splits.update({line.split()[0]: split for line in lines if line.strip()})
    return splits
