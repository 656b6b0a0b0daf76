"""Options that several verbs share, so that they are spelt and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="A new or empty folder for the result.  [default: chosen, and printed]",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="YAML", help="Settings; flags and --set go before them."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be given several times."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON, and nothing else, to stdout.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
