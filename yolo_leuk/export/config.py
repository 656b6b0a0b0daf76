"""What is exported, to what, and how sure it must be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_leuk.errors import ConfigError

Format = Literal["onnx", "engine", "jetson"]
"""See :mod:`yolo_leuk.export.formats`."""

Precision = Literal["fp32", "fp16", "int8"]

LEAST_CROPS = 64
LEAST_FIELDS = 4


@dataclass(frozen=True)
class ExportConfig:
    """What is exported, to what, and how sure it must be.

    Attributes:
        model: A net, a checkpoint, an ensemble, a pipeline, or a folder of one of these.
        format: Of the files.
        precision: Of the arithmetic.
        out: A new or empty folder; None: ``runs/export/<model>``, numbered.
        data: Data sets of ``prepare``; each net takes the first that is of its task, level and
            classes. Parity is measured on them, INT8 is calibrated on their training split, and
            what a coarser precision loses is measured on their validation split.
        allow_accuracy_loss: Write a net although it lost more than is allowed.
        crops: How many a classifier is compared on.
        fields: How many a detector is compared on.
        calibration_samples: Of the training split, for the ranges of INT8.
        max_batch: The largest that an engine takes.
        workspace_mib: Memory that TensorRT may use while it builds an engine.
        trust: Take files although their hashes differ from their cards.
        seed: Of everything random.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    model: Path
    format: Format = "onnx"
    precision: Precision = "fp32"
    out: Path | None = None
    data: tuple[Path, ...] = ()
    allow_accuracy_loss: bool = False
    crops: int = LEAST_CROPS
    fields: int = LEAST_FIELDS
    calibration_samples: int = 256
    max_batch: int = 64
    workspace_mib: int = 1024
    trust: bool = False
    seed: int = 0
    progress: bool = True

    def __post_init__(self) -> None:
        for name, least in (
            ("crops", LEAST_CROPS),
            ("fields", LEAST_FIELDS),
            ("calibration_samples", 1),
            ("max_batch", 1),
            ("workspace_mib", 1),
            ("seed", 0),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected {least} or more")
        if self.precision == "int8" and not self.data:
            raise ConfigError(
                "INT8 is calibrated on a training split, and no data set is named",
                hint="Name the one that the net was trained on: --data DATASET.",
            )
