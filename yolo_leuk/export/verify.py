"""A file that was exported compared with its source once more, here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts
from yolo_leuk.backends.net import open_net
from yolo_leuk.dataset import read_dataset
from yolo_leuk.errors import HashError, UsageError
from yolo_leuk.export import parity
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.fitting_data import data_of
from yolo_leuk.export.parity import Parity
from yolo_leuk.export.parity_inputs import inputs
from yolo_leuk.export.source import Part, opened
from yolo_leuk.shipped import weights_folder


def verify(file: Path, config: ExportConfig) -> Parity:
    """Compare an exported file with what it was made from.

    Args:
        file: An ONNX file or an engine with its card.
        config: ``model`` is what it was made from; how many pictures are looked at.

    Returns:
        The comparison, within its tolerance.

    Raises:
        ExportError: The file answers otherwise.
        HashError: The model is not the one that the file was made from, or the file was changed.
        UsageError: The file is no export.
        ModelError: A net cannot be opened or run.
    """
    candidate = open_net(file, trust=config.trust)
    origin = _origin_of(candidate.card.export, file)
    part = _part_of(origin, config)
    data = data_of(part.card, [read_dataset(folder) for folder in config.data])
    found = parity.compare(
        part.reference,
        candidate,
        inputs(part.card, config, data),
        precision=candidate.card.precision,
    )
    found.check(file.name)
    return found


def source_of(file: Path) -> Path:
    """What an exported file was made from, where it lies beside it or among the shipped weights.

    Raises:
        UsageError: It lies elsewhere, or the file is no export.
    """
    origin = _origin_of(open_net(file).card.export, file)
    for path in _places(file, origin["file"]):
        if path.is_file() and artifacts.sha256_of_file(path) == origin["sha256"]:
            return path
    raise UsageError(
        f"what {file} was made from, {origin['file']} of SHA-256 {origin['sha256']}, lies neither "
        "beside it nor among the shipped weights",
        hint="Name it: yolo-leuk export MODEL --verify FILE",
    )


def _places(file: Path, name: str) -> Iterator[Path]:
    for folder in (file.parent, file.parent.parent, Path(), weights_folder()):
        yield folder / name


def _origin_of(export: dict[str, Any], file: Path) -> dict[str, Any]:
    if "source" not in export:
        raise UsageError(
            f"{file} is no export: its card does not say what it was made from",
            hint="Export it first: yolo-leuk export MODEL",
        )
    return dict(export["source"])


def _part_of(origin: dict[str, Any], config: ExportConfig) -> Part:
    parts = opened(config).parts
    for part in parts:
        if part.origin["sha256"] == origin["sha256"]:
            return part
    told = ", ".join(f"{part.path.name} of SHA-256 {part.origin['sha256']}" for part in parts)
    raise HashError(
        f"the file was made from {origin['file']} of SHA-256 {origin['sha256']}; {config.model} is "
        f"{told}",
        hint="Name the model that it was made from.",
    )
