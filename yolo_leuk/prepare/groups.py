"""Groups for pictures of a source that names no patient: what looks like one slide stays together.

A slide has its own stain and light, and its pictures were numbered one after the other. So
pictures of one class are joined by average linkage on the colours of background, nuclei and red
cells together with their distance in file number. Near-duplicates are always together. This is no
patient identity: figures on such groups stay optimistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.prepare.cells import two_means_threshold, violet_mask
from yolo_leuk.records import Image

_THUMBNAIL_PX = 16

# Correlation of two thumbnails above which two pictures show the same field. On ALL-4 the 40 exact
# duplicates have 1.0; different fields of one slide stay below 0.9.
NEAR_DUPLICATE_CORRELATION = 0.97

# How far apart file numbers must be to count as one unit of colour distance.
_NUMBERS_PER_UNIT = 15.0
_NUMBER_LIMIT = 2.0


@dataclass(frozen=True)
class Look:
    """What a picture looks like, for grouping.

    Attributes:
        colours: Median LAB of background, nuclei and red cells, float64, shape (9,).
        thumbnail: Grey thumbnail, zero mean and unit length, float64, shape (256,).
    """

    colours: npt.NDArray[np.float64]
    thumbnail: npt.NDArray[np.float64]


def look_of(image: Image, px_per_rbc: float) -> Look:
    """Measure a picture whose scale bar is already painted out."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    nuclei = violet_mask(image, px_per_rbc) > 0
    stained = lab[..., 0] < two_means_threshold(lab[..., 0])
    parts = (~stained & ~nuclei, nuclei, stained & ~nuclei)
    everywhere = np.median(lab.reshape(-1, 3), axis=0)
    colours = [np.median(lab[part], axis=0) if part.any() else everywhere for part in parts]
    grey = cv2.resize(
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
        (_THUMBNAIL_PX, _THUMBNAIL_PX),
        interpolation=cv2.INTER_AREA,
    ).astype(np.float64)
    centred = grey.reshape(-1) - grey.mean()
    return Look(np.concatenate(colours), centred / max(float(np.linalg.norm(centred)), 1e-9))


def group_by_look(
    looks: Sequence[Look], numbers: Sequence[int | None], group_count: int
) -> npt.NDArray[np.int64]:
    """Group the pictures of one class.

    Args:
        looks: One per picture.
        numbers: File number of each picture; None where it has none.
        group_count: At most this many groups come out.

    Returns:
        Group number of each picture, counted from 0 in order of appearance, shape (n,).
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    pieces = _near_duplicates(looks)
    count = int(pieces.max()) + 1
    if count <= group_count:
        return _renumbered(pieces)
    colours = np.array([look.colours for look in looks])
    spread = np.maximum(colours.std(axis=0), 1.0)
    number = np.array([np.nan if n is None else float(n) for n in numbers])
    centre = np.array([colours[pieces == p].mean(axis=0) for p in range(count)]) / spread
    place = np.array([_mean_or_nan(number[pieces == p]) for p in range(count)])
    distance = pdist(centre) / np.sqrt(centre.shape[1])
    apart = np.nan_to_num(pdist(place[:, None]) / _NUMBERS_PER_UNIT, nan=_NUMBER_LIMIT)
    tree = linkage(distance + np.minimum(apart, _NUMBER_LIMIT), method="average")
    of_piece = fcluster(tree, t=group_count, criterion="maxclust")
    return _renumbered(of_piece[pieces])


def _near_duplicates(looks: Sequence[Look]) -> npt.NDArray[np.int64]:
    """Piece number of each picture; pictures that show the same field share one."""
    thumbnails = np.array([look.thumbnail for look in looks])
    same = thumbnails @ thumbnails.T >= NEAR_DUPLICATE_CORRELATION
    piece = np.full(len(looks), -1, np.int64)
    next_piece = 0
    for start in range(len(looks)):
        if piece[start] >= 0:
            continue
        reached = [start]
        piece[start] = next_piece
        while reached:
            for neighbour in np.flatnonzero(same[reached.pop()] & (piece < 0)):
                piece[neighbour] = next_piece
                reached.append(int(neighbour))
        next_piece += 1
    return piece


def _mean_or_nan(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _renumbered(groups: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return np.asarray(order[inverse], np.int64)
