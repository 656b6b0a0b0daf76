"""A box of a label file, and what can be wrong with one; what all readers of such files give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Corners = tuple[float, float, float, float]

Kind = Literal[
    "no_area",
    "outside",
    "unknown_class",
    "twice",
    "unreadable",
    "wrong_size",
    "no_picture",
    "no_label_file",
    "not_in_manifest",
    "missing_picture",
]

MEANINGS: dict[Kind, str] = {
    "no_area": "box without area",
    "outside": "box that reaches out of its picture",
    "unknown_class": "class that the data set does not name",
    "twice": "the same box twice",
    "unreadable": "line or file that cannot be understood",
    "wrong_size": "file with another size than its picture",
    "no_picture": "labels without a picture",
    "no_label_file": "picture without labels",
    "not_in_manifest": "picture that the manifest does not name",
    "missing_picture": "picture of the manifest that is not there",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong with a label.

    Attributes:
        kind: One of MEANINGS.
        file: Relative to the data set.
        detail: What was found, with its line where it has one.
    """

    kind: Kind
    file: str
    detail: str = ""


@dataclass(frozen=True)
class Box:
    """A box as it stands in a label file.

    Attributes:
        picture: Path of its picture in the data set; empty where there is none.
        where: Its place in the file.
        label: Its class.
        xyxy: Corners in pixels; as fractions where the size of the picture is not known.
    """

    picture: str
    where: str
    label: str
    xyxy: Corners


def finite(text: str) -> float:
    """A number; ValueError for anything else, also for what Python calls one: nan and inf."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
