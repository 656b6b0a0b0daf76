"""Patients behind subject numbers: numbers that share a byte-identical file are one patient.

A file that lies under two numbers was taken of one person, whatever the source calls them. In
C-NMC 73 subject numbers of the training images are 66 patients.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from yolo_leuk.prepare.sources.source_image import SourceImage

_Name = TypeVar("_Name", bound=Hashable)
_PART = re.compile(r"(\D*)(\d*)")


@dataclass(frozen=True)
class Patient:
    """One patient, by all names that stand for them.

    Attributes:
        names: (data set, subject) of each name, in order; numbers count as numbers.
    """

    names: tuple[tuple[str, str], ...]

    @property
    def group(self) -> str:
        """Name of the patient's group: ``cnmc-20+21``."""
        data_sets = dict.fromkeys(data_set for data_set, _ in self.names)
        return "+".join(
            f"{data_set}-{'+'.join(subject for own, subject in self.names if own == data_set)}"
            for data_set in data_sets
        )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects; with their data sets where these are several."""
        if len({data_set for data_set, _ in self.names}) == 1:
            return tuple(subject for _, subject in self.names)
        return tuple(f"{data_set}-{subject}" for data_set, subject in self.names)


def patients_of(images: Sequence[SourceImage], sha256s: Sequence[str]) -> list[Patient | None]:
    """The patient of each picture; None where neither it nor a byte-identical one has a subject.

    Args:
        images: All pictures, byte-identical ones too: they tell which subjects are one.
        sha256s: Hash of each file.
    """
    names_of_file: dict[str, set[tuple[str, str]]] = {}
    for image, sha256 in zip(images, sha256s, strict=True):
        if image.subject:
            names_of_file.setdefault(sha256, set()).add((image.data_set, image.subject))
    head = joined(names_of_file.values())
    members: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, first in head.items():
        members.setdefault(first, []).append(name)
    patients = {
        first: Patient(tuple(sorted(names, key=lambda n: (n[0], in_natural_order(n[1])))))
        for first, names in members.items()
    }
    names_here = (names_of_file.get(sha256) for sha256 in sha256s)
    return [patients[head[min(names)]] if names else None for names in names_here]


def joined(together: Iterable[Iterable[_Name]]) -> Mapping[_Name, _Name]:
    """One and the same name for all names that are connected, over others too."""
    head: dict[_Name, _Name] = {}

    def head_of(name: _Name) -> _Name:
        head.setdefault(name, name)
        while head[name] != name:
            head[name] = head[head[name]]
            name = head[name]
        return name

    for names in together:
        first, *others = (head_of(name) for name in names)
        for other in others:
            head[other] = first
    return {name: head_of(name) for name in head}


def in_natural_order(subject: str) -> list[tuple[str, int, str, str]]:
    """Key to sort subjects by: H3 before H10."""
    parts = [(text, digits, digits.lstrip("0")) for text, digits in _PART.findall(subject)]
    return [(text, len(number), number, digits) for text, digits, number in parts]
