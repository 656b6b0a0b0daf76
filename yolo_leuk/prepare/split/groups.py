"""Groups: what must stay in one split, by patient where one is known, else by what looks alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.prepare.facts import PictureFacts
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split.looks import Look, group_by_look, join_nearest, pieces_of
from yolo_leuk.prepare.split.same_fields import Pair
from yolo_leuk.prepare.split.subjects import patients_of


@dataclass(frozen=True)
class Groups:
    """What must stay in one split.

    Attributes:
        names: Group of each picture.
        joined: Subjects that share a byte-identical file and so are one patient.
    """

    names: tuple[str, ...]
    joined: tuple[tuple[str, ...], ...]


def groups_of(
    images: Sequence[SourceImage],
    facts: Sequence[PictureFacts],
    groups_per_class: int,
    kept: Mapping[str, str] | None = None,
    same: Sequence[Pair] = (),
) -> Groups:
    """Group all pictures of a run.

    A picture goes by its patient where it has a subject; else by its look where it was looked at
    and brings no split; else it is a group of its own. Byte-identical pictures are always together.

    Args:
        images: All pictures, byte-identical ones too: they tell which subjects are one patient.
        facts: Of each picture.
        groups_per_class: Groups by look, at most, of each class of a data set.
        kept: Group by SHA-256 of files that were grouped before. Of a class that has such groups,
            new pictures join the nearest and no new group is made, since new pictures would
            otherwise draw all borders anew.
        same: Pictures that show the same field: always together, unless kept apart.
    """
    sha256s = [fact.sha256 for fact in facts]
    patients = patients_of(images, sha256s)
    first = {sha256: row for row, sha256 in reversed(list(enumerate(sha256s)))}
    names = [image.sample_id for image in images]
    by_look: dict[str, list[int]] = {}
    for row, (image, patient) in enumerate(zip(images, patients, strict=True)):
        if patient:
            names[row] = patient.group
        elif facts[row].look and image.split is None and first[sha256s[row]] == row:
            by_look.setdefault(image.data_set, []).append(row)
    for data_set, rows in by_look.items():
        place = {row: number for number, row in enumerate(rows)}
        own = [(place[one], place[other]) for one, other in same if {one, other} <= place.keys()]
        found = _groups_by_look(
            data_set,
            [images[row] for row in rows],
            [look for row in rows if (look := facts[row].look)],
            [(kept or {}).get(sha256s[row]) for row in rows],
            groups_per_class,
            pieces_of(own, len(rows)),
        )
        for row, name in zip(rows, found, strict=True):
            names[row] = name
    several = {p for p in patients if p and len(p.names) > 1}
    return Groups(
        tuple(names[first[sha256]] for sha256 in sha256s),
        tuple(p.subjects for p in sorted(several, key=lambda p: p.names)),
    )


def groups_as_spelt(images: Sequence[SourceImage]) -> Groups:
    """Group by subject as the source spells it, though some are one patient: for its own folds."""
    names = (f"{i.data_set}-{i.subject}" if i.subject else i.sample_id for i in images)
    return Groups(tuple(names), ())


def _groups_by_look(
    data_set: str,
    images: Sequence[SourceImage],
    looks: Sequence[Look],
    kept: Sequence[str | None],
    groups_per_class: int,
    pieces: npt.NDArray[np.int64],
) -> list[str]:
    """Group of each picture of a data set that goes by look."""
    # One field under two classes is one group all the same: that of its first picture's class.
    label_of_piece: dict[int, str] = {}
    for piece, image in zip(pieces.tolist(), images, strict=True):
        label_of_piece.setdefault(piece, image.label or "")
    labels = [label_of_piece[piece] for piece in pieces.tolist()]
    names = [""] * len(images)
    for label in set(labels):
        rows = [row for row, own in enumerate(labels) if own == label]
        chosen = [looks[row] for row in rows]
        numbers = [images[row].number for row in rows]
        groups = [kept[row] for row in rows]
        if any(groups):
            found = join_nearest(chosen, numbers, groups, pieces[rows])
        else:
            stem = f"{data_set}-{label}-look" if label else f"{data_set}-look"
            made = group_by_look(chosen, numbers, groups_per_class, pieces[rows])
            found = [f"{stem}{number:02d}" for number in made]
        for row, name in zip(rows, found, strict=True):
            names[row] = name
    return names
