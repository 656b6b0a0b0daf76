"""The kinds of sources, in the order in which a layout is tried against them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources import (
    all4,
    class_folders,
    cnmc,
    coco,
    idb1,
    idb2,
    masked_cells,
    table,
    voc,
    yolo,
)
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts
from yolo_leuk.prepare.sources.source_tree import SourceTree


@dataclass(frozen=True)
class Kind:
    """One layout of a source.

    Attributes:
        name: As ``--kind`` takes it.
        facts: The data set that it is made for; None for layouts that anybody may use.
        recognises: Whether a tree has this layout.
        scan: The pictures of a tree. Raises DataError where there are none that can be used.
    """

    name: str
    facts: SourceFacts | None
    recognises: Callable[[SourceTree], bool]
    scan: Callable[[SourceTree], Scan]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("cnmc", cnmc.FACTS, cnmc.recognises, cnmc.scan),
        Kind("all4", all4.FACTS, all4.recognises, all4.scan),
        Kind("yolo", yolo.TXL_PBC, yolo.recognises, yolo.scan),
        Kind("coco", None, coco.recognises, coco.scan),
        Kind("voc", voc.BCCD, voc.recognises, voc.scan),
        Kind("idb1", idb1.FACTS, idb1.recognises, idb1.scan),
        Kind("idb2", idb2.FACTS, idb2.recognises, idb2.scan),
        Kind("table", None, table.recognises, table.scan),
        Kind("masks", masked_cells.CELLAVISION, masked_cells.recognises, masked_cells.scan),
        Kind("folder", None, class_folders.recognises, class_folders.scan),
    )
}


def recognised(tree: SourceTree) -> Kind:
    """The first kind whose layout a tree has.

    Raises:
        DataError: It has none of them; the message names all.
    """
    for kind in KINDS.values():
        if kind.recognises(tree):
            return kind
    raise DataError(
        f"{tree.root} has the layout of no known source ({', '.join(KINDS)})",
        hint="Name the folder that holds the data set, or say with --kind what it is.",
    )
