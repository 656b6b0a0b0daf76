"""A file that was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_leuk.model_card import ModelCard

Role = Literal["model", "detector", "classifier", "picture"]


@dataclass(frozen=True)
class Exported:
    """A net on disk.

    Attributes:
        role: In its pipeline; ``model`` where there is none.
        path: Of the file.
        card: What stands beside it, and in an ONNX file inside it, too.
    """

    role: Role
    path: Path
    card: ModelCard
