"""What a folder of pictures is: which pictures, in which split, of which class and group.

Any folder will do: one that ``prepare`` wrote (with its manifest), Ultralytics' layouts for
classification (``train/<class>/``) and for detection (``images/``, ``labels/``, ``data.yaml``),
Pascal VOC, COCO, or plain folders of pictures with or without classes.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from yolo_leuk.audit.coco_boxes import is_named_as_coco, pictures_of, read_coco
from yolo_leuk.errors import ConfigError, DataError, ManifestError
from yolo_leuk.images import SUFFIXES
from yolo_leuk.manifest import CONTACT_SHEET, FILE_NAME

# Folders that say what lies in them, not what it shows; without them the place of a label file is
# that of its picture.
_PICTURE_FOLDERS = frozenset({"image", "images", "imgs", "jpegimages"})
_LABEL_FOLDERS = frozenset({"annotations", "labels"})
_MASK_FOLDERS = frozenset({"mask", "masks"})
_LABEL_SUFFIXES = frozenset({".txt", ".xml"})
_NO_LABELS = frozenset({"classes", "notes", "readme"})  # text files that lie among YOLO labels

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
_MANIFEST_COLUMNS = frozenset({"path", "split", "label", "group"})


@dataclass(frozen=True)
class Picture:
    """One picture of a data set.

    Attributes:
        file: Where it lies.
        data_set: Name of the data set.
        path: In the data set, with forward slashes; what outputs call it.
        split: ``train``, ``val``, ``test``, the name of a fold, or empty.
        label: Class of the whole picture; empty where it has none.
        group: What must stay in one split; empty where nothing says so.
        source_sha256: Of the file that the picture was made from, by the manifest; else empty.
        label_file: Of its boxes, relative to the data set; empty where there is none.
    """

    file: Path
    data_set: str
    path: str
    split: str = ""
    label: str = ""
    group: str = ""
    source_sha256: str = ""
    label_file: str = ""


@dataclass(frozen=True)
class DataSet:
    """A folder of pictures.

    Attributes:
        root: The folder.
        name: What outputs call it.
        layout: What it was taken for, in words.
        pictures: Sorted by path.
        label_files: Files with boxes, relative to the root, sorted.
        missing: Pictures that the manifest names and that are not there.
        unlisted: Pictures that are there and that the manifest does not name.
    """

    root: Path
    name: str
    layout: str
    pictures: tuple[Picture, ...]
    label_files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits: train, val and test first, then folds."""
        found = {picture.split for picture in self.pictures if picture.split}
        order = {"train": 0, "val": 1, "test": 2}
        return tuple(sorted(found, key=lambda split: (order.get(split, 3), split)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of whole pictures, sorted."""
        return tuple(sorted({picture.label for picture in self.pictures if picture.label}))


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
    labels = _Labels(_label_files(files, pictures), _coco_files(root, files, pictures))
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


def _label_files(
    files: Iterable[PurePosixPath], pictures: Iterable[PurePosixPath]
) -> dict[str, PurePosixPath]:
    """Place to file with boxes: those in a folder for labels, and those beside a picture."""
    places = {_place(picture) for picture in pictures}
    return {
        _place(name): name
        for name in files
        if name.suffix.lower() in _LABEL_SUFFIXES
        and name.stem.lower() not in _NO_LABELS
        and (_place(name) in places or any(p.lower() in _LABEL_FOLDERS for p in name.parts[:-1]))
    }


def _place(name: PurePosixPath) -> str:
    """What a picture and its label file have in common: the path without the kind of its folder."""
    kinds = _PICTURE_FOLDERS | _LABEL_FOLDERS
    folders = [part for part in name.parts[:-1] if part.lower() not in kinds]
    return "/".join([*folders, name.stem])


def _coco_files(
    root: Path, files: Iterable[PurePosixPath], pictures: Sequence[PurePosixPath]
) -> dict[PurePosixPath, frozenset[PurePosixPath]]:
    """Each JSON file with boxes, and the pictures that it names."""
    named = {}
    for file in filter(is_named_as_coco, files):
        try:
            coco = read_coco(root / file)
        except DataError:  # check_labels says so
            named[file] = frozenset[PurePosixPath]()
        else:
            named[file] = frozenset(pictures_of(coco, file, pictures).values())
    return named


@dataclass(frozen=True)
class _Labels:
    """Files with boxes.

    Attributes:
        by_place: One for each picture, by its place.
        coco: One for many pictures, with these.
    """

    by_place: Mapping[str, PurePosixPath]
    coco: Mapping[PurePosixPath, frozenset[PurePosixPath]]

    @property
    def files(self) -> list[PurePosixPath]:
        return sorted([*self.by_place.values(), *self.coco], key=str)

    def of(self, picture: PurePosixPath) -> PurePosixPath | None:
        """The file with the boxes of a picture; of several the first."""
        naming = (file for file, pictures in self.coco.items() if picture in pictures)
        return self.by_place.get(_place(picture)) or next(naming, None)


def _by_folders(
    root: Path,
    names: Sequence[PurePosixPath],
    labels: _Labels,
    group_pattern: re.Pattern[str] | None,
) -> DataSet:
    listed = _listed_splits(root)
    classes = set() if labels.files else _class_folders(names)
    title = root.resolve().name
    pictures = []
    for name in names:
        split, folders = _split_of(name.parts[:-1])
        label_file = labels.of(name)
        pictures.append(
            Picture(
                file=root / name,
                data_set=_shown(title),
                path=_shown(str(name)),
                split=split or listed.get(name.stem) or _split_named(label_file),
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


def _class_folders(names: Iterable[PurePosixPath]) -> set[str]:
    """Names of folders that stand beside another one with pictures: one alone divides nothing."""
    beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for name in names:
        split, folders = _split_of(name.parts[:-1])
        if folders and folders[-1].lower() not in _PICTURE_FOLDERS:
            beside[(split, *folders[:-1])].add(folders[-1])
    return {folder for folders in beside.values() if len(folders) > 1 for folder in folders}


def _split_of(folders: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Name of the split, and the folders below the one that names it; all where none does."""
    for position in reversed(range(len(folders))):
        if match := _SPLIT_FOLDER.fullmatch(folders[position]):
            return _SPLIT_NAMES[match.group(1).lower()], folders[position + 1 :]
        if _FOLD_FOLDER.fullmatch(folders[position]):
            return folders[position].lower(), folders[position + 1 :]
    return "", folders


def _split_named(label_file: PurePosixPath | None) -> str:
    """The split that the name of a JSON file says, as that of ``instances_train2017.json``."""
    if label_file is None or label_file.suffix.lower() != ".json":
        return ""
    words = re.split(r"[\W\d_]+", label_file.stem.lower())
    return next((_SPLIT_NAMES[word] for word in words if word in _SPLIT_NAMES), "")


def _listed_splits(root: Path) -> dict[str, str]:
    """File name without suffix to split, as ``ImageSets/Main`` of Pascal VOC lists them."""
    splits = {}
    for split in ("train", "val", "test"):
        file = root / "ImageSets" / "Main" / f"{split}.txt"
        if file.is_file():
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            splits.update({line.split()[0]: split for line in lines if line.strip()})
    return splits


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
