"""The pictures of a data set as an audit sees them: where each lies, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
