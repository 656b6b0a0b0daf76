"""What all kinds of sources end with: names unique, boxes once, bad labels told, all counted."""

from __future__ import annotations

import dataclasses
import hashlib
import unicodedata
from collections.abc import Iterable

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.repeated_boxes import each_box_once
from yolo_leuk.prepare.sources.source_image import Scan, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceTree

_LONGEST_LABEL = 80


def finished_scan(
    tree: SourceTree,
    images: Iterable[SourceImage],
    problems: Iterable[Problem],
    scheme: LabelScheme | None,
    *,
    expected: str,
) -> Scan:
    """Put together what one kind of source has found.

    Args:
        tree: The source.
        images: Its pictures.
        problems: What the kind could not use.
        scheme: The classes of the labels.
        expected: What a source of this kind looks like, for the error.

    Raises:
        DataError: There is no picture that can be used, or two classes differ in case only.
    """
    kept: list[SourceImage] = []
    told = list(problems)
    repeated: list[Problem] = []
    for image in images:
        wrong = next(filter(None, map(_wrong_with_label, _labels_of(image))), "")
        if wrong:
            told.append(problem_of(image.file, wrong))
            continue
        once, again = each_box_once(image)
        kept.append(once)
        repeated += again
    if not kept:
        raise DataError(
            f"{tree.root} has no picture that can be used{_first([*tree.problems, *told])}",
            hint=f"Expected {expected}.",
        )
    _check_case(tree, kept)
    return Scan(_with_own_keys(kept), told, scheme, _unlabelled(tree, kept, told), repeated)


def _first(problems: list[Problem]) -> str:
    if not problems:
        return ""
    return f"; first of {len(problems)} problems: {problems[0].file}: {problems[0].reason}"


def _labels_of(image: SourceImage) -> list[str]:
    return [*([image.label] if image.label is not None else []), *image.box_labels]


def _wrong_with_label(label: str) -> str:
    """Why a class cannot be the name of a folder; empty if it can."""
    is_plain = all(unicodedata.category(c) != "Cc" and c not in '/\\:*?"<>|' for c in label)
    if is_plain and label and label == label.strip(" .") and len(label) <= _LONGEST_LABEL:
        return ""
    return f"its class {label[:_LONGEST_LABEL]!r} cannot be the name of a folder"


def _check_case(tree: SourceTree, images: list[SourceImage]) -> None:
    first: dict[str, str] = {}
    for label in sorted({label for image in images for label in _labels_of(image)}):
        other = first.setdefault(label.casefold(), label)
        if other != label:
            raise DataError(
                f"{tree.root}: the classes {other!r} and {label!r} differ in case only",
                hint="Rename one of them.",
            )


def _with_own_keys(images: list[SourceImage]) -> list[SourceImage]:
    """Keys that differ in more than case; ``a.jpg`` and ``a.png`` had one before."""
    seen: set[str] = set()
    distinct = []
    for image in images:
        own = image
        if image.key.casefold() in seen:
            digest = hashlib.sha256(image.file.name.encode()).hexdigest()[:8]
            own = dataclasses.replace(image, key=f"{image.key}-{digest}")
        seen.add(own.key.casefold())
        distinct.append(own)
    return distinct


def _unlabelled(tree: SourceTree, images: list[SourceImage], problems: list[Problem]) -> int:
    used = {image.file.name for image in images}
    used |= {image.mask.name for image in images if image.mask is not None}
    told = {problem.file for problem in problems}
    return sum(
        file.name not in used and file.display_name not in told for file in tree.pictures.values()
    )
