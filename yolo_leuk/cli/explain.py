"""``yolo-leuk explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import report, reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out
from yolo_leuk.cli._table import table

if TYPE_CHECKING:
    from yolo_leuk.explain.explanation import Explanation, VoiceSummary
    from yolo_leuk.explain.run import ExplainOutcome

SCHEMA = "yolo-leuk/explain-run/1"
SOME_FAILED = 3


def explain(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A net, a run, an ensemble or a pipeline that classifies."
        ),
    ],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IMAGE|FOLDER", help="Pictures, or folders of them.")
    ],
    *,
    method: Annotated[
        Literal["cam", "occlusion"] | None,
        typer.Option(
            "--method",
            help="cam looks into checkpoints (train extra); occlusion covers parts of what any net "
            "is shown.  [default: cam where it can, and said]",
        ),
    ] = None,
    explained: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="Class to explain.  [default: the most probable one]"
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            metavar="LAYER,…",
            help="Draw what layers of a checkpoint answer: names or numbers.",
        ),
    ] = None,
    view: Annotated[
        Literal["field", "cell", "image"] | None,
        typer.Option(
            "--as",
            help="field: find cells and explain each; cell: one cell fills the picture; image: it "
            "is classified whole.  [default: told from net and picture, and said]",
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
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show what in pictures the answers of a model rest on.

    Writes heat maps of all members side by side, the heat as numbers, summary.csv and report.html,
    and prints where the report lies. Ends with 3 when some pictures could not be read; the others
    are done all the same.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.explain.config import ExplainConfig
        from yolo_leuk.explain.run import run

        flags = {
            "model": model,
            "inputs": tuple(inputs),
            "method": method,
            "explained": explained,
            "layers": None if layers is None else tuple(layers.split(",")),
            "view": view,
            "scale": scale,
            "out": out,
        }
        outcome = run(resolve(ExplainConfig, config, assignments or (), flags))
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


def _print_json(outcome: ExplainOutcome) -> None:
    from yolo_leuk.artifacts import to_json

    content = {
        "schema": SCHEMA,
        "report": None if outcome.report is None else str(outcome.report),
        "notes": list(outcome.notes),
        "explanations": [explanation.to_json() for explanation in outcome.explanations],
        "failures": [
            {"path": path.name, "message": str(error)} for path, error in outcome.failures
        ],
    }
    typer.echo(to_json(content), nl=False)


def _print_table(outcome: ExplainOutcome) -> None:
    """Shares, notes and warnings go to standard error, which leaves standard output to the path."""
    rows = [_row(one, summary) for one in outcome.explanations for summary in one.summaries]
    if rows:
        header = ["image", "member", "class", "probability", "heat on cells", "by chance"]
        typer.echo(table(header, rows), err=True)
    for note in outcome.notes:
        typer.echo(note, err=True)
    for explanation in outcome.explanations:
        for warning in explanation.warnings:
            typer.echo(f"{explanation.image.path}: {warning}", err=True)


def _row(explanation: Explanation, summary: VoiceSummary) -> list[str]:
    return [
        explanation.image.path,
        summary.voice.name,
        explanation.classes or "–",
        "–" if summary.probability is None else f"{summary.probability:.2f}",
        _percent(summary.on_cells),
        _percent(summary.cell_area),
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
