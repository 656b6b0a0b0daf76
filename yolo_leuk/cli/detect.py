"""``yolo-leuk detect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import report, reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out
from yolo_leuk.cli._table import table

if TYPE_CHECKING:
    from yolo_leuk.detect.run import DetectOutcome
    from yolo_leuk.records import SmearResult

SCHEMA = "yolo-leuk/detect-run/1"
SOME_FAILED = 3


def detect(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IMAGE|FOLDER", help="Pictures, or folders of them.")
    ],
    *,
    out: Out = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="PIPELINE",
            help="A pipeline; an ensemble or a net gets the detector that ships.  "
            "[default: shipped]",
        ),
    ] = None,
    view: Annotated[
        Literal["field", "cell", "image"] | None,
        typer.Option(
            "--as",
            help="field: find cells and classify each; cell: one cell fills the picture; "
            "image: a net of yours calls it whole.  [default: told from the picture, and said]",
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            "--scale",
            metavar="auto|none|PX",
            help="Width of a red cell in pixels; auto measures it.  [default: auto]",
        ),
    ] = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find the white cells of a smear and suggest what each is.

    Writes annotated.jpg, cells.csv, result.json and cells.geojson for each picture and one
    report.html, and prints where the report lies. Ends with 3 when some pictures could not be
    read; the others are done all the same.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.detect.run import DetectConfig, run

        flags = {
            "inputs": tuple(inputs),
            "out": out,
            "model": model,
            "view": view,
            "scale": None if scale is None else _number_or_text(scale),
        }
        outcome = run(resolve(DetectConfig, config, assignments or (), flags))
        for _, error in outcome.failures:
            report(error)
        if as_json:
            _print_json(outcome)
        else:
            _print_table(outcome)
            if outcome.report is not None:
                typer.echo(outcome.report)
        if outcome.failures:
            raise typer.Exit(SOME_FAILED)


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def _print_json(outcome: DetectOutcome) -> None:
    from yolo_leuk.artifacts import to_json

    content = {
        "schema": SCHEMA,
        "report": None if outcome.report is None else str(outcome.report),
        "results": [result.to_json() for _, result in outcome.results],
        "failures": [
            {"path": path.name, "message": str(error)} for path, error in outcome.failures
        ],
    }
    typer.echo(to_json(content), nl=False)


def _print_table(outcome: DetectOutcome) -> None:
    """Counts and warnings go to standard error, which leaves standard output to the path."""
    from yolo_leuk.detect.wording import DECISION_SUPPORT_SHORT

    results = [result for _, result in outcome.results]
    if not results:
        return
    classes = list(dict.fromkeys(name for result in results for name in result.counts))
    header = ["image", "white cells", *classes, "blasts (95% interval)"]
    typer.echo(table(header, [_row(result, classes) for result in results]), err=True)
    for result in results:
        for warning in _warnings(result):
            typer.echo(f"{result.image.path}: {warning}", err=True)
    typer.echo(DECISION_SUPPORT_SHORT, err=True)


def _row(result: SmearResult, classes: list[str]) -> list[str]:
    from yolo_leuk.detect.wording import interval, percent

    counts = [str(result.counts.get(name, 0)) for name in classes]
    fraction = result.blast_fraction
    blasts = f"{percent(fraction.estimate)} ({interval(fraction)})" if fraction else "–"
    cells = "–" if result.view == "image" else str(len(result.cells))
    return [result.image.path, cells, *counts, blasts]


def _warnings(result: SmearResult) -> list[str]:
    if result.blast_fraction is not None:
        return list(result.warnings)
    return [f"no blast fraction: {result.blast_fraction_reason}", *result.warnings]
