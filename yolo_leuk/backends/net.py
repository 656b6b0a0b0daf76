"""The protocol that every runtime keeps, and the one place that chooses a runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts
from yolo_leuk.errors import HashError, ModelError
from yolo_leuk.model_card import ModelCard, read_card

Arrays = dict[str, npt.NDArray[np.float32]]


class Net(Protocol):
    """A net that is loaded and ready.

    A detector's outputs are ``{"boxes": (n, 4 + classes, anchors)}``: centre x, y, width, height
    in pixels of the input, then a score in [0, 1] per class. A classifier's are
    ``{"logits": (n, classes), "features": (n, d)}``.
    """

    @property
    def card(self) -> ModelCard:
        """What the net is."""

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """Outputs by name.

        Args:
            batch: RGB, shape (n, height, width, 3).
        """


def open_net(path: Path, *, trust: bool = False) -> Net:
    """Open a net whose card lies beside it as ``<name>.json``.

    Args:
        path: ``<name>.onnx``.
        trust: Run it although its SHA-256 is not the one in its card.

    Raises:
        ModelError: The file is missing, of no known kind, or cannot be run here.
        CardError: The card is missing or breaks its schema.
        HashError: The file is not the one that the card speaks of.
    """
    if not path.is_file():
        raise ModelError(
            f"there is no net {path}", hint="Train one with `yolo-leuk train`, or check the path."
        )
    card = read_card(path.with_suffix(".json"))
    found = artifacts.sha256_of_file(path)
    if found != card.sha256 and not trust:
        raise HashError(
            f"{path} has SHA-256 {found}; its card says {card.sha256}",
            hint="Fetch the file again, or export it again so that its card is written anew.",
        )
    if path.suffix.lower() == ".onnx":
        from yolo_leuk.backends.onnx import OnnxNet

        return OnnxNet(path, card)
    raise ModelError(f"{path}: no runtime for {path.suffix!r}; .onnx is understood")


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
