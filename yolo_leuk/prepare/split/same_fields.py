"""Pictures that show the same field, in whole or in part: no two folds may share one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from yolo_leuk.near_duplicates import near_pairs
from yolo_leuk.overlaps import overlapping
from yolo_leuk.prepare.facts import PictureFacts
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split.splits import Placement
from yolo_leuk.thumbnail import Thumbnail, spectra_of

Pair = tuple[int, int]
"""Rows of two pictures."""

# Of two splits, the one further on keeps a field: nothing may be learnt on what is asked later.
_ORDER = ("train", "val", "test")


def same_fields(
    images: Sequence[SourceImage], facts: Sequence[PictureFacts], *, workers: int = 1
) -> list[Pair]:
    """Pairs of pictures of one data set that show the same field.

    Whatever was done to the light, the size and the file of one of them; turned, mirrored, or moved
    by up to a fifth of the field. Among pictures of one class, also such that were moved further
    and share a fifth of the field.

    Of byte-identical pictures only the first is compared; pictures of known subjects are not, for
    their subject tells more.

    Args:
        images: All pictures.
        facts: Of each picture.
        workers: Threads.
    """
    of_data_set: dict[str, dict[str, int]] = defaultdict(dict)
    for row, (image, fact) in enumerate(zip(images, facts, strict=True)):
        if fact.look is not None:
            of_data_set[image.data_set].setdefault(fact.sha256, row)
    thumbnails = {row: fact.look.thumbnail for row, fact in enumerate(facts) if fact.look}
    found: set[Pair] = set()
    with ThreadPoolExecutor(workers) as pool:  # numpy and OpenCV let other threads run
        for rows in (list(first.values()) for first in of_data_set.values()):
            of_class: dict[str | None, list[int]] = defaultdict(list)
            for row in rows:
                of_class[images[row].label].append(row)
            found.update(_near(rows, thumbnails, workers))
            largest_first = sorted(of_class.values(), key=len, reverse=True)
            for pairs in pool.map(lambda alike: _moved(alike, thumbnails), largest_first):
                found.update(pairs)
    return sorted(found)


def _near(rows: Sequence[int], thumbnails: Mapping[int, Thumbnail], workers: int) -> list[Pair]:
    shown = [thumbnails[row] for row in rows]
    near = near_pairs(shown, spectra_of(shown), len(rows), workers=workers)
    return [(rows[pair.first], rows[pair.second]) for pair in near.pairs]


def _moved(rows: Sequence[int], thumbnails: Mapping[int, Thumbnail]) -> list[Pair]:
    found = overlapping([thumbnails[row] for row in rows])
    return [(rows[overlap.first], rows[overlap.second]) for overlap in found]


def torn_fields(pairs: Sequence[Pair], places: Mapping[int, Placement]) -> dict[int, int]:
    """Rows to leave out, each with the row in a later split, or fold, that shows the same field.

    Groups keep a field together; but a split that a source brings, or that is kept, may tear it
    apart.

    Args:
        pairs: Pictures that show the same field.
        places: Of each row that has one.
    """
    torn = {}
    for pair in pairs:
        if not places.keys() >= set(pair):
            continue
        early, late = sorted(pair, key=lambda row: (_ORDER.index(places[row].split), row))
        if places[early] != places[late]:
            torn[early] = late
    return torn
