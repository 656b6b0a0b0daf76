"""``yolo-leuk audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolo_leuk.cli._errors import report, reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out

if TYPE_CHECKING:
    from yolo_leuk.audit.run import AuditOutcome


def audit(
    data: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A folder of pictures, prepared or not.")
    ],
    *,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="OTHER",
            help="Another data set, which should share no picture with this one.",
        ),
    ] = None,
    out: Out = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 3 where there is leakage.")
    ] = False,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show whether a data set can be trusted.

    Looks for pictures that are there twice, across splits and across data sets, for groups in two
    splits, for what gives the class away besides cells (colour, formats, a corner, the background),
    and for labels and files that are broken. Writes audit.json and audit.html, and prints where the
    page lies. The data set is only read.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.audit.run import AuditConfig, run
        from yolo_leuk.config import resolve
        from yolo_leuk.errors import LeakageError

        flags = {"data": data, "against": against, "out": out, "strict": strict or None}
        resolved = resolve(AuditConfig, config, assignments or (), flags)
        outcome = run(resolved)
        if as_json:
            _print_json(outcome)
        else:
            _print_table(outcome)
            typer.echo(outcome.page)
        if resolved.strict and outcome.audit.leaks:
            error = LeakageError(
                f"{outcome.audit.data_set.name} leaks: what is tested can be known from what is "
                "learnt",
                hint=f"See {outcome.page} for the pictures and groups.",
            )
            report(error)
            raise typer.Exit(error.exit_code)


def _print_json(outcome: AuditOutcome) -> None:
    from yolo_leuk.artifacts import to_json

    typer.echo(to_json({**outcome.audit.to_json(), "page": str(outcome.page)}), nl=False)


def _print_table(outcome: AuditOutcome) -> None:
    """One line for each check, on standard error."""
    from yolo_leuk.audit.findings import findings_of

    found = findings_of(outcome.audit)
    width = max(len(finding.check) for finding in found)
    for finding in found:
        typer.echo(f"{finding.verdict:9}  {finding.check:{width}}  {finding.text}", err=True)
    shortcuts = outcome.audit.shortcuts
    if shortcuts is not None and shortcuts.trials.warning:
        typer.echo(f"warning: {shortcuts.trials.warning}", err=True)
