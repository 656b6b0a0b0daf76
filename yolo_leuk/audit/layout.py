"""What a folder of pictures is: which pictures, in which split, of which class and group.

Any folder will do: one that ``prepare`` wrote (with its manifest), Ultralytics' layouts for
classification (``train/<class>/``) and for detection (``images/``, ``labels/``, ``data.yaml``),
Pascal VOC, COCO, or plain folders of pictures with or without classes.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from yolo_leuk.audit.folder_names import class_folders, listed_splits, split_named, split_of
from yolo_leuk.audit.label_files import LabelFiles, label_files
from yolo_leuk.audit.pictures import DataSet, Picture
from yolo_leuk.errors import ConfigError, DataError, ManifestError
from yolo_leuk.images import SUFFIXES
from yolo_leuk.manifest import CONTACT_SHEET, FILE_NAME

_MASK_FOLDERS = frozenset({"mask", "masks"})

_MANIFEST_COLUMNS = frozenset({"path", "split", "label", "group"})


def open_data_set(folder: Path, group_pattern: str = "") -> DataSet:
    """Find out what a folder holds. Of files, only the manifest and lists of pictures are read.

    Args:
        folder: The data set, or its ``data.yaml`` or ``manifest.csv``.
        group_pattern: Regular expression; where it is found in a file's name and the data set has
            no manifest, its first group (or all of it) names the picture's group.

    Raises:
        ConfigError: ``group_pattern`` is no regular expression.
        DataError: There is no such folder, or no picture in it.
        ManifestError: It has a manifest that cannot be read.
    """
    root = folder.parent if folder.is_file() and folder.suffix in (".csv", ".yaml") else folder
    if root.is_file():
        raise DataError(
            f"expected the folder of a data set, found the file {root}",
            hint="Unpack it first; or audit what yolo-leuk prepare makes of it.",
        )
    if not root.is_dir():
        raise DataError(f"there is no folder {root}", hint="Name the folder of a data set.")
    files = list(_files_in(root))
    pictures = [name for name in files if name.suffix.lower() in SUFFIXES and not _is_mask(name)]
    if not pictures:
        raise DataError(
            f"no pictures in {root}: expected {', '.join(sorted(SUFFIXES))} files there or below, "
            f"found {len(files)} other files"
        )
    labels = label_files(root, files, pictures)
    data_set = _by_folders(root, pictures, labels, _compiled(group_pattern))
    rows = _manifest_rows(root / FILE_NAME)
    return data_set if rows is None else _by_manifest(data_set, rows)


def _files_in(root: Path) -> Iterator[PurePosixPath]:
    """Files below a folder, sorted; hidden ones and what links to folders lead to are left out."""
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and (Path(place) / name).is_file():
                yield PurePosixPath((Path(place) / name).relative_to(root).as_posix())


def _is_mask(name: PurePosixPath) -> bool:
    return any(part.lower() in _MASK_FOLDERS for part in name.parts[:-1])


def _by_folders(
    root: Path,
    names: Sequence[PurePosixPath],
    labels: LabelFiles,
    group_pattern: re.Pattern[str] | None,
) -> DataSet:
    listed = listed_splits(root)
    classes = set() if labels.files else class_folders(names)
    title = root.resolve().name
    pictures = []
    for name in names:
        split, folders = split_of(name.parts[:-1])
        label_file = labels.of(name)
        pictures.append(
            Picture(
                file=root / name,
                data_set=_shown(title),
                path=_shown(str(name)),
                split=split or listed.get(name.stem) or split_named(label_file),
                label=_shown(folders[-1]) if folders and folders[-1] in classes else "",
                group=_group_of(name.stem, group_pattern),
                label_file="" if label_file is None else str(label_file),
            )
        )
    return DataSet(
        root=root,
        name=_shown(title),
        layout=_layout(labels.files, classes),
        pictures=tuple(pictures),
        label_files=tuple(str(name) for name in labels.files),
    )


def _layout(labels: Sequence[PurePosixPath], classes: set[str]) -> str:
    suffixes = {name.suffix.lower() for name in labels}
    if ".json" in suffixes:
        return "pictures with boxes in COCO files"
    if ".xml" in suffixes:
        return "pictures with boxes in Pascal VOC files"
    if labels:
        return "pictures with boxes in YOLO files"
    return "a folder for each class" if classes else "pictures without classes"


def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.IGNORECASE) if pattern else None
    except re.error as error:
        raise ConfigError(f"group_pattern {pattern!r} is no regular expression: {error}") from error


def _group_of(stem: str, pattern: re.Pattern[str] | None) -> str:
    match = pattern.search(stem) if pattern else None
    return "" if match is None else match.group(min(1, match.re.groups)).upper()


def _manifest_rows(file: Path) -> dict[str, dict[str, str]] | None:
    """Path to row of a manifest of ours; None where there is none.

    ``read_manifest`` would refuse one that leaks; here that is what is looked for. Other data sets
    have files of that name too, with other columns.
    """
    if not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            if not _MANIFEST_COLUMNS.issubset(reader.fieldnames or ()):
                return None
            return {row["path"]: row for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"cannot read the manifest {file}: {error}") from error


def _by_manifest(data_set: DataSet, rows: Mapping[str, Mapping[str, str]]) -> DataSet:
    """The data set with split, class and group as its manifest says."""
    listed = tuple(p for p in data_set.pictures if p.path != CONTACT_SHEET)
    found = {picture.path for picture in listed}
    pictures = tuple(
        replace(
            picture,
            split=row["split"],
            label=row["label"],
            group=row["group"],
            source_sha256=row.get("sha256", ""),
        )
        if (row := rows.get(picture.path))
        else picture
        for picture in listed
    )
    return replace(
        data_set,
        layout=f"{data_set.layout}, with a manifest",
        pictures=pictures,
        missing=tuple(sorted(rows.keys() - found)),
        unlisted=tuple(sorted(found - rows.keys())),
    )


def _shown(name: str) -> str:
    """A file name as text that can always be written: on Linux it may hold bytes of any kind."""
    return os.fsencode(name).decode("utf-8", "replace")
