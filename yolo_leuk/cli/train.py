"""``yolo-leuk train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out

if TYPE_CHECKING:
    from yolo_leuk.train.all_folds import FoldsResult
    from yolo_leuk.train.run import TrainResult

SCHEMA = "yolo-leuk/train-result/1"
FOLDS_SCHEMA = "yolo-leuk/folds-result/1"


def train(
    arch: Annotated[
        str | None, typer.Option("--arch", help="The net.  [default: v11n]", show_default=False)
    ] = None,
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DATASET", help="What prepare wrote.  [default: the newest]"
        ),
    ] = None,
    task: Annotated[
        Literal["classify", "detect"] | None,
        typer.Option("--task", help="[default: classify]", show_default=False),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="[default: 30, detect: 40]")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", help="cpu, 0, or several GPUs: 0,1.  [default: a GPU if any]"),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar="none|official|PT",
            help="What to start from.  [default: none, random weights]",
            show_default=False,
        ),
    ] = None,
    fold: Annotated[
        str | None,
        typer.Option(
            "--fold",
            "--folds",
            metavar="K|all",
            help="Fold to validate on, or each in turn.  [default: 0, the val split]",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a run that was stopped."),
    ] = None,
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Train a net on what prepare wrote, and export it to ONNX with its model card.

    Runs on a CPU too, in bounded time, and never uses the network. Prints where the ONNX file
    lies, or, of all folds, their probabilities. Needs the extra: pip install "yolo-leuk[train]".
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.train.all_folds import is_of_all_folds, run_all_folds
        from yolo_leuk.train.config import TrainConfig
        from yolo_leuk.train.run import run

        flags = {
            "arch": arch,
            "data": data,
            "task": task,
            "epochs": epochs,
            "device": device,
            "init": init,
            "fold": int(fold) if fold is not None and fold.isdecimal() else fold,
            "resume": resume,
            "out": out,
        }
        asked = resolve(TrainConfig, config, assignments or (), flags)
        if is_of_all_folds(asked):
            _print_folds(run_all_folds(asked), as_json)
        else:
            _print_net(run(asked), as_json)


def _print_net(result: TrainResult, as_json: bool) -> None:
    if as_json:
        _print_json(SCHEMA, _as_plain(result))
    else:
        typer.echo(result.net)


def _print_folds(result: FoldsResult, as_json: bool) -> None:
    table = result.probabilities
    if as_json:
        content = {
            "folder": str(result.folder),
            "probabilities": None if table is None else str(table),
            "folds": [_as_plain(fold) for fold in result.folds],
        }
        _print_json(FOLDS_SCHEMA, content)
    else:
        typer.echo(table or result.folder)


def _as_plain(result: TrainResult) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "net": str(result.net),
        "card": result.card.to_json(),
    }


def _print_json(schema: str, content: dict[str, Any]) -> None:
    from yolo_leuk.artifacts import to_json

    typer.echo(to_json({"schema": schema, **content}), nl=False)
