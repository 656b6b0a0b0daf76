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

SCHEMA = "yolo-leuk/prepare-run/2"

Kind = Literal[
    "auto",
    "all4",
    "cnmc",
    "coco",
    "folder",
    "idb1",
    "idb2",
    "masks",
    "table",
    "voc",
    "yolo",
]


def prepare(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folders or zips as downloaded.  [default: what lies under datasets/raw]",
            show_default=False,
        ),
    ] = None,
    *,
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="Layout of the source.  [default: auto]")
    ] = None,
    task: Annotated[
        Literal["classify", "detect", "both"] | None,
        typer.Option(
            "--task",
            help="classify: cells in folders of classes; detect: fields with boxes.  "
            "[default: classify]",
        ),
    ] = None,
    level: Annotated[
        Literal["cell", "image"] | None,
        typer.Option(
            "--level", help="To classify: cells cut out, or whole pictures.  [default: cell]"
        ),
    ] = None,
    out: Out = None,
    keep_split: Annotated[
        Path | None,
        typer.Option(
            "--keep-split",
            metavar="MANIFEST",
            help="Place new groups only; the others stay.",
        ),
    ] = None,
    folds: Annotated[
        str | None,
        typer.Option(
            "--folds",
            metavar="K",
            help="Number of folds, or official: the source's own, which leak.",
        ),
    ] = None,
    compose: Annotated[
        Literal["none", "fields"] | None,
        typer.Option("--compose", help="fields: single cells pasted into drawn fields, to detect."),
    ] = None,
    max_bad: Annotated[
        float | None,
        typer.Option(
            "--max-bad",
            metavar="SHARE",
            help="Fail above this share of bad files.  [default: 0.01]",
        ),
    ] = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Turn downloaded data into a data set without leakage.

    Splits by group, never by picture. With no SOURCE and nothing under datasets/raw it says which
    data sets it knows, where they are and in which folder they belong. The sources are only read.
    A killed run goes on when the same command is given again.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.prepare.config import PrepareConfig
        from yolo_leuk.prepare.run import run

        flags = {
            "sources": tuple(sources) if sources else None,
            "kind": kind,
            "task": task,
            "level": level,
            "out": out,
            "keep_split": keep_split,
            "folds": int(folds) if folds is not None and folds.isdecimal() else folds,
            "compose": compose,
            "max_bad": max_bad,
        }
        settings = resolve(PrepareConfig, config, assignments or (), flags)
        result = run(settings, tell=_tell, progress=True)
        if as_json:
            _print_json(result)
        else:
            _print_table(result)
            typer.echo(result.folder)


def _tell(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _print_json(result: PrepareResult) -> None:
    from yolo_leuk.artifacts import to_json

    content = {
        "schema": SCHEMA,
        "folder": str(result.folder),
        "counts": result.counts,
        "problems": [{"file": p.file, "reason": p.reason} for p in result.problems],
        "warnings": list(result.warnings),
    }
    typer.echo(to_json(content), nl=False)


def _print_table(result: PrepareResult) -> None:
    for task, counts in result.counts.items():
        labels = list(dict.fromkeys(label for row in counts.values() for label in row))
        rows = [
            [split, *(str(row.get(label, 0)) for label in labels)] for split, row in counts.items()
        ]
        typer.echo(table([task, *labels], rows), err=True)
    if result.problems:
        _tell(f"warning: {len(result.problems)} files could not be used; problems.csv says why")
    for warning in result.warnings:
        _tell(f"warning: {warning}")
