"""Which files of a data set hold boxes, and of which pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from yolo_leuk.audit.coco_boxes import is_named_as_coco, pictures_of, read_coco
from yolo_leuk.audit.folder_names import PICTURE_FOLDERS
from yolo_leuk.errors import DataError

_LABEL_FOLDERS = frozenset({"annotations", "labels"})
_LABEL_SUFFIXES = frozenset({".txt", ".xml"})
_NO_LABELS = frozenset({"classes", "notes", "readme"})  # text files that lie among YOLO labels


@dataclass(frozen=True)
class LabelFiles:
    """Files with boxes, and the pictures that they are of.

    Attributes:
        by_place: One for each picture, by its place.
        coco: One for many pictures, with these.
    """

    by_place: Mapping[str, PurePosixPath]
    coco: Mapping[PurePosixPath, frozenset[PurePosixPath]]

    @property
    def files(self) -> list[PurePosixPath]:
        """All of them, sorted."""
        return sorted([*self.by_place.values(), *self.coco], key=str)

    def of(self, picture: PurePosixPath) -> PurePosixPath | None:
        """The file with the boxes of a picture; of several the first."""
        naming = (file for file, pictures in self.coco.items() if picture in pictures)
        return self.by_place.get(_place(picture)) or next(naming, None)


def label_files(
    root: Path, files: Sequence[PurePosixPath], pictures: Sequence[PurePosixPath]
) -> LabelFiles:
    """Find them among the files of a data set, of which JSON files with boxes are read."""
    return LabelFiles(_by_place(files, pictures), _coco_files(root, files, pictures))


def _by_place(
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
    kinds = PICTURE_FOLDERS | _LABEL_FOLDERS
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
