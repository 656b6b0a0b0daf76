"""Boxes and windows: formats, overlap, suppression, tiles.

Boxes are arrays of shape (n, 4). ``xyxy`` are corners in pixels; ``cxcywhn`` is YOLO's centre and
size as fractions of the image. Continuous coordinates: the left edge of the first pixel is 0.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError
from yolo_leuk.records import Detections

Boxes = npt.NDArray[np.floating]

# Boxes that are looked at together when others are suppressed.
_AT_A_TIME = 64


def xyxy_from_cxcywhn(cxcywhn: Boxes, size_wh: tuple[int, int]) -> npt.NDArray[np.float32]:
    """YOLO boxes, shape (n, 4), as corners in pixels of an image of ``size_wh``."""
    boxes = np.asarray(cxcywhn, np.float64).reshape(-1, 4)
    scale = np.array([*size_wh, *size_wh], np.float64)
    half = boxes[:, 2:] / 2
    return (np.hstack([boxes[:, :2] - half, boxes[:, :2] + half]) * scale).astype(np.float32)


def cxcywhn_from_xyxy(xyxy: Boxes, size_wh: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Corners in pixels, shape (n, 4), as YOLO boxes in fractions of an image of ``size_wh``."""
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    scale = np.array([*size_wh, *size_wh], np.float64)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.hstack([centre, boxes[:, 2:] - boxes[:, :2]]) / scale


