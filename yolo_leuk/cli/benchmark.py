"""``yolo-leuk benchmark``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out
from yolo_leuk.cli._table import table

if TYPE_CHECKING:
    from yolo_leuk.benchmark.row import Row
    from yolo_leuk.benchmark.run import BenchmarkOutcome

_HEADER = (
    "model",
    "part",
    "runtime",
    "precision",
    "batch",
    "load ms",
    "ms (5%–95%)",
    "per s",
    "MiB",
)


def benchmark(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL|ENSEMBLE|PIPELINE",
            help="Nets, ensembles, pipelines, or folders of them.",
        ),
    ],
    *,
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Time models on this machine: loading, latency, throughput, memory.

    Every line of the table is measured in a process of its own, with as many threads as there are
    cores. A precision or a runtime is timed by naming its file: what export wrote, or a checkpoint.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.benchmark.config import BenchmarkConfig
        from yolo_leuk.benchmark.run import run
        from yolo_leuk.config import resolve

        flags = {"models": tuple(models), "out": out}
        outcome = run(resolve(BenchmarkConfig, config, assignments or (), flags))
        if as_json:
            _print_json(outcome)
        else:
            _print_table(outcome)
            typer.echo(outcome.folder)


def _print_json(outcome: BenchmarkOutcome) -> None:
    from yolo_leuk.artifacts import to_json

    typer.echo(to_json({**outcome.content, "folder": str(outcome.folder)}), nl=False)


def _print_table(outcome: BenchmarkOutcome) -> None:
    """To standard error, which leaves standard output to the path."""
    about = outcome.content["machine"]
    typer.echo(f"{about['processor']}, {outcome.rows[0].cores} cores", err=True)
    typer.echo(table(_HEADER, [_shown(row) for row in outcome.rows]), err=True)


def _shown(row: Row) -> list[str]:
    return [
        row.model,
        row.part,
        row.runtime,
        row.precision,
        str(row.batch),
        f"{row.load_ms:.0f}",
        f"{row.median_ms:.1f} ({row.p5_ms:.1f}–{row.p95_ms:.1f})",
        f"{row.per_second:.1f}",
        "–" if row.peak_mib is None else f"{row.peak_mib:.0f}",
    ]
