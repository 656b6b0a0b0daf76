"""The table of docs/export.md on parity, from ``docs/parity.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEADER = (
    "| net | precision | compared with | pictures | largest difference | same class | box IoU |",
    "|---|---|---|---|---|---|---|",
)
_NOT_MEASURED = "its checkpoint: not measured"


def section(nets: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each net and precision, in Markdown."""
    rows = []
    for name, found in nets.items():
        rows += [
            _row(name, "fp32", found["source"] or _NOT_MEASURED, found["fp32"]),
            _row(name, "fp16", f"{name}.onnx", found["fp16"]),
        ]
    return "\n".join([*_HEADER, *rows]) + "\n"


def _row(name: str, precision: str, source: str, parity: Mapping[str, Any] | None) -> str:
    numbers = ["–"] * 4 if parity is None else _numbers(parity)
    return f"| {' | '.join([f'`{name}`', precision, source, *numbers])} |"


def _numbers(parity: Mapping[str, Any]) -> list[str]:
    iou = parity.get("lowest_iou")
    return [
        str(parity["pictures"]),
        f"{parity['largest_difference']:.1e}",
        f"{parity['agreement']:.1%}",
        "–" if iou is None else f"{iou:.4f}",
    ]
