"""What a training starts from: random weights, a checkpoint, or the official one of its net."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from yolo_leuk.errors import ModelError, UsageError
from yolo_leuk.train.architectures import architecture

PRETRAINED = Path("weights/pretrained")
"""Where files of Ultralytics' releases are looked for; nothing is downloaded."""

StartingWeights = Literal["none", "official"] | Path

_SHIPPED = Path("shipped")


def starting_checkpoint(weights: StartingWeights, arch: str, task: str) -> Path | None:
    """The file that a training starts from; None for random weights.

    Raises:
        UsageError: There are no official weights of this net, or their file is not there; or an
            ONNX file is asked for, from which nothing can be learnt on.
        ModelError: The file is not there.
    """
    if weights == "none":
        return None
    if weights == "official":
        return _official(arch, task)
    if weights == _SHIPPED or weights.suffix == ".onnx":
        raise UsageError(
            f"cannot start from {weights}: what ships is ONNX, whose layers are fused; "
            "a training needs a checkpoint",
            hint="Give the weights/last.pt of an own run by --init, or leave --init out.",
        )
    if not weights.is_file():
        raise ModelError(f"there is no checkpoint {weights}")
    return weights


def _official(arch: str, task: str) -> Path:
    name = architecture(arch, task).official.get(task)
    if name is None:
        raise UsageError(
            f"there are no official weights of {arch} for {task}",
            hint="Leave --init out, or give a checkpoint by its path.",
        )
    path = PRETRAINED / name
    if not path.is_file():
        raise UsageError(
            f"the official weights of {arch} for {task} are not there: expected {path}",
            hint=f"Put {name} of github.com/ultralytics/assets/releases into {PRETRAINED}; "
            "nothing is downloaded.",
        )
    return path
