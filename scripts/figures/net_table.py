"""The page's section on the nets side by side, from ``docs/nets.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.wording import with_interval

_HEAD = "| data | asked of each | net | weighted F1, colours swapped | clean | AUROC of blasts |"

_INTRODUCTION = (
    "Out of fold: each net is trained three times from random weights, on two of three folds, and "
    "asked about the third. Folds hold whole groups: patients in C-NMC, what looks like one slide "
    "in ALL-4-class, which names no patients, so that its figures are optimistic. On ALL-4-class "
    "they learn 12 epochs, and the last one counts; what ships learns 48, and starts from its "
    "detector. The nets on C-NMC are of an earlier recipe: colours were swapped less thoroughly, "
    "and the epoch of each was chosen on the fold that it is asked about, which flatters. "
    "Intervals are 95 % bootstrap intervals over groups. A picture's answer is the mean "
    "log-probability of its cells."
)


def section(experiments: Mapping[str, Any]) -> str:
    """Heading, what was done, and the table, in Markdown."""
    rows = [
        _row(found["title"], "picture" if part else found["level"], net, figures, part)
        for found in experiments.values()
        for part in ("", "_per_picture")
        for net, figures in found["nets"].items()
        if f"clean{part}" in figures
    ]
    return "\n".join(
        ["## The nets beside each other", "", _INTRODUCTION, "", _HEAD, "|---" * 6 + "|", *rows, ""]
    )


def _row(title: str, unit: str, net: str, figures: Mapping[str, Any], part: str) -> str:
    swapped, clean = figures[f"swapped{part}"], figures[f"clean{part}"]
    cells = [title, unit, net, with_interval(swapped["weighted_f1"])]
    cells.append(with_interval(clean["weighted_f1"]))
    cells.append(with_interval(clean["blast_auroc"]) if "blast_auroc" in clean else "–")
    return f"| {' | '.join(cells)} |"
