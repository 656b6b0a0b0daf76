"""Latency and throughput of all rows as one picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from yolo_leuk.benchmark.row import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 110
_INCHES_A_BAR = 0.32


def drawn(rows: Sequence[Row], about: str) -> bytes:
    """A PNG: on the left the latency of one picture, on the right pictures per second by batch.

    Args:
        rows: All lines of the table.
        about: What they were measured on, in a line.
    """
    from matplotlib.figure import Figure

    single = [row for row in rows if row.batch == min(r.batch for r in _of_same(row, rows))]
    figure = Figure(figsize=(11, 2.6 + _INCHES_A_BAR * len(single)), layout="constrained")
    figure.suptitle(about, fontsize=9)
    latency, throughput = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_latency(latency, single)
    _draw_throughput(throughput, rows)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    return stream.getvalue()


def _draw_latency(axis: Axes, rows: Sequence[Row]) -> None:
    """On a logarithmic axis: a cell takes a hundredth of the time of an image."""
    for place, (row, colour) in enumerate(zip(rows, _colours(rows, rows), strict=True)):
        reach = [[row.median_ms - row.p5_ms], [row.p95_ms - row.median_ms]]
        axis.errorbar(row.median_ms, place, xerr=reach, fmt="o", capsize=3, color=colour)
    axis.set_yticks(range(len(rows)), [f"{name_of(row)} × {row.batch}" for row in rows], fontsize=8)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xscale("log")
    axis.set_xlabel("ms, median with 5th to 95th percentile")
    axis.grid(axis="x", alpha=0.3, which="both")


def _draw_throughput(axis: Axes, rows: Sequence[Row]) -> None:
    for first in _firsts(rows):
        own = _of_same(first, rows)
        (colour,) = _colours([first], _firsts(rows))
        batches = [row.batch for row in own]
        axis.plot(batches, [row.per_second for row in own], "o-", color=colour, markersize=4)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    sizes = sorted({row.batch for row in rows})
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.minorticks_off()
    axis.set_xlabel("pictures in a batch")
    axis.set_ylabel("pictures per second")
    axis.grid(alpha=0.3, which="both")


def name_of(row: Row) -> str:
    """What tells a line of the picture from others."""
    part = "" if row.part == "net" else f" {row.part}"
    return f"{row.model}{part}, {row.runtime} {row.precision}"


def _firsts(rows: Sequence[Row]) -> list[Row]:
    return list({name_of(row): row for row in reversed(rows)}.values())[::-1]


def _of_same(row: Row, rows: Sequence[Row]) -> list[Row]:
    return [other for other in rows if name_of(other) == name_of(row)]


def _colours(rows: Sequence[Row], all_rows: Sequence[Row]) -> list[str]:
    """The same one for the same line on both sides."""
    names = [name_of(row) for row in _firsts(all_rows)]
    return [f"C{names.index(name_of(row)) % 10}" for row in rows]
