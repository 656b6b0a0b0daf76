"""Which found boxes meet which true ones, and the figures that follow from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry


@dataclass(frozen=True)
class Matched:
    """The answer for one image and one class.

    Attributes:
        confidence: Of the found boxes that count, most confident first, shape (n,).
        is_hit: Whether each meets a true box that no more confident one has met, shape (n,).
        truths: Number of true boxes.
    """

    confidence: npt.NDArray[np.float64]
    is_hit: npt.NDArray[np.bool_]
    truths: int


def match(
    found_xyxy: geometry.Boxes,
    confidence: npt.NDArray[np.floating],
    true_xyxy: geometry.Boxes,
    *,
    least_iou: float = 0.5,
    ignored_xyxy: geometry.Boxes | None = None,
) -> Matched:
    """Match boxes of one image and one class, as COCO does.

    From the most confident box down, each takes the true box of highest IoU that is still free, if
    that IoU reaches ``least_iou``. A box that takes none but lies by half of itself or more inside
    an ignored region counts as neither hit nor miss.

    Args:
        found_xyxy: Shape (n, 4).
        confidence: Shape (n,).
        true_xyxy: Shape (m, 4).
        least_iou: In (0, 1].
        ignored_xyxy: Regions in which nobody can tell, shape (k, 4).
    """
    found = np.asarray(found_xyxy, np.float64).reshape(-1, 4)
    truth = np.asarray(true_xyxy, np.float64).reshape(-1, 4)
    order = np.argsort(-np.asarray(confidence), kind="stable")
    overlap = geometry.iou(found, truth)
    free = np.ones(len(truth), bool)
    is_hit = np.zeros(len(found), bool)
    for row in order:
        candidates = np.where(free, overlap[row], 0.0)
        if candidates.size and candidates.max() >= least_iou:
            is_hit[row] = True
            free[candidates.argmax()] = False
    counts = is_hit | ~_inside_ignored(found, ignored_xyxy)
    chosen = order[counts[order]]
    return Matched(np.asarray(confidence, np.float64)[chosen], is_hit[chosen], len(truth))


def best_pairs(
    found_xyxy: geometry.Boxes, true_xyxy: geometry.Boxes, *, least_iou: float = 0.5
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """As many pairs as can reach ``least_iou``, and among those the ones of highest IoU.

    Threshold first, score as tie-break: Schmidt U, Weigert M, Broaddus C, Myers G. MICCAI 2018
    (StarDist). Unlike :func:`match` it does not depend on confidence, so that no sure box takes the
    cell that another one fits better.

    Args:
        found_xyxy: Shape (n, 4).
        true_xyxy: Shape (m, 4).
        least_iou: In (0, 1].

    Returns:
        Positions of the found and of the true boxes, shape (pairs,) each.
    """
    from scipy.optimize import linear_sum_assignment

    overlap = geometry.iou(found_xyxy, true_xyxy)
    reaches = overlap >= least_iou
    if not reaches.any():
        nothing = np.zeros(0, np.int64)
        return nothing, nothing
    # All IoU together stay below one pair more.
    gain = reaches * (1 + overlap / (2 * min(overlap.shape)))
    found, true = linear_sum_assignment(gain, maximize=True)
    kept = reaches[found, true]
    return np.asarray(found[kept], np.int64), np.asarray(true[kept], np.int64)


def together(parts: Sequence[Matched]) -> Matched:
    """Several images as one, most confident first."""
    confidence = np.concatenate([p.confidence for p in parts]) if parts else np.zeros(0)
    is_hit = np.concatenate([p.is_hit for p in parts]) if parts else np.zeros(0, bool)
    order = np.argsort(-confidence, kind="stable")
    return Matched(confidence[order], is_hit[order], sum(p.truths for p in parts))


def recall_and_precision(matched: Matched, least_confidence: float = 0.0) -> tuple[float, float]:
    """Recall and precision of the boxes from a confidence up; 1.0 where nothing can be missed."""
    hits = matched.is_hit[matched.confidence >= least_confidence]
    recall = hits.sum() / matched.truths if matched.truths else 1.0
    precision = hits.mean() if hits.size else 1.0
    return float(recall), float(precision)


def average_precision(matched: Matched) -> float:
    """Area under precision against recall, at the 101 recalls of COCO; nan without true boxes."""
    if matched.truths == 0:
        return float("nan")
    hits = np.cumsum(matched.is_hit)
    recall = hits / matched.truths
    precision = hits / np.arange(1, len(hits) + 1)
    highest_beyond = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    padded = np.append(highest_beyond, 0.0)
    return float(padded[np.minimum(place, len(highest_beyond))].mean())


def best_f1_confidence(parts: Sequence[Matched]) -> float:
    """The confidence from which up boxes are to be believed: that of the highest mean F1.

    Args:
        parts: One per source, each of which counts alike, however many boxes it has; those without
            a true box say nothing.

    Returns:
        To two digits, the middle one of equals; 0.5 where no part has a true box.
    """
    telling = [part for part in parts if part.truths]
    if not telling:
        return 0.5
    candidates = np.round(np.arange(0.05, 0.96, 0.01), 2)
    means = [float(np.mean([_f1(part, c) for part in telling])) for c in candidates]
    best = np.flatnonzero(np.isclose(means, max(means)))
    return float(candidates[best[len(best) // 2]])


def _f1(part: Matched, least_confidence: float) -> float:
    """2·hits / (found + true), which needs no precision where nothing is found."""
    hits = part.is_hit[part.confidence >= least_confidence]
    return float(2 * hits.sum() / (hits.size + part.truths))


def _inside_ignored(
    found: npt.NDArray[np.float64], ignored_xyxy: geometry.Boxes | None
) -> npt.NDArray[np.bool_]:
    if ignored_xyxy is None or not len(ignored_xyxy):
        return np.zeros(len(found), bool)
    shared = geometry.intersection(found, ignored_xyxy).max(axis=1, initial=0.0)
    return np.asarray(shared >= 0.5 * geometry.area(found), np.bool_)
