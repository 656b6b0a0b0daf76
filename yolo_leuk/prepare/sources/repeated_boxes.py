"""Boxes that a source has twice: the same class at the same place of one picture."""

from __future__ import annotations

import dataclasses

from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.source_image import SourceImage


def each_box_once(image: SourceImage) -> tuple[SourceImage, list[Problem]]:
    """A picture without repeated boxes, and a note on each of these.

    A box that stands twice would be counted, learnt and tested as two cells. One of another class
    at the same place is no repetition: which of the two is right cannot be told.
    """
    if image.boxes_cxcywhn is None:
        return image, []
    first: dict[tuple[str, tuple[float, ...]], int] = {}
    repeated: list[Problem] = []
    for row, (label, box) in enumerate(zip(image.box_labels, image.boxes_cxcywhn, strict=True)):
        if first.setdefault((label, tuple(box.tolist())), row) != row:
            place = " ".join(f"{value:.4g}" for value in box)
            reason = f"left out: the box of {label} at {place} is there already"
            repeated.append(problem_of(image.file, reason))
    if not repeated:
        return image, []
    rows = list(first.values())
    once = dataclasses.replace(
        image,
        boxes_cxcywhn=image.boxes_cxcywhn[rows],
        box_labels=tuple(image.box_labels[row] for row in rows),
    )
    return once, repeated
