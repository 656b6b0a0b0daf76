"""The page's section on the recipe beside that of Ultralytics, from ``docs/recipes.json``."""

from __future__ import annotations

from typing import Any

from figures.wording import difference, with_interval

_TITLES = {
    "clean": "as they are",
    "swapped": "**colours swapped**",
    "darker": "brightness ×0.6",
    "brighter": "brightness ×1.4",
    "stain": "stain shifted",
    "blurred": "blurred",
}


def section(content: dict[str, Any]) -> str:
    """Heading, what was done, and the table, in Markdown; nothing where it was not measured."""
    if not content:
        return ""
    return "\n".join(
        [
            "## The recipe beside Ultralytics' default",
            "",
            _what_was_done(content),
            "",
            "| cells | cell-safe | of clean | Ultralytics' default | of clean | ahead by |",
            "|---|---|---|---|---|---|",
            *(_row(_TITLES[name], found) for name, found in content["conditions"].items()),
            "",
            _colour_alone(content["colour_alone"]),
            "",
        ]
    )


def _what_was_done(content: dict[str, Any]) -> str:
    clean = content["conditions"]["clean"]["ours"]
    start = "from random weights"
    if content["starts_from_sha256"]:
        start = "from the shipped detector's checkpoint"
    return (
        f"Weighted F1 on {clean['samples']} validation cells of {clean['groups']} groups (95 % "
        f"interval over groups). Both are {content['arch']} {start} at "
        f"{content['input_px']} px, {content['epochs']} epochs of {content['training_cells']} "
        "cells; each epoch was chosen on these validation cells, as each side chooses it: "
        "cell-safe with colours swapped, Ultralytics with colours as they are. All changes are "
        "made to the same windows before either side resamples them."
    )


def _row(title: str, found: dict[str, Any]) -> str:
    cells = [title]
    for side in ("ours", "theirs"):
        kept = found["kept"][side]
        cells += [with_interval(found[side]), "–" if kept is None else f"{kept:.2f}"]
    return f"| {' | '.join([*cells, difference(found['ahead'])])} |"


def _colour_alone(found: dict[str, Any]) -> str:
    return (
        "Colour alone, a nearest neighbour on eleven numbers, has a balanced accuracy of "
        f"{with_interval(found['as_they_are'])} on cells as they are and of "
        f"{with_interval(found['in_training'])} on cells as cell-safe training sees them; chance "
        f"is {found['chance']:.3f}. The numbers know more than colour, for instance how large the "
        "dark nucleus is: where all cells have one mean and covariance of colour, they reach "
        f"{with_interval(found['in_one_colour'])}."
    )
