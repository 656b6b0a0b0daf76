"""The one funnel through which every error of every verb reaches the user."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator

import typer

from yolo_leuk.errors import YoloLeukError

UNEXPECTED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells count


@contextlib.contextmanager
def reported_errors(*, debug: bool) -> Iterator[None]:
    """Turn whatever goes wrong in the block into lines on standard error and an exit code.

    Args:
        debug: Print the traceback too.

    Raises:
        typer.Exit: With the exit code of the error, 1 for one that nobody foresaw, or 130 when
            the user interrupted.
    """
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise  # typer ends quietly when the reader of a pipe has gone
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except YoloLeukError as error:
        _print_traceback(debug=debug)
        report(error)
        raise typer.Exit(error.exit_code) from error
    except Exception as error:
        _print_traceback(debug=debug)
        typer.echo(f"error: unexpected {type(error).__name__}: {error}", err=True)
        if not debug:
            typer.echo("  Run the command again with --debug to see where it happened.", err=True)
        raise typer.Exit(UNEXPECTED) from error


def report(error: YoloLeukError) -> None:
    """Print an error and its hint to standard error."""
    typer.echo(f"error: {error}", err=True)
    if error.hint:
        typer.echo(f"  {error.hint}", err=True)


def _print_traceback(*, debug: bool) -> None:
    if debug:
        typer.echo(traceback.format_exc(), err=True, nl=False)
