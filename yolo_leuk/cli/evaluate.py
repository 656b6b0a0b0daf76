"""``yolo-leuk evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out
from yolo_leuk.cli._table import table

if TYPE_CHECKING:
    from yolo_leuk.bootstrap import Figure
    from yolo_leuk.evaluate.run import EvaluateOutcome


def evaluate(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL|ENSEMBLE|PIPELINE",
            help="Nets, ensembles, pipelines, tables of probabilities, or folders of runs.",
        ),
    ],
    *,
    data: Annotated[Path, typer.Option("--data", metavar="DATASET", help="What prepare wrote.")],
    split: Annotated[
        Literal["test", "val", "train", "folds"] | None,
        typer.Option("--split", help="folds is all that is not test.  [default: test]"),
    ] = None,
    stress: Annotated[
        bool,
        typer.Option("--stress", help="Measure in other colours, light, blur, scale … too."),
    ] = False,
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Measure how good models are on samples that they have not seen.

    Of several models the differences are given too. Writes metrics.json, report.html and pictures,
    each figure with its 95 % interval over groups, and prints where the report lies.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.evaluate.run import EvaluateConfig, run

        flags = {
            "models": tuple(models),
            "data": data,
            "split": split,
            "stress": stress or None,
            "out": out,
        }
        outcome = run(resolve(EvaluateConfig, config, assignments or (), flags))
        if as_json:
            _print_json(outcome)
        else:
            _print_table(outcome)
            typer.echo(outcome.report)


def _print_json(outcome: EvaluateOutcome) -> None:
    from yolo_leuk.artifacts import to_json

    typer.echo(to_json({**outcome.metrics, "report": str(outcome.report)}), nl=False)


def _print_table(outcome: EvaluateOutcome) -> None:
    """Figures and warnings go to standard error, which leaves standard output to the path."""
    titles = list(dict.fromkeys(title for of in outcome.table.values() for title in of))
    rows = [[title, *(_shown(of.get(title)) for of in outcome.table.values())] for title in titles]
    typer.echo(table(["figure (95% interval)", *outcome.table], rows), err=True)
    for warning in outcome.metrics["warnings"]:
        typer.echo(f"warning: {warning}", err=True)


def _shown(figure: Figure | None) -> str:
    if figure is None or figure.value != figure.value:  # nan
        return "–"
    return f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"
