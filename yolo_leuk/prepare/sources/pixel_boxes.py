"""Boxes that a source gives in pixels, as fractions of their picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry
from yolo_leuk.image_headers import read_header
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.source_tree import SourceFile

_TURNED = 5  # EXIF orientations from here on swap width and height


@dataclass(frozen=True)
class PixelBox:
    """A box as it stands in a label file: class and corners x1, y1, x2, y2."""

    label: str
    xyxy: tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxFractions:
    """Boxes that can be used, and what is wrong with the others.

    Attributes:
        cxcywhn: Fractions of the image, float64, shape (n, 4).
        labels: Class of each box.
        problems: One for each box that was left out.
    """

    cxcywhn: npt.NDArray[np.float64]
    labels: tuple[str, ...]
    problems: tuple[Problem, ...]


def upright_size_wh(file: SourceFile) -> tuple[int, int]:
    """Size of a picture by its header, after its EXIF orientation.

    Raises:
        DataError: It is missing, or no picture.
    """
    header = read_header(file.read(), Path(str(file)))
    width, height = header.size_wh
    return (height, width) if header.orientation >= _TURNED else (width, height)


def as_fractions(
    boxes: Sequence[PixelBox], size_wh: tuple[int, int], file: SourceFile
) -> BoxFractions:
    """Turn boxes to fractions; what reaches beyond the picture is cut off.

    Args:
        boxes: In pixels of the upright picture.
        size_wh: Of the picture.
        file: Named in the problems of boxes that have no area inside the picture.
    """
    xyxy, labels, problems = [], [], []
    for number, box in enumerate(boxes, 1):
        wrong = _wrong_with(box, size_wh)
        if wrong:
            problems.append(problem_of(file, f"box {number} ({box.label}) {wrong}"))
        else:
            xyxy.append(box.xyxy)
            labels.append(box.label)
    inside = np.clip(np.array(xyxy, np.float64).reshape(-1, 4), 0, [*size_wh, *size_wh])
    cxcywhn = np.asarray(geometry.cxcywhn_from_xyxy(inside, size_wh), np.float64)
    return BoxFractions(cxcywhn, tuple(labels), tuple(problems))


def _wrong_with(box: PixelBox, size_wh: tuple[int, int]) -> str:
    x1, y1, x2, y2 = box.xyxy
    if not all(math.isfinite(value) for value in box.xyxy):
        return "has a corner that is no number"
    if x2 <= x1 or y2 <= y1:
        return "has no area"
    if x2 <= 0 or y2 <= 0 or x1 >= size_wh[0] or y1 >= size_wh[1]:
        return "lies outside the picture"
    return ""
