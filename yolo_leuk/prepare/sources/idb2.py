"""ALL-IDB2: single cells ``ImNNN_L.tif``; L is 1 for a blast and 0 for a normal cell."""

from __future__ import annotations

import re

from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.sources import idb1
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree

FACTS = SourceFacts(
    name="all-idb2",
    title="ALL-IDB2: single cells of blood smears",
    page=idb1.FACTS.page,
    licence=idb1.FACTS.licence,
    size="260 images",
    raw_folder="ALL_IDB2",
    citation=idb1.FACTS.citation,
)

SCHEME = LabelScheme(("normal", "blast"), blasts=frozenset({"blast"}))


def recognises(tree: SourceTree) -> bool:
    """Whether a tree has pictures named like ``Im001_1.tif`` that are no JPEG."""
    return bool(_cells(tree))


def scan(tree: SourceTree) -> Scan:
    """All cells, sorted by name.

    Raises:
        DataError: There is none that can be used.
    """
    images = [
        SourceImage(
            file=file,
            key=file.place.stem,
            source=FACTS.name,
            label=SCHEME.names[int(match["code"])],
            number=int(match["number"]),
            is_cell=True,
        )
        for file, match in _cells(tree).items()
    ]
    return finished_scan(tree, images, [], SCHEME, expected="names like img/Im001_1.tif")


def _cells(tree: SourceTree) -> dict[SourceFile, re.Match[str]]:
    return {
        file: match
        for file, match in idb1.named_pictures(tree).items()
        if file.place.suffix.lower() not in idb1.JPEG_SUFFIXES
    }
