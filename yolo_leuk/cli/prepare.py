"""``yolo-leuk prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out
from yolo_leuk.cli._table import table

if TYPE_CHECKING:
    from yolo_leuk.prepare.run import PrepareResult

SCHEMA = "yolo-leuk/prepare-run/1"


def prepare(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folders as they were downloaded.  [default: what lies under datasets/raw]",
            show_default=False,
        ),
    ] = None,
    *,
    kind: Annotated[
        Literal["auto", "all4", "yolo"] | None,
        typer.Option("--kind", help="Layout of the source.  [default: auto]"),
    ] = None,
    task: Annotated[
        Literal["classify", "detect"] | None,
        typer.Option(
            "--task",
            help="classify: cells cut out; detect: fields with boxes.  [default: classify]",
        ),
    ] = None,
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Turn downloaded data into a data set without leakage.

    Splits by group, never by picture. With no SOURCE and nothing under datasets/raw it says which
    data sets it knows, where they are and in which folder they belong. The sources are only read.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.prepare.run import PrepareConfig, run

        flags = {
            "sources": tuple(sources) if sources else None,
            "kind": kind,
            "task": task,
            "out": out,
        }
        result = run(resolve(PrepareConfig, config, assignments or (), flags))
        if as_json:
            _print_json(result)
        else:
            _print_table(result)
            typer.echo(result.folder)


def _print_json(result: PrepareResult) -> None:
    from yolo_leuk.artifacts import to_json

    content = {
        "schema": SCHEMA,
        "folder": str(result.folder),
        "counts": result.counts,
        "warnings": list(result.warnings),
    }
    typer.echo(to_json(content), nl=False)


def _print_table(result: PrepareResult) -> None:
    labels = list(dict.fromkeys(label for row in result.counts.values() for label in row))
    rows = [
        [split, *(str(counts.get(label, 0)) for label in labels)]
        for split, counts in result.counts.items()
    ]
    typer.echo(table(["split", *labels], rows), err=True)
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
