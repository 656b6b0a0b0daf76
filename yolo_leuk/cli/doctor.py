"""``yolo-leuk doctor``."""

from __future__ import annotations

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Debug

SCHEMA = "yolo-leuk/doctor/1"
UNWELL = 4


def doctor(*, as_json: AsJson = False, debug: Debug = False) -> None:
    """Check the installation and name the command that mends it.

    Ends with 0 when detection can work, with 4 when something is in its way.
    """
    with reported_errors(debug=debug):
        from dataclasses import asdict

        from yolo_leuk.artifacts import to_json
        from yolo_leuk.doctor.run import run

        checks = run()
        if as_json:
            content = {"schema": SCHEMA, "checks": [asdict(check) for check in checks]}
            typer.echo(to_json(content), nl=False)
        else:
            width = max(len(check.name) for check in checks)
            for check in checks:
                typer.echo(f"{check.status:4}  {check.name:{width}}  {check.detail}")
                if check.remedy:
                    typer.echo(f"{'':4}  {'':{width}}  → {check.remedy}")
        if any(check.status == "fail" for check in checks):
            raise typer.Exit(UNWELL)
