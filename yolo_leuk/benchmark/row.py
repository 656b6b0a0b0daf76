"""A line of the table: one model at one batch size, measured in a process of its own."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """What one process measured.

    Attributes:
        model: Name of what was timed.
        part: ``net``; of a pipeline ``detector``, ``classifier``, or ``image``: all of ``detect``
            but reading and writing.
        runtime: ``onnxruntime``, ``tensorrt`` or ``torch``.
        precision: ``fp32``, ``fp16`` or ``int8``; of a pipeline that of its classifier.
        batch: Pictures in a batch: cells, tiles or whole images.
        load_ms: Until the model was ready: the runtime imported, the files read and checked.
        median_ms: Of the runs of a batch.
        p5_ms: 5th percentile.
        p95_ms: 95th percentile.
        per_second: Pictures, at the median.
        peak_mib: The most memory that the process held; None where the system does not tell.
        cores: That the process might use.
        runs: How many were counted.
    """

    model: str
    part: str
    runtime: str
    precision: str
    batch: int
    load_ms: float
    median_ms: float
    p5_ms: float
    p95_ms: float
    per_second: float
    peak_mib: float | None
    cores: int
    runs: int

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``benchmark.json``."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in dataclasses.asdict(self).items()
        }


def row_of(
    about: dict[str, Any], batch: int, latencies_ms: Sequence[float], **measured: Any
) -> Row:
    """The line that latencies make.

    Args:
        about: Model, part, runtime and precision.
        batch: Pictures in a batch.
        latencies_ms: Of the runs.
        measured: All else.
    """
    p5, median, p95 = (float(v) for v in np.percentile(latencies_ms, (5, 50, 95)))
    return Row(
        **about,
        batch=batch,
        median_ms=median,
        p5_ms=p5,
        p95_ms=p95,
        per_second=1000 * batch / median,
        runs=len(latencies_ms),
        **measured,
    )


def csv_of(rows: Sequence[Row]) -> str:
    """A table of all rows."""
    stream = io.StringIO()
    names = [field.name for field in dataclasses.fields(Row)]
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.to_json() for row in rows)
    return stream.getvalue()
