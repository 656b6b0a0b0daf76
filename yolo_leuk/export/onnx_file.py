"""One net to an ONNX file of the wanted precision, compared and gated, its card complete."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

from yolo_leuk.backends.net import open_net
from yolo_leuk.dataset import DataSet
from yolo_leuk.errors import UsageError
from yolo_leuk.export import accuracy, half, int8
from yolo_leuk.export.calibration import batches
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Exported
from yolo_leuk.export.gate import compared
from yolo_leuk.export.source import Part
from yolo_leuk.export.uint8_input import cast_first
from yolo_leuk.model_card import ModelCard
from yolo_leuk.model_file import PIPELINE_FILE
from yolo_leuk.net_file import write_net

# TensorRT wants INT8 that lies evenly about 0; onnxruntime is faster without.
_SYMMETRIC = ("engine", "jetson")


def write_onnx(part: Part, folder: Path, config: ExportConfig, data: DataSet | None) -> Exported:
    """Write a net as ONNX, and compare it with what it was made from.

    Args:
        part: The net.
        folder: Where the file and its card go.
        config: Precision, and how many pictures are looked at.
        data: Of the task, level and classes of the net; None where none was named.

    Raises:
        UsageError: INT8 was asked for, and no data set fits.
        DataError: The data set is not what it should be.
        ExportError: It cannot be written in this precision, answers otherwise than what it was
            made from, or lost too much accuracy.
        OutputError: The file cannot be written.
    """
    precise = config.precision
    path = _free_path(folder, part, "" if precise == "fp32" else f"-{precise}")
    graph, facts = _in_precision(part, config, data)
    export = {
        "format": "onnx",
        "precision": precise,
        "opset": _opset(graph),
        "source": part.origin,
        **facts,
    }
    today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    card = dataclasses.replace(part.card, name=path.stem, export=export, date=today)
    written = Exported(part.role, path, write_net(path, graph, card))
    if precise != "fp32" and data is not None:
        written = _gated(written, part, config, data)
    return compared(written, part.reference, config, data)


def _free_path(folder: Path, part: Part, suffix: str) -> Path:
    """Where a net goes whose name may be that of another one, or of a file of the folder."""
    stems = (f"{part.name}{suffix}", f"{part.name}-{part.role}{suffix}")
    taken = {PIPELINE_FILE, *(path.name for path in folder.iterdir())}
    return folder / f"{next(stem for stem in stems if f'{stem}.json' not in taken)}.onnx"


def _in_precision(
    part: Part, config: ExportConfig, data: DataSet | None
) -> tuple[bytes, dict[str, Any]]:
    """The graph, and what its card says of how it was made."""
    import onnx

    model = cast_first(onnx.load_model_from_string(part.graph))
    if config.precision == "fp32":
        return bytes(model.SerializeToString()), {}
    if config.precision == "fp16":
        made = half.converted(model)
        return bytes(made.model.SerializeToString()), {"half": dict(made.facts)}
    shown = _calibration(part.card, config, data)
    made = int8.quantised(model, shown, symmetric=config.format in _SYMMETRIC)
    return bytes(made.model.SerializeToString()), {"int8": dict(made.facts)}


def _calibration(card: ModelCard, config: ExportConfig, data: DataSet | None) -> Any:
    if data is None:
        raise UsageError(
            f"none of the data sets that were named is of the task, level and classes of "
            f"{card.name}, and INT8 is calibrated on one",
            hint="Name one for each net: --data CELLS --data FIELDS.",
        )
    return batches(data, card, config.calibration_samples, config.seed)


def _gated(written: Exported, part: Part, config: ExportConfig, data: DataSet) -> Exported:
    """The file with what it lost in its card. Raises ExportError where that is too much."""
    candidate = open_net(written.path)
    change = accuracy.measured(part.reference, candidate, data, progress=config.progress)
    change.check(allow=config.allow_accuracy_loss)
    export = {**written.card.export, "accuracy": change.to_json()}
    card = dataclasses.replace(written.card, export=export)
    return dataclasses.replace(
        written, card=write_net(written.path, written.path.read_bytes(), card)
    )


def _opset(graph: bytes) -> int:
    import onnx

    opsets = onnx.load_model_from_string(graph).opset_import
    return int(next(one.version for one in opsets if one.domain in ("", "ai.onnx")))
