"""What a net loses when parts of a picture are covered; any net that answers will do.

Zeiler MD, Fergus R. ECCV 2014 (arXiv:1311.2901), with patches of several sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats, Image

Evidence = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float64]]
"""Pictures, uint8 of shape (n, S, S, 3), to what speaks for a class, of shape (voices, n)."""


def occlusion_map(
    evidence: Evidence,
    shown: Image,
    fill: tuple[int, int, int],
    patches: Sequence[float],
    batch: int,
) -> Floats:
    """How much evidence is lost when a place is covered.

    Patches stand half of their side apart. The loss is known at their centres and linear between
    them; maps of all sizes are averaged.

    Args:
        evidence: Of every voice.
        shown: Square, uint8, shape (S, S, 3).
        fill: Colour of a patch.
        patches: Their sides, as fractions of S.
        batch: Pictures that are asked about at once.

    Returns:
        In the unit of the evidence, shape (voices, S, S). Below 0 where covering speaks for it.
    """
    whole = evidence(shown[None])
    side = len(shown)
    maps = [
        _map_of_size(evidence, whole, shown, fill, min(side, round(2 / patch)), batch)
        for patch in patches
    ]
    return np.asarray(np.mean(maps, axis=0), np.float32)


def _map_of_size(
    evidence: Evidence,
    whole: npt.NDArray[np.float64],
    shown: Image,
    fill: tuple[int, int, int],
    places: int,
    batch: int,
) -> npt.NDArray[np.float64]:
    """The map of patches at ``places`` × ``places`` centres."""
    parts = list(_patches(len(shown), places))
    left = [
        evidence(_covered(shown, parts[start : start + batch], fill))
        for start in range(0, len(parts), batch)
    ]
    lost = (whole - np.concatenate(left, axis=1)).reshape(-1, places, places)
    size_wh = (shown.shape[1], shown.shape[0])
    return np.stack([cv2.resize(grid, size_wh, interpolation=cv2.INTER_LINEAR) for grid in lost])


def _patches(side: int, places: int) -> Iterator[tuple[slice, slice]]:
    """Row by row, each twice as wide as the distance between centres, cut off at the edge."""
    step = side / places
    spans = [
        slice(max(0, round((i - 0.5) * step)), min(side, max(1, round((i + 1.5) * step))))
        for i in range(places)
    ]
    return ((rows, columns) for rows in spans for columns in spans)


def _covered(
    shown: Image, parts: Sequence[tuple[slice, slice]], fill: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    pictures = np.repeat(shown[None], len(parts), axis=0)
    for picture, part in zip(pictures, parts, strict=True):
        picture[part] = fill
    return pictures
