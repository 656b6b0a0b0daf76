"""What the channels of a layer answer, as numbers and as one picture."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass

import cv2
import numpy as np

from yolo_leuk.explain.inside import Inside, Layer, as_tensor
from yolo_leuk.records import Floats, Image

MOST_CHANNELS = 64
"""Of a layer with more, those that vary most across the window are drawn."""

_TILE_PX = 96
_GAP_PX = 2


@dataclass(frozen=True)
class Activations:
    """Of one layer, for one window.

    Attributes:
        layer: Whose.
        drawn: How many of its channels the mosaic has.
        mosaic: Tiles of channels, uint8 RGB; each from its least answer, black, to its greatest,
            white.
    """

    layer: Layer
    drawn: int
    mosaic: Image


def activations_of(inside: Inside, layer: Layer, shown: Image) -> Activations:
    """What a layer answers to a window, uint8 of shape (S, S, 3)."""
    attribution = importlib.import_module("captum.attr")
    found = attribution.LayerActivation(inside.module, layer.module).attribute(
        as_tensor(shown[None])
    )
    maps = found[0].detach().numpy()
    chosen = np.argsort(-maps.std(axis=(1, 2)), kind="stable")[:MOST_CHANNELS]
    return Activations(layer, len(chosen), _mosaic(maps[chosen]))


def _mosaic(maps: Floats) -> Image:
    """Tiles on white, row by row, of maps of shape (channels, height, width)."""
    columns = math.ceil(math.sqrt(len(maps)))
    rows = math.ceil(len(maps) / columns)
    pitch = _TILE_PX + _GAP_PX
    mosaic = np.full((rows * pitch - _GAP_PX, columns * pitch - _GAP_PX, 3), 255, np.uint8)
    for number, one in enumerate(maps):
        y, x = (index * pitch for index in divmod(number, columns))
        mosaic[y : y + _TILE_PX, x : x + _TILE_PX] = _tile(one)[..., None]
    return mosaic


def _tile(one: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    spread = float(np.ptp(one))
    grey = (one - one.min()) * (255 / spread) if spread > 0 else np.zeros_like(one)
    size_wh = (_TILE_PX, _TILE_PX)
    tile = cv2.resize(np.rint(grey).astype(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST)
    return np.asarray(tile, np.uint8)
