"""Ultralytics' own ``predict`` of classifiers that vote, as its documentation calls it.

It is handed pictures that are already of the size of the input, so that it resizes nothing. Its
nets may use all cores; as it comes it takes one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends import ultralytics
from yolo_leuk.backends.net import usable_cores


class Voters:
    """Nets of Ultralytics, and the mean of what they say.

    Args:
        nets: Classification models, as its tasks build them.
        size_px: Side of their input.
    """

    def __init__(self, nets: Sequence[Any], size_px: int) -> None:
        ultralytics.quiet()
        import torch
        from ultralytics import YOLO

        torch.set_num_threads(usable_cores())
        self._size_px = size_px
        self._models = []
        for net in nets:
            model = YOLO("yolo11n-cls.yaml", task="classify", verbose=False)
            model.model = net
            self._models.append(model)

    def one_by_one(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """A call for each crop and net; the classes called. Crops are RGB, (n, S, S, 3)."""
        return np.concatenate([self.as_list(crop[None]) for crop in crops])

    def as_list(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """A call for each net, with all crops in a list."""
        pictures = [np.ascontiguousarray(crop[..., ::-1]) for crop in crops]  # it takes BGR
        votes = np.mean([self._probabilities(model, pictures) for model in self._models], axis=0)
        return np.asarray(votes.argmax(axis=1), np.int64)

    def _probabilities(
        self, model: Any, pictures: list[npt.NDArray[np.uint8]]
    ) -> npt.NDArray[np.float32]:
        found = model.predict(
            pictures, imgsz=self._size_px, device="cpu", verbose=False, batch=len(pictures)
        )
        return np.stack([one.probs.data.cpu().numpy() for one in found])
