"""Average precision as COCO has it: the matching by pycocotools, the draws by weighted images.

Lin TY et al. Microsoft COCO. ECCV 2014 (arXiv:1405.0312).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.dataset import TrueBoxes
from yolo_leuk.evaluate.figures import Drawn
from yolo_leuk.records import Detections

IOUS = np.linspace(0.5, 0.95, 10)
"""Least IoU of a hit: AP50 takes the first, AP50-95 the mean of all."""

_RECALLS = np.linspace(0.0, 1.0, 101)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """Boxes of one class in all images, most confident first.

    Attributes:
        confidence: Shape (n,).
        image: Number of each box's image, shape (n,).
        is_hit: Whether each box is one, by least IoU, shape (10, n).
        truths: Number of true boxes in each image, shape (images,).
    """

    confidence: Floats
    image: npt.NDArray[np.int64]
    is_hit: npt.NDArray[np.bool_]
    truths: npt.NDArray[np.int64]


def ranked_by_class(
    found: Sequence[Detections], truth: Sequence[TrueBoxes], classes: int
) -> list[Ranked]:
    """Match the boxes of all images, class by class.

    Args:
        found: Of each image.
        truth: Of each image.
        classes: How many there are.
    """
    evaluation = _evaluated(found, truth, classes)
    images = len(found)
    return [
        _ranked(evaluation.evalImgs[number * images : (number + 1) * images], truth, number)
        for number in range(classes)
    ]


def average_precision(
    ranked: Ranked, bootstrap: GroupBootstrap, ious: int = len(IOUS)
) -> npt.NDArray[np.float64]:
    """Area under precision against recall, and its draws.

    Args:
        ranked: Boxes of one class.
        bootstrap: Over the groups of the images.
        ious: At the first so many of :data:`IOUS`.

    Returns:
        Shape (1 + draws, ious); nan where there is no true box.
    """
    boxes = len(ranked.confidence)

    def of_weights(weights: Floats) -> Floats:
        of_boxes, truths = weights[:, :boxes], weights[:, boxes:] @ ranked.truths
        columns = [_area(of_boxes, is_hit, truths) for is_hit in ranked.is_hit[:ious]]
        return np.stack(columns, axis=1)

    images = np.arange(len(ranked.truths))
    return bootstrap.weighted(of_weights, np.concatenate([ranked.image, images]))


def recall_at(ranked: Ranked, bootstrap: GroupBootstrap, per_image: Sequence[float]) -> Floats:
    """Recall at IoU 0.5 where so many boxes per image are false, shape (1 + draws, len(per_image)).

    Args:
        ranked: Boxes of one class.
        bootstrap: Over the groups of the images.
        per_image: False boxes per image that are allowed.
    """
    boxes, is_hit = len(ranked.confidence), ranked.is_hit[0]

    def of_weights(weights: Floats) -> Floats:
        of_boxes, of_images = weights[:, :boxes], weights[:, boxes:]
        hits = np.cumsum(of_boxes * is_hit, axis=1)
        false = np.cumsum(of_boxes * ~is_hit, axis=1) / of_images.sum(axis=1, keepdims=True)
        best = [np.where(false <= most, hits, 0.0).max(axis=1, initial=0.0) for most in per_image]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack(best, axis=1) / (of_images @ ranked.truths)[:, None]

    images = np.arange(len(ranked.truths))
    return bootstrap.weighted(of_weights, np.concatenate([ranked.image, images]))


def recall_curve(ranked: Ranked) -> tuple[Drawn, Drawn]:
    """False boxes per image, and recall at IoU 0.5, as the confidence falls; (n,) each."""
    is_hit = ranked.is_hit[0]
    false = np.cumsum(~is_hit) / max(1, len(ranked.truths))
    return false, np.cumsum(is_hit) / max(1, int(ranked.truths.sum()))


def _area(weights: Floats, is_hit: npt.NDArray[np.bool_], truths: Floats) -> Floats:
    """Mean of the highest precision beyond each of 101 recalls, for each row of weights."""
    hits, called = np.cumsum(weights * is_hit, axis=1), np.cumsum(weights, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / truths[:, None]
        precision = np.where(called > 0, hits / called, 0.0)
    beyond = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    padded = np.concatenate([beyond, np.zeros((len(beyond), 1))], axis=1)
    areas = [
        row[np.searchsorted(r, _RECALLS)].mean() for r, row in zip(recall, padded, strict=True)
    ]
    return np.where(truths > 0, areas, np.nan)


# --- pycocotools ---------------------------------------------------------------------------------


def _evaluated(found: Sequence[Detections], truth: Sequence[TrueBoxes], classes: int) -> Any:
    """A COCOeval that has matched all boxes; numbers begin with 1, since 0 means no match there."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    true = _dataset(truth, classes)
    own = {**true, "annotations": _found_annotations(found)}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
        evaluation = COCOeval(_indexed(COCO(), true), _indexed(COCO(), own), "bbox")
        params = evaluation.params
        params.iouThrs = IOUS
        params.areaRng, params.areaRngLbl = [[0, 1e10]], ["all"]
        params.maxDets = [max([1, *map(len, found)])]
        evaluation.evaluate()
    return evaluation


def _indexed(coco: Any, dataset: dict[str, Any]) -> Any:
    coco.dataset = dataset
    coco.createIndex()
    return coco


def _dataset(truth: Sequence[TrueBoxes], classes: int) -> dict[str, Any]:
    rows = [
        (image, xyxy, class_id)
        for image, boxes in enumerate(truth, 1)
        for xyxy, class_id in zip(boxes.xyxy, boxes.class_id, strict=True)
    ]
    return {
        "images": [{"id": image} for image in range(1, len(truth) + 1)],
        "categories": [{"id": category} for category in range(1, classes + 1)],
        "annotations": [
            {**_annotation(number, image, xyxy, int(class_id)), "iscrowd": 0}
            for number, (image, xyxy, class_id) in enumerate(rows, 1)
        ],
    }


def _found_annotations(found: Sequence[Detections]) -> list[dict[str, Any]]:
    rows = [
        (image, boxes.xyxy[row], int(boxes.class_id[row]), float(boxes.confidence[row]))
        for image, boxes in enumerate(found, 1)
        for row in range(len(boxes))
    ]
    return [
        {**_annotation(number, image, xyxy, class_id), "score": score}
        for number, (image, xyxy, class_id, score) in enumerate(rows, 1)
    ]


def _annotation(
    number: int, image: int, xyxy: npt.NDArray[np.float32], class_id: int
) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(v) for v in xyxy)
    return {
        "id": number,
        "image_id": image,
        "category_id": class_id + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
    }


def _ranked(
    of_images: Sequence[dict[str, Any] | None], truth: Sequence[TrueBoxes], class_id: int
) -> Ranked:
    """The matches of one class in all images; None stands for an image without boxes."""
    confidence, image = [np.zeros(0)], [np.zeros(0, np.int64)]
    is_hit = [np.zeros((len(IOUS), 0), bool)]
    for number, matches in enumerate(of_images):
        if matches is not None:
            confidence.append(np.asarray(matches["dtScores"], np.float64))
            image.append(np.full(len(matches["dtScores"]), number, np.int64))
            is_hit.append(np.asarray(matches["dtMatches"]).reshape(len(IOUS), -1) > 0)
    scores = np.concatenate(confidence)
    order = np.argsort(-scores, kind="stable")
    return Ranked(
        scores[order],
        np.concatenate(image)[order],
        np.concatenate(is_hit, axis=1)[:, order],
        np.array([(boxes.class_id == class_id).sum() for boxes in truth], np.int64),
    )
