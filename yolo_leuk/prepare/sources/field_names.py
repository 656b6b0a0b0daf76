"""One name for each kind of cell in a field, whatever a source calls it."""

from __future__ import annotations

from collections.abc import Iterable

from yolo_leuk.labels import FIELD, LabelScheme

_FIELD_NAMES = {
    "wbc": "white",
    "wbcs": "white",
    "white": "white",
    "white blood cell": "white",
    "white blood cells": "white",
    "rbc": "red",
    "rbcs": "red",
    "red": "red",
    "red blood cell": "red",
    "red blood cells": "red",
    "platelet": "platelet",
    "platelets": "platelet",
}


def field_name(name: str) -> str:
    """``white``, ``red`` or ``platelet`` where the name means one of them; else the name itself."""
    return _FIELD_NAMES.get(name.strip().lower(), name.strip())


def scheme_of_boxes(names: Iterable[str]) -> LabelScheme | None:
    """The classes of boxes; None where they are no other than those of a field."""
    distinct = tuple(dict.fromkeys(names))
    return LabelScheme(distinct) if set(distinct) - set(FIELD.names) else None
