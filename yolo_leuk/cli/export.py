"""``yolo-leuk export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yolo_leuk.cli._errors import reported_errors
from yolo_leuk.cli._options import AsJson, Assignments, Config, Debug, Out
from yolo_leuk.cli._table import table

if TYPE_CHECKING:
    from yolo_leuk.export.config import ExportConfig
    from yolo_leuk.export.run import ExportOutcome

SCHEMA = "yolo-leuk/export/1"
VERIFY_SCHEMA = "yolo-leuk/export-verify/1"


def export(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL|ENSEMBLE|PIPELINE",
            help="A run of train, a net, an ensemble or a pipeline.",
        ),
    ] = None,
    *,
    file_format: Annotated[
        Literal["onnx", "engine", "jetson"] | None,
        typer.Option(
            "--format",
            help="onnx; engine: TensorRT, built for the GPU of this machine; jetson: a folder that "
            "builds engines where it is copied to.  [default: onnx]",
        ),
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16", "int8"] | None,
        typer.Option("--precision", help="int8 needs --data.  [default: fp32]"),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="DATASET",
            help="Compare on it, calibrate INT8 on it, measure what is lost; one for each net.",
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify", metavar="FILE", help="Write nothing; compare an export with MODEL again."
        ),
    ] = None,
    allow_accuracy_loss: Annotated[
        bool,
        typer.Option("--allow-accuracy-loss", help="Keep a net though it lost more than allowed."),
    ] = False,
    out: Out = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a trained model for other runtimes, and check that it still gives the same answers.

    A pipeline becomes a folder that detect takes by --model. Every file is compared with what it
    was made from; one that answers otherwise is not kept, and the command ends with 5.
    """
    with reported_errors(debug=debug):
        from yolo_leuk.config import resolve
        from yolo_leuk.export.config import ExportConfig

        flags = {
            "model": model or _source_of(verify, config, assignments),
            "format": file_format,
            "precision": precision,
            "data": tuple(data) if data else None,
            "allow_accuracy_loss": allow_accuracy_loss or None,
            "out": out,
        }
        resolved = resolve(ExportConfig, config, assignments or (), flags)
        if verify is not None:
            _verify(verify, resolved, as_json=as_json)
        else:
            _export(resolved, as_json=as_json)


def _source_of(
    verified: Path | None, config: Path | None, assignments: list[str] | None
) -> Path | None:
    """What stands for MODEL where it is left out."""
    from yolo_leuk.errors import UsageError
    from yolo_leuk.export.verify import source_of

    if verified is not None:
        return source_of(verified)
    if config is None and not assignments:
        raise UsageError("expected a model to export, got none", hint="yolo-leuk export MODEL")
    return None


def _export(config: ExportConfig, *, as_json: bool) -> None:
    from yolo_leuk.export.run import run

    outcome = run(config)
    if as_json:
        _print_json(outcome)
    else:
        _print_table(outcome)
        typer.echo(outcome.result)


def _verify(file: Path, config: ExportConfig, *, as_json: bool) -> None:
    from yolo_leuk.artifacts import to_json
    from yolo_leuk.export.verify import verify

    found = verify(file, config)
    content = found.to_json()
    if as_json:
        typer.echo(to_json({"schema": VERIFY_SCHEMA, "file": file.name, **content}), nl=False)
    else:
        typer.echo(table(_HEADER, [_row(file.name, found.precision, content)]), err=True)
        typer.echo(file)


_HEADER = ("file", "precision", "pictures", "largest difference", "same class", "box IoU")


def _row(name: str, precision: str, parity: dict[str, float]) -> list[str]:
    iou = parity.get("lowest_iou")
    return [
        name,
        precision,
        str(parity["pictures"]),
        f"{parity['largest_difference']:.1e}",
        f"{parity['agreement']:.1%}",
        "–" if iou is None else f"{iou:.4f}",
    ]


def _print_table(outcome: ExportOutcome) -> None:
    """What was found goes to standard error, which leaves standard output to the path."""
    rows = [
        _row(one.path.name, one.card.precision, one.card.export["parity"])
        for one in outcome.exported
    ]
    typer.echo(table(_HEADER, rows), err=True)


def _print_json(outcome: ExportOutcome) -> None:
    from yolo_leuk.artifacts import to_json

    files = [
        {"role": one.role, "file": one.path.name, "sha256": one.card.sha256, **one.card.export}
        for one in outcome.exported
    ]
    content = {"schema": SCHEMA, "result": str(outcome.result), "files": files}
    typer.echo(to_json(content), nl=False)
