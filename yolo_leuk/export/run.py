"""A model in, files out that answer as it does: what ``yolo-leuk export`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.config import as_plain
from yolo_leuk.dataset import read_dataset
from yolo_leuk.export import formats
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Exported
from yolo_leuk.export.fitting_data import check_all_fit, data_of
from yolo_leuk.export.gate import compared
from yolo_leuk.export.onnx_file import write_onnx
from yolo_leuk.export.source import opened
from yolo_leuk.model_file import PIPELINE_FILE, PIPELINE_SCHEMA
from yolo_leuk.run_folder import free_folder

RUNS = Path("runs/export")
CONFIG_NAME = "config.json"


@dataclass(frozen=True)
class ExportOutcome:
    """What came of a run.

    Attributes:
        folder: That holds everything.
        result: In it: the pipeline file, or the one net.
        exported: The nets; the card of each tells how far it is from what it was made from.
    """

    folder: Path
    result: Path
    exported: tuple[Exported, ...]


def run(config: ExportConfig) -> ExportOutcome:
    """Write a model in a format, and compare each file with what it was made from.

    Where anything goes wrong, nothing is left of what was written.

    Raises:
        UsageError: What was named cannot be exported, or no data set fits.
        DataError: A data set is not what it should be.
        ModelError: The model cannot be opened.
        ExportError: It cannot be written in this format or precision, answers otherwise than what
            it was made from, or lost too much accuracy.
        OutputError: The folder cannot be written.
    """
    formats.check(config)
    data = [read_dataset(folder) for folder in config.data]
    source = opened(config)
    check_all_fit(data, [part.card for part in source.parts])
    out = config.out or free_folder(RUNS / source.name)
    with artifacts.new_folder(out) as folder:
        artifacts.write_json(folder / CONFIG_NAME, _settings(config))
        own_data = [data_of(part.card, data) for part in source.parts]
        graphs = [
            write_onnx(part, folder, config, own)
            for part, own in zip(source.parts, own_data, strict=True)
        ]
        if source.pipeline is not None:
            pipeline = _pipeline(source.pipeline.name, source.pipeline.cell_diameter_rbc, graphs)
            artifacts.write_json(folder / PIPELINE_FILE, pipeline)
        written = formats.written(graphs, folder, config)
        done = [
            one if one.path.suffix == ".onnx" else compared(one, part.reference, config, own)
            for one, part, own in zip(written, source.parts, own_data, strict=True)
        ]
    exported = tuple(Exported(one.role, out / one.path.name, one.card) for one in done)
    result = exported[0].path if source.pipeline is None else out / PIPELINE_FILE
    return ExportOutcome(out, result, exported)


def _settings(config: ExportConfig) -> dict[str, Any]:
    return {
        "schema": "yolo-leuk/export-config/1",
        "version": __version__,
        **as_plain(config, whole_paths=False),
    }


def _pipeline(name: str, cell_diameter_rbc: float, nets: Sequence[Exported]) -> dict[str, Any]:
    return {
        "schema": PIPELINE_SCHEMA,
        "name": name,
        **{one.role: {"file": one.path.name, "sha256": one.card.sha256} for one in nets},
        "cell_diameter_rbc": cell_diameter_rbc,
    }
