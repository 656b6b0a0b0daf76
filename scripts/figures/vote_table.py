"""The page's section on votes, from ``docs/votes.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.wording import difference, with_interval

_METHODS = {"equal": "equal vote", "genetic": "genetic vote"}

_CONDITIONS = {
    "clean": "as they are",
    "swapped": "**colours swapped**",
    "darker": "brightness ×0.6",
    "brighter": "brightness ×1.4",
    "stain": "stain shifted",
    "blurred": "blurred",
    "noise": "noise",
    "jpeg": "JPEG of quality 30",
    "larger": "ruler ×0.8",
    "smaller": "ruler ×1.25",
}

_INTRODUCTION = (
    "Weighted F1, out of fold, of the nets above. Weights are searched on some groups and asked "
    "about others (`unseen`, nested cross-validation); `over equal` is the paired difference to "
    "equal weights there. All intervals are 95 %, over groups. Where one net is much weaker than "
    "the others, as v12n is after so few epochs, searched weights leave it out and hold on unseen "
    "groups; over the best net alone they gain little, at several times its time, so one net ships."
)


def section(experiments: Mapping[str, Any]) -> str:
    """Heading, what was done, and the tables, in Markdown; nothing where there is no vote."""
    if not experiments:
        return ""
    votes = [row for found in experiments.values() for row in _votes(found)]
    lines = [
        "## The vote",
        "",
        _INTRODUCTION,
        "",
        "| data | colours | who | searched on | unseen | over equal |",
        "|---" * 6 + "|",
        *votes,
    ]
    for found in experiments.values():
        lines += ["", *_stress(found)]
    return "\n".join([*lines, ""])


def _votes(found: Mapping[str, Any]) -> list[str]:
    rows = []
    for condition, colours in (("swapped", "swapped"), ("clean", "as they are")):
        for row in found["vote"][condition]["rows"]:
            method = row["method"]
            if not (method in _METHODS or method.endswith(" alone")):
                continue
            weights = ", ".join(f"{net} {weight:.2f}" for net, weight in row["weights"].items())
            who = _METHODS.get(method, method) + (f" ({weights})" if method == "genetic" else "")
            unseen, over = row["unseen"], row["over_equal"]
            cells = [found["title"], colours, who, with_interval(row["searched"])]
            cells += ["–" if unseen is None else with_interval(unseen)]
            cells += ["–" if over is None or method == "equal" else difference(over)]
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _stress(found: Mapping[str, Any]) -> list[str]:
    names = list(next(iter(found["stress"].values())))
    return [
        f"{found['title']}, under stress:",
        "",
        f"| cells | {' | '.join(names)} | colour alone |",
        "|---" * (len(names) + 2) + "|",
        *(
            f"| {_CONDITIONS[condition]} | "
            + " | ".join(with_interval(figures[name]) for name in names)
            + f" | {_colour_alone(found, condition)} |"
            for condition, figures in found["stress"].items()
        ),
    ]


def _colour_alone(found: Mapping[str, Any], condition: str) -> str:
    figures = found["colour_alone"]
    return with_interval(figures[condition]) if condition in figures else "–"
