"""ALL-IDB1: whole fields ``ImNNN_L.jpg``, with the centres of blasts in ``ImNNN_L.xyc``.

L is 1 where the patient has acute lymphoblastic leukemia, and 0 where not. An ``.xyc`` file has a
line ``x y`` for each blast; that of a field without blasts is empty.
"""

from __future__ import annotations

import math
import re

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.text_files import read_text

FACTS = SourceFacts(
    name="all-idb1",
    title="ALL-IDB1: fields of blood smears with and without blasts",
    page="https://homes.di.unimi.it/scotti/all",
    licence="on request, for research; do not redistribute the images",
    size="108 images",
    raw_folder="ALL_IDB1",
    citation="R. Donida Labati, V. Piuri, F. Scotti: ALL-IDB: the acute lymphoblastic leukemia "
    "image database for image processing. ICIP 2011, 2045–2048",
)

SCHEME = LabelScheme(("healthy", "ALL"), blasts=frozenset({"ALL"}))

JPEG_SUFFIXES = {".jpg", ".jpeg"}

_NAME = re.compile(r"Im(?P<number>\d+)_(?P<code>[01])", re.IGNORECASE)


def recognises(tree: SourceTree) -> bool:
    """Whether a tree has JPEG pictures named like ``Im001_1.jpg``."""
    return bool(_fields(tree))


def scan(tree: SourceTree) -> Scan:
    """All fields, sorted by name, with the centres of their blasts.

    Raises:
        DataError: There is none that can be used.
    """
    centre_files = {
        file.place.stem.lower(): file for file in tree.files if file.place.suffix.lower() == ".xyc"
    }
    images: list[SourceImage] = []
    problems: list[Problem] = []
    for file, match in _fields(tree).items():
        label = SCHEME.names[int(match["code"])]
        try:
            centres = _centres(file, label, centre_files)
        except DataError as error:
            problems.append(problem_of(file, str(error)))
            continue
        images.append(
            SourceImage(
                file=file,
                key=file.place.stem,
                source=FACTS.name,
                label=label,
                number=int(match["number"]),
                centres_xy=centres,
            )
        )
    return finished_scan(tree, images, problems, SCHEME, expected="names like im/Im001_1.jpg")


def named_pictures(tree: SourceTree) -> dict[SourceFile, re.Match[str]]:
    """Pictures of both parts of ALL-IDB, with the ``number`` and the ``code`` L in their names."""
    return {
        file: match
        for file in tree.pictures.values()
        if (match := _NAME.fullmatch(file.place.stem)) is not None
    }


def _fields(tree: SourceTree) -> dict[SourceFile, re.Match[str]]:
    return {
        file: match
        for file, match in named_pictures(tree).items()
        if file.place.suffix.lower() in JPEG_SUFFIXES
    }


def _centres(
    file: SourceFile, label: str, centre_files: dict[str, SourceFile]
) -> tuple[tuple[float, float], ...]:
    """Centres of the blasts of a field; none where the copy has no such files at all."""
    if not centre_files:
        return ()
    centre_file = centre_files.get(file.place.stem.lower())
    centres = () if centre_file is None else _points(centre_file)
    if bool(centres) != (label in SCHEME.blasts):
        raise DataError(f"is named as {label}, but has {len(centres)} centres of blasts")
    return centres


def _points(file: SourceFile) -> tuple[tuple[float, float], ...]:
    points = []
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if line.strip():
            points.append(_point(line, f"{file}, line {number}"))
    return tuple(points)


def _point(line: str, where: str) -> tuple[float, float]:
    try:
        x, y = map(float, line.split())
    except ValueError as error:
        raise DataError(f"{where}: expected 'x y', found {line.strip()[:80]!r}") from error
    if not (math.isfinite(x) and math.isfinite(y) and min(x, y) >= 0):
        raise DataError(f"{where}: {line.strip()[:80]!r} is no place in a picture")
    return x, y
