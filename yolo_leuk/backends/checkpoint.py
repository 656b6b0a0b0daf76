"""A trained checkpoint by torch, with the pre-processing and the answers of its ONNX file.

The modules are those that :mod:`yolo_leuk.onnx_graph` writes as ONNX. Card and features come from
the ONNX file that ``train`` wrote beside the checkpoint.
"""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts
from yolo_leuk.backends.net import Arrays, check_batch, expected_outputs
from yolo_leuk.backends.ultralytics import load_checkpoint
from yolo_leuk.errors import ModelError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.net_file import card_of


class CheckpointNet:
    """A checkpoint ``<name>.pt`` with its ``<name>.onnx`` beside it, on the CPU.

    Args:
        path: The checkpoint.
        trust: Load it although its SHA-256 is not the one in the card.

    Attributes:
        net: Ultralytics' own.
        projection: Of a classifier, shape (d, features of the net); None of a detector.

    Raises:
        ModelError: A file is missing, or holds no net.
        CardError: There is no card, or it breaks its schema.
        HashError: The checkpoint is not the one that the card speaks of.
        MissingExtraError: torch or Ultralytics is not installed.
    """

    def __init__(self, path: Path, *, trust: bool = False) -> None:
        exported = path.with_suffix(".onnx")
        for file in (path, exported):
            if not file.is_file():
                raise ModelError(
                    f"there is no {file}: expected a checkpoint and its ONNX file side by side, "
                    "as `yolo-leuk train` leaves them",
                    hint="Go on with a run that is not over by `yolo-leuk train --resume RUN`.",
                )
        card = card_of(exported)
        known = card.training.get("checkpoint_sha256")
        self.net: Any = load_checkpoint(path, sha256=known, trust=trust)
        self._card = dataclasses.replace(card, sha256=artifacts.sha256_of_file(path))
        self.projection: npt.NDArray[np.float32] | None = None
        if card.task == "detect":
            self._module = detector_module(self.net)
        else:
            self.projection = _projection_of(exported)
            self._module = classifier_module(self.net, self.projection)

    @property
    def card(self) -> ModelCard:
        """What the net is, with the SHA-256 of the checkpoint."""
        return self._card

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """Outputs by name. Raises ModelError where the shape does not fit the net."""
        import torch

        check_batch(self._card, batch)
        with torch.no_grad():
            try:
                found = self._module(torch.from_numpy(np.ascontiguousarray(batch)))
            except RuntimeError as error:
                raise ModelError(
                    f"{self._card.name} cannot be run on {batch.dtype} {batch.shape}: {error}"
                ) from error
        values = found if isinstance(found, tuple) else (found,)
        names = expected_outputs(self._card)
        return {name: value.numpy() for name, value in zip(names, values, strict=True)}


def detector_module(net: Any) -> Any:
    """A torch module: uint8 (n, height, width, 3) to boxes, as the ONNX graph will be."""
    import torch

    net = copy.deepcopy(net)
    head = net.model[-1]
    head.export, head.dynamic, head.format = True, True, "onnx"
    head.end2end = False  # a head that also answers without suppression gives all its boxes, too

    class Detector(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, images: Any) -> Any:
            return self.net(images.float().permute(0, 3, 1, 2) / 255.0)

    return Detector().eval()


def classifier_module(net: Any, projection: npt.NDArray[np.float32] | None = None) -> Any:
    """A torch module: uint8 (n, S, S, 3) to logits and features, as the ONNX graph will be.

    With no projection the features are the pooled ones themselves.
    """
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net
            self.projection: Any = None
            if projection is not None:
                self.register_buffer("matrix", torch.from_numpy(projection))
                self.projection = self.matrix

        def forward(self, images: Any) -> Any:
            x = images.float().permute(0, 3, 1, 2) / 255.0
            for layer in self.net.model[:-1]:
                x = layer(x)
            head = self.net.model[-1]
            if isinstance(head, torch.nn.Linear):
                pooled, linear = x, head
            else:
                pooled, linear = head.pool(head.conv(x)).flatten(1), head.linear
            features = pooled if self.projection is None else pooled @ self.projection.T
            return linear(pooled), features

    return Classifier().eval()


def _projection_of(path: Path) -> npt.NDArray[np.float32]:
    """The matrix that makes the features of a classifier's ONNX file of its pooled ones."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    last = next((node for node in graph.node if "features" in node.output), None)
    constants = {one.name: one for one in graph.initializer}
    if last is None or last.op_type != "MatMul" or last.input[1] not in constants:
        raise ModelError(
            f"{path} has no projection of features; expected a classifier as `train` exports it",
            hint="Name the ONNX file itself, not the checkpoint.",
        )
    return np.ascontiguousarray(numpy_helper.to_array(constants[last.input[1]]).T)