def clip_xyxy(xyxy: Boxes, size_wh: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Boxes cut to the image; what lies wholly outside becomes a box without area."""
    limits = np.array([*size_wh, *size_wh], np.float32)
    return np.clip(np.asarray(xyxy, np.float32).reshape(-1, 4), 0, limits)


def area(xyxy: Boxes) -> npt.NDArray[np.float64]:
    """Areas in square pixels, shape (n,)."""
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def intersection(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Areas shared by each pair, shape (n, m)."""
    # Each coordinate in a row of its own: twice as fast as pairs of numbers side by side.
    left, top, right, bottom = _coordinates(first)[:, :, None]
    others = _coordinates(second)
    width = np.minimum(right, others[2]) - np.maximum(left, others[0])
    height = np.minimum(bottom, others[3]) - np.maximum(top, others[1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def _coordinates(xyxy: Boxes) -> npt.NDArray[np.float64]:
    """Shape (4, n)."""
    return np.ascontiguousarray(np.asarray(xyxy, np.float64).reshape(-1, 4).T)


def cut_off(
    xyxy: Boxes, size_wh: tuple[int, int], least_px: float, *, margin_px: float = 0.0
) -> npt.NDArray[np.bool_]:
    """Which boxes the edge of the picture leaves narrower than ``least_px``, shape (n,).

    Args:
        xyxy: In pixels, shape (n, 4).
        size_wh: Of the picture.
        least_px: How narrow is too narrow.
        margin_px: A box so near to the edge touches it.
    """
    width, height = size_wh
    at_edge = (
        (xyxy[:, :2] <= margin_px).any(axis=1)
        | (xyxy[:, 2] >= width - margin_px)
        | (xyxy[:, 3] >= height - margin_px)
    )
    narrow = (xyxy[:, 2:] - xyxy[:, :2]).min(axis=1, initial=np.inf) < least_px
    return np.asarray(at_edge & narrow, np.bool_)


def iou(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of each pair, shape (n, m); 0 where both have no area."""
    shared = intersection(first, second)
    union = area(first)[:, None] + area(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def intersection_over_smaller(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Shared area over the area of the smaller box, shape (n, m): 1 for a nested pair."""
    shared = intersection(first, second)
    smaller = np.minimum(area(first)[:, None], area(second)[None, :])
    return np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)


def suppress(overlap: npt.NDArray[np.float64], priority: Boxes, threshold: float) -> list[int]:
    """Greedy suppression: keep a row unless it overlaps a kept one of higher priority.

    Args:
        overlap: Symmetric overlap of each pair, shape (n, n).
        priority: Higher is kept first, shape (n,); ties go to the lower position.
        threshold: A row whose overlap with a kept row reaches this is dropped.

    Returns:
        Positions of the kept rows, highest priority first.
    """
    alive = np.ones(len(priority), bool)
    kept: list[int] = []
    for row in np.argsort(-np.asarray(priority), kind="stable"):
        if alive[row]:
            kept.append(int(row))
            alive &= overlap[row] < threshold
    return kept


def suppress_per_class(detections: Detections, iou_threshold: float) -> Detections:
    """Non-maximum suppression by confidence within each class.

    What :func:`suppress` keeps, some of the most confident boxes at a time: what they drop need not
    be compared with anything else. A detector's thousands of boxes are mostly dropped by few, and
    the overlaps of all pairs would take longer than the net.
    """
    waiting = np.argsort(-detections.confidence, kind="stable")
    kept = [np.zeros(0, np.intp)]
    while len(waiting):
        first, waiting = waiting[:_AT_A_TIME], waiting[_AT_A_TIME:]
        among = _overlap_in_class(detections[first], detections[first])
        first = first[suppress(among, detections.confidence[first], iou_threshold)]
        kept.append(first)
        others = _overlap_in_class(detections[first], detections[waiting])
        waiting = waiting[(others < iou_threshold).all(axis=0)]
    return detections[np.concatenate(kept)]


def _overlap_in_class(first: Detections, second: Detections) -> npt.NDArray[np.float64]:
    """IoU of each pair, shape (n, m); 0 for two boxes of different classes."""
    overlap = iou(first.xyxy, second.xyxy)
    overlap[first.class_id[:, None] != second.class_id[None, :]] = 0.0
    return overlap


def merge_nested(detections: Detections, threshold: float = 0.6) -> Detections:
    """Leave no pair of boxes of which one lies to ``threshold`` or more inside the other.

    Of such a pair the more confident one stays. A white cell is often found twice, as nucleus and
    as whole cell, with an IoU too low for ordinary suppression.
    """
    overlap = intersection_over_smaller(detections.xyxy, detections.xyxy)
    return detections[suppress(overlap, detections.confidence, threshold)]


def tile_starts(length_px: int, tile_px: int, overlap_px: int) -> list[int]:
    """First pixels of tiles that cover ``length_px`` with at least ``overlap_px`` in common.

    The last tile ends at the image's edge; one tile is enough where the image is no longer than it.
    """
    if length_px <= tile_px:
        return [0]
    if not 0 <= overlap_px < tile_px:
        raise DataError(f"expected 0 <= overlap < tile, got overlap {overlap_px}, tile {tile_px}")
    count = -(-(length_px - overlap_px) // (tile_px - overlap_px))
    return [round(i * (length_px - tile_px) / (count - 1)) for i in range(count)]


def tile_cores(starts: list[int], tile_px: int, length_px: int) -> list[tuple[float, float]]:
    """The part of each tile that is its own: neighbours meet in the middle of their overlap."""
    seams = [(left + tile_px + right) / 2 for left, right in pairwise(starts)]
    return list(zip([0.0, *seams], [*seams, float(length_px)], strict=True))


def round_up(value: int, multiple: int) -> int:
    """The smallest multiple that is not below ``value``."""
    return -(-value // multiple) * multiple


def turned_xyxy(
    xyxy: Boxes, size_wh: tuple[int, int], quarter_turns: int, mirrored: bool
) -> npt.NDArray[np.float32]:
    """Boxes in an image that :func:`yolo_leuk.pixels.turned` has flipped and turned.

    Args:
        xyxy: Shape (n, 4), in pixels of the image as it was.
        size_wh: Of the image as it was.
        quarter_turns: Counter-clockwise.
        mirrored: Left to right, before the turn.
    """
    boxes = np.asarray(xyxy, np.float32).reshape(-1, 4).copy()
    width, height = size_wh
    if mirrored:
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    for _ in range(quarter_turns % 4):
        boxes = np.stack(
            [boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], axis=1
        )
        width, height = height, width
    return boxes
