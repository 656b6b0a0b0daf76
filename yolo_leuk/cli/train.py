"""``yolo-leuk train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out

if TYPE_CHECKING:
    from yolo_leuk.train.run import TrainResult

SCHEMA = "yolo-leuk/train-result/1"


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
        typer.Option("--device", help="cpu, or the number of a GPU.  [default: a GPU if any]"),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option("--init", metavar="PT", help="Checkpoint to start from.  [default: none]"),
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
    lies. Needs the extra: pip install "yolo-leuk[train]".
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.train.run import TrainConfig, run

        flags = {
            "arch": arch,
            "data": data,
            "task": task,
            "epochs": epochs,
            "device": device,
            "init": init,
            "resume": resume,
            "out": out,
        }
        result = run(resolve(TrainConfig, config, assignments or (), flags))
        if as_json:
            _print_json(result)
        else:
            typer.echo(result.net)


def _print_json(result: TrainResult) -> None:
    from yolo_leuk.artifacts import to_json

    content = {
        "schema": SCHEMA,
        "folder": str(result.folder),
        "net": str(result.net),
        "card": result.card.to_json(),
    }
    typer.echo(to_json(content), nl=False)
