"""``yolo-leuk ensemble``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out

if TYPE_CHECKING:
    from yolo_leuk.bootstrap import Figure
    from yolo_leuk.ensemble.run import EnsembleResult


def ensemble(
    members: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN", help="Two or more runs of train, nets, or probabilities.csv."
        ),
    ],
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DATASET",
            help="What they were trained on; nets without a table are run on its val split.",
        ),
    ] = None,
    fitness: Annotated[
        Literal["weighted_f1", "macro_f1", "balanced_accuracy", "auroc", "cost"] | None,
        typer.Option(
            "--fitness",
            help="What the search makes large.  [default: weighted_f1]",
            show_default=False,
        ),
    ] = None,
    pick: Annotated[
        Literal["safe", "genetic"] | None,
        typer.Option(
            "--pick",
            help="safe: equal weights, unless the searched ones are better on unseen data.  "
            "[default: safe]",
            show_default=False,
        ),
    ] = None,
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Weigh trained nets for a soft vote, by a genetic search and beside simpler ways.

    Calibrates each member, searches the weights on out-of-fold or validation probabilities, and
    shows by nested cross-validation whether they hold on samples that the search did not see.
    Writes ensemble.json with the nets beside it, and prints where it lies.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.ensemble.run import EnsembleConfig, run

        flags = {
            "members": members,
            "data": data,
            "fitness": fitness,
            "pick": pick,
            "out": out,
        }
        result = run(resolve(EnsembleConfig, config, assignments or (), flags))
        if as_json:
            _print_json(result)
        else:
            _print_table(result)
            typer.echo(result.file)


def _print_json(result: EnsembleResult) -> None:
    from yolo_leuk.artifacts import to_json

    typer.echo(to_json({**result.ensemble.to_json(), "file": str(result.file)}), nl=False)


def _print_table(result: EnsembleResult) -> None:
    """A line for each method, on standard error, then what is kept and why."""
    from yolo_leuk.cli._table import table

    comparison, searched_on = result.comparison, result.ensemble.searched_on
    rows = [
        [
            row.method,
            " ".join(f"{weight:.2f}" for weight in row.weights),
            _told(row.searched),
            _told(row.unseen),
            _told(row.over_equal, sign="+"),
        ]
        for row in comparison.rows
    ]
    header = ["weights", " ".join(comparison.members), "searched on", "unseen", "over equal"]
    typer.echo(
        f"{comparison.fitness} of {searched_on.samples} samples in {searched_on.groups} groups, "
        "with 95 % intervals over groups; "
        f"unseen: nested cross-validation, {comparison.folds} folds",
        err=True,
    )
    typer.echo(table(header, rows), err=True)
    typer.echo(result.decision.reason, err=True)
    for warning in result.ensemble.warnings:
        typer.echo(f"warning: {warning}", err=True)


def _told(figure: Figure | None, sign: str = "") -> str:
    if figure is None:
        return "-"
    return f"{figure.value:{sign}.4f} [{figure.low:{sign}.4f}, {figure.high:{sign}.4f}]"
