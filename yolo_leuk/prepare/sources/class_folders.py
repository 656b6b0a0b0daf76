"""Pictures in a folder for each class, below folders for train, val and test or not."""

from __future__ import annotations

from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.source_image import Scan, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceTree
from yolo_leuk.prepare.sources.split_names import split_named


def recognises(tree: SourceTree) -> bool:
    """Whether pictures lie in two folders or more, one for each class."""
    return len({label for label, _ in _labelled(tree).values()}) > 1


def scan(tree: SourceTree) -> Scan:
    """All pictures in folders of classes, sorted by place.

    Raises:
        DataError: There is none.
    """
    labelled = _labelled(tree)
    images = [
        SourceImage(
            file=tree.pictures[place],
            key=place.rpartition(".")[0].replace("/", "-"),
            source=tree.name,
            label=label,
            split=split,
        )
        for place, (label, split) in labelled.items()
    ]
    names = sorted({label for label, _ in labelled.values()})
    scheme = LabelScheme(tuple(names)) if names else None
    return finished_scan(tree, images, [], scheme, expected="a folder of pictures for each class")


def _labelled(tree: SourceTree) -> dict[str, tuple[str, str | None]]:
    """Class and split of each picture by its place; the class is the folder below the split's."""
    found: dict[str, tuple[str, str | None]] = {}
    for place in tree.pictures:
        folders = place.split("/")[:-1]
        split = split_named(folders[:1])
        labels = folders if split is None else folders[1:]
        if labels:
            found[place] = (labels[0], split)
    return found
