"""Class activation maps: what the places of a layer add to what speaks for a class.

HiResCAM: gradient times activation, summed over the channels. Draelos RL, Carin L.
arXiv:2011.08891. At the last layer before the mean it is Grad-CAM (Selvaraju RR et al. ICCV 2017);
at layers before that, which have more places, it still shows where the net looked, as Grad-CAM,
which takes the mean of the gradients, does not.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import cv2
import numpy as np

from yolo_leuk.explain.inside import Inside, Layer, as_tensor
from yolo_leuk.records import Floats, Image

PLACES = (6, 12)
"""Sides of the maps of the layers that are taken where none is named. The last layer of a YOLO net
has three places a side at 96 px, and each of them has seen the whole cell."""

# Maps of all layers are in nats for this part of the window, so that they can be added.
_PARTS = 36


def chosen_layers(inside: Inside, wanted: str | int) -> tuple[Layer, ...]:
    """The layers to take maps at.

    Args:
        inside: The net.
        wanted: By name or number; ``auto``: the deepest of each of :data:`PLACES` or more.

    Raises:
        ConfigError: There is no such layer.
    """
    if wanted != "auto":
        return (inside.layer(wanted),)
    found = {layer.name: layer for layer in map(inside.deepest_layer, PLACES)}
    return tuple(found.values())


def activation_heat(inside: Inside, layers: Sequence[Layer], shown: Image, class_id: int) -> Floats:
    """What speaks for a class at each place, the mean of several layers.

    Args:
        inside: The net.
        layers: Of it.
        shown: Square, uint8, shape (S, S, 3).
        class_id: Of the class.

    Returns:
        In nats for a thirty-sixth of the window, from 0 up, float32, shape (S, S).
    """
    maps = [activation_map(inside, layer, shown, class_id) for layer in layers]
    return np.asarray(np.maximum(maps, 0).mean(axis=0), np.float32)


def activation_map(inside: Inside, layer: Layer, shown: Image, class_id: int) -> Floats:
    """What each place of a layer adds to the log-odds of a class; see :func:`activation_heat`.

    The places are a grid; between their centres it is linear. Below 0 a place speaks against it.
    """
    attribution = importlib.import_module("captum.attr")
    method = attribution.LayerGradientXActivation(inside.module, layer.module)
    found = method.attribute(as_tensor(shown[None]), target=class_id)
    grid = found[0].sum(dim=0).detach().numpy()
    size_wh = (shown.shape[1], shown.shape[0])
    scaled = cv2.resize(grid * (grid.size / _PARTS), size_wh, interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled, np.float32)
