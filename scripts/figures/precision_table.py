"""The table of docs/export.md on FP16 and INT8, from ``docs/precision.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEADER = (
    "| net | precision | MB | time | accuracy | lost, points | allowed |",
    "|---|---|---|---|---|---|---|",
)
_FIGURES = {"weighted_f1": "weighted F1", "ap50": "mean AP50"}


def section(nets: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each net and precision, in Markdown."""
    rows = [
        _row(name, precision, net) for name, net in nets.items() for precision in net["precisions"]
    ]
    return "\n".join([*_HEADER, *rows]) + "\n"


def _row(name: str, precision: str, net: Mapping[str, Any]) -> str:
    found, before = net["precisions"][precision], net["precisions"]["fp32"]
    cells = [
        f"`{name}`",
        precision,
        f"{found['bytes'] / 1e6:.1f}",
        f"× {found['time']:.2f}",
        f"{_FIGURES[net['figure']]} {found['accuracy']:.4f}",
        "–" if precision == "fp32" else _lost(net["figure"], before, found),
        f"{100 * net['allowed']:g}",
    ]
    return f"| {' | '.join(cells)} |"


def _lost(figure: str, before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Of AP50 that of the class that loses most, by name."""
    if figure == "weighted_f1":
        return f"{100 * (before['accuracy'] - found['accuracy']):.2f}"
    lost = {name: value - found["classes"][name] for name, value in before["classes"].items()}
    worst = max(lost, key=lambda name: lost[name])
    return f"{100 * lost[worst]:.2f} ({worst})"
