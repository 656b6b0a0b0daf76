"""File formats and sizes, and whether they go with a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from yolo_leuk.audit.balance import NO_CLASS, NO_SPLIT
from yolo_leuk.audit.pictures import Picture
from yolo_leuk.audit.probe import Score, Trials, commonest, scores_of
from yolo_leuk.audit.scan import PictureFacts

_SUFFIXES_OF = {
    "BMP": {".bmp"},
    "JPEG": {".jpeg", ".jpg"},
    "PNG": {".png"},
    "TIFF": {".tif", ".tiff"},
    "WebP": {".webp"},
}


@dataclass(frozen=True)
class Property:
    """One property of the files.

    Attributes:
        name: ``suffix``, ``format``, ``size`` or ``JPEG quality``.
        counts: Value to class (or split, where there are no classes) to number of pictures; the
            commonest value first.
        scores: How well the value alone predicts the class; empty where that was not tried.
    """

    name: str
    counts: dict[str, dict[str, int]]
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Formats:
    """What the files are.

    Attributes:
        properties: Each with its counts.
        misnamed: Pictures whose suffix is that of another format.
    """

    properties: tuple[Property, ...]
    misnamed: tuple[Picture, ...]


def formats_of(
    pictures: Sequence[Picture], facts: Sequence[PictureFacts], trials: Trials | None
) -> Formats:
    """Tell formats, sizes and qualities, and how well they predict the class."""
    values = {
        "suffix": [PurePosixPath(picture.path).suffix.lower() for picture in pictures],
        "format": [fact.kind for fact in facts],
        "size": [f"{fact.size_wh[0]}×{fact.size_wh[1]}" for fact in facts],
    }
    if any(fact.jpeg_quality for fact in facts):
        values["JPEG quality"] = [str(fact.jpeg_quality or "none") for fact in facts]
    misnamed = [
        picture
        for picture, fact, suffix in zip(pictures, facts, values["suffix"], strict=True)
        if suffix not in _SUFFIXES_OF[fact.kind]
    ]
    properties = [_property(name, found, pictures, trials) for name, found in values.items()]
    return Formats(tuple(properties), tuple(misnamed))


def _property(
    name: str, values: Sequence[str], pictures: Sequence[Picture], trials: Trials | None
) -> Property:
    if trials:
        beside = [picture.label or NO_CLASS for picture in pictures]
    else:
        beside = [picture.split or NO_SPLIT for picture in pictures]
    pairs = Counter(zip(values, beside, strict=True))
    counts = {
        value: {other: pairs[value, other] for other in sorted(set(beside)) if pairs[value, other]}
        for value, _ in sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    }
    if trials is None or len(counts) < 2:
        return Property(name, counts, ())
    labels = [picture.label for picture in pictures]
    return Property(name, counts, scores_of(np.array(values), labels, trials, commonest))
