"""The command ``yolo-leuk``."""

from __future__ import annotations

from typing import Annotated

import typer

from yolo_leuk import __version__
from yolo_leuk.cli.audit import audit
from yolo_leuk.cli.benchmark import benchmark
from yolo_leuk.cli.detect import detect
from yolo_leuk.cli.doctor import doctor
from yolo_leuk.cli.ensemble import ensemble
from yolo_leuk.cli.evaluate import evaluate
from yolo_leuk.cli.explain import explain
from yolo_leuk.cli.export import export
from yolo_leuk.cli.prepare import prepare
from yolo_leuk.cli.train import train

app = typer.Typer(
    name="yolo-leuk",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Plain help and plain errors: the same on every terminal and in every log, and no rich to load.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
# In the order in which a newcomer meets them.
app.command()(detect)
app.command()(prepare)
app.command()(audit)
app.command()(train)
app.command()(ensemble)
app.command()(evaluate)
app.command()(explain)
app.command()(export)
app.command()(benchmark)
app.command()(doctor)


def main() -> None:
    """Entry point of the installed command."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"yolo-leuk {__version__}")
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Find white blood cells on stained smears and suggest which of them are leukemic blasts.

    Decision support for trained people and research. It does not diagnose.
    """
