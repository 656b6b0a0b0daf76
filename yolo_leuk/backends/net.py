"""The protocol that every runtime keeps, and the one place that chooses a runtime."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from yolo_leuk.ensemble_file import FILE_NAME
from yolo_leuk.errors import ModelError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.net_file import checked_card

Arrays = dict[str, npt.NDArray[np.float32]]


class Net(Protocol):
    """A net that is loaded and ready.

    A detector's outputs are ``{"boxes": (n, 4 + classes, anchors)}``: centre x, y, width, height
    in pixels of the input, then a score in [0, 1] per class. A classifier's are
    ``{"logits": (n, classes), "features": (n, d)}``. An ensemble's, of m members, are
    ``{"probabilities": (n, classes), "member_probabilities": (n, m, classes), "features": (n, d)}``
    with calibrated probabilities, and the features of all members one after the other.
    """

    @property
    def card(self) -> ModelCard:
        """What the net is."""

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """Outputs by name.

        Args:
            batch: RGB, shape (n, height, width, 3).
        """


def expected_outputs(card: ModelCard) -> tuple[str, ...]:
    """Names of the outputs of the net that a card speaks of."""
    if card.task == "detect":
        return ("boxes",)
    if card.members:
        return ("probabilities", "member_probabilities", "features")
    return ("logits", "features")


def check_outputs(path: Path, card: ModelCard, found: Collection[str]) -> None:
    """Raise ModelError where a file is a net of another kind than its card says."""
    expected = expected_outputs(card)
    if set(found) != set(expected):
        raise ModelError(
            f"{path}: expected the outputs {', '.join(expected)} of a net to {card.task}, "
            f"found {', '.join(sorted(found)) or 'none'}",
            hint="The file is none of this program's; export the trained net again.",
        )


def check_batch(card: ModelCard, batch: npt.NDArray[np.uint8]) -> None:
    """Raise ModelError where a batch is no input of the net that a card speaks of."""
    sides = 2 * (card.input_px,) if card.task == "classify" else batch.shape[1:3]
    if batch.dtype != np.uint8 or batch.shape != (len(batch), *sides, 3):
        expected = ", ".join(map(str, sides)) if card.task == "classify" else "height, width"
        raise ModelError(
            f"{card.name} cannot be run on {batch.dtype} {batch.shape}; "
            f"expected uint8 (n, {expected}, 3)"
        )


def open_net(path: Path, *, trust: bool = False) -> Net:
    """Open a net with its card, or an ensemble, which is run as one net.

    Args:
        path: ``<name>.onnx``, ``<name>.engine``, a checkpoint ``<name>.pt``, or ``ensemble.json``
            or its folder.
        trust: Run it although its SHA-256 is not the one in its card.

    Raises:
        ModelError: The file is missing, of no known kind, or cannot be run here.
        CardError: The card is missing or breaks its schema.
        HashError: The file is not the one that the card speaks of.
        MissingExtraError: The runtime is not installed.
    """
    suffix = path.suffix.lower()
    if path.name == FILE_NAME or suffix == ".json" or (path / FILE_NAME).is_file():
        from yolo_leuk.backends.ensemble import open_ensemble

        return open_ensemble(path, trust=trust)
    if suffix == ".pt":
        from yolo_leuk.backends.checkpoint import CheckpointNet

        return CheckpointNet(path, trust=trust)
    card = checked_card(path, trust=trust)
    if suffix == ".onnx":
        from yolo_leuk.backends.onnx import OnnxNet

        return OnnxNet(path, card)
    if suffix == ".engine":
        from yolo_leuk.backends.tensorrt import TensorRTNet

        return TensorRTNet(path, card)
    raise ModelError(f"{path}: no runtime for {path.suffix!r}; .onnx, .engine and .pt are known")


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
