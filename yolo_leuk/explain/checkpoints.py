"""The checkpoint that each net was exported from: what can be looked into."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from yolo_leuk.backends.ultralytics import INSTALL
from yolo_leuk.errors import MissingExtraError, UsageError
from yolo_leuk.explain.evidence import Voice
from yolo_leuk.net_file import card_of

_NEEDED = ("captum", "torch", "ultralytics")


def missing_libraries() -> list[str]:
    """Those of the ``train`` extra that looking into a net needs and that are not installed."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def check_libraries(purpose: str) -> None:
    """Raise MissingExtraError where a library is missing that ``purpose`` needs."""
    if missing := missing_libraries():
        raise MissingExtraError(
            f"{purpose} needs {', '.join(missing)}, which is not installed", hint=INSTALL
        )


def checkpoints_of(
    voices: Sequence[Voice], net: Path | None, given: Sequence[Path]
) -> dict[str, Path]:
    """The checkpoint of each voice by name; those that are not at hand are left out.

    A checkpoint is recognised by the ONNX file beside it, which is the one that ``train`` wrote.

    Args:
        voices: All that answer.
        net: The file of the only voice, beside which its checkpoint may lie.
        given: Runs or checkpoints that were named.

    Raises:
        UsageError: What was named is no checkpoint, or of no voice.
        ModelError: Its ONNX file or card is missing or damaged.
    """
    known = {voice.sha256: voice.name for voice in voices if not voice.is_vote}
    found = {}
    beside = [] if net is None else [net.with_suffix(".pt")]
    for path in [path for path in beside if path.is_file()] + [_checkpoint(p) for p in given]:
        sha256 = card_of(path.with_suffix(".onnx")).sha256
        if sha256 in known:
            found[known[sha256]] = path
        elif path not in beside:
            raise UsageError(
                f"{path} is the checkpoint of a net of SHA-256 {sha256}, which is none of "
                f"{', '.join(known.values())}",
                hint="Name the runs that the nets were exported from.",
            )
    return found


def _checkpoint(path: Path) -> Path:
    file = path / "weights" / "best.pt" if path.is_dir() else path
    if file.suffix.lower() != ".pt" or not file.is_file():
        raise UsageError(
            f"{path} is no checkpoint: expected a .pt file, or the folder of a run with "
            "weights/best.pt"
        )
    return file
