"""report.html: one page that holds everything it shows, for screen and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.page_parts import box, table
from yolo_leuk.markup import Html, fill, join, page

_FACT = "<dt>$name</dt><dd>$value</dd>\n"

_PURPOSE = (
    "Decision support for trained people and research. yolo-leuk suggests; it does not diagnose, "
    "and no figure here says how it does on patients of another laboratory."
)
_TEST_IS_ONCE = (
    "This is the test split. It answers once: a model that is chosen or changed by these figures "
    "needs other samples to be tested on."
)
_NOT_TEST = "This is not the test split: models may have been chosen or trained on it."


def report_page(
    held_out: HeldOut,
    models: Sequence[Model],
    cautions: Sequence[str],
    sections: Sequence[Html],
    facts: Mapping[str, str],
) -> str:
    """The whole page.

    Args:
        held_out: What was measured on.
        models: What was measured.
        cautions: What a reader must know.
        sections: What was found.
        facts: How it was made, by name.
    """
    data = held_out.data
    title = f"{data.folder.resolve().name}, {held_out.split}"
    split = _TEST_IS_ONCE if held_out.split == "test" else _NOT_TEST
    return page(
        "yolo_leuk.evaluate",
        f"Evaluation: {title}",
        heading=title,
        summary=_summary(held_out),
        purpose=f"{_PURPOSE} {split}",
        cautions=box("To be considered", cautions),
        models=table(
            ["name", "what it is", "SHA-256"],
            [[model.name, model.kind, f"{model.sha256[:12]}…"] for model in models],
        ),
        sections=join(sections),
        facts=join(fill(_FACT, name=name, value=value) for name, value in facts.items()),
    )


def _summary(held_out: HeldOut) -> str:
    groups = len({sample.group for sample in held_out.samples})
    unit = {"cell": "cells", "image": "images", "field": "fields"}[held_out.data.level]
    counts = f"{len(held_out.samples):,} {unit} of {groups:,} groups"
    classes = f"classes {', '.join(held_out.scheme.names)}"
    return " · ".join([counts, f"split {held_out.split}", classes, *held_out.data.sources])
