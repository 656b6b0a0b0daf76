"""Figures of the detector: are the cells found?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from figures.sources import BoxedImage
from yolo_leuk import images, matching, pixels, ruler
from yolo_leuk.backends.net import open_net
from yolo_leuk.bootstrap import over_groups
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.matching import Matched


def recall_and_precision(
    detector: FieldDetector, pictures: Sequence[BoxedImage], name: str
) -> dict[str, Any]:
    """Recall and precision of one class at IoU 0.5 as ``detect`` finds it, scale and all.

    Intervals are over pictures.
    """
    parts = [_matched(detector, picture, name) for picture in pictures]
    keys = [picture.path.name for picture in pictures]

    def figure(position: int) -> dict[str, Any]:
        return over_groups(
            lambda rows: matching.recall_and_precision(
                matching.together([parts[int(r)] for r in rows])
            )[position],
            keys,
            draws=500,
        ).to_json()

    return {
        "images": len(pictures),
        "boxes": sum(part.truths for part in parts),
        "recall": figure(0),
        "precision": figure(1),
    }


def average_precisions(net: Path, pictures: Sequence[BoxedImage]) -> dict[str, Any]:
    """AP50 of each class, each picture at the scale that the ruler measures.

    Intervals are over pictures.
    """
    detector = FieldDetector.load(net)
    eager = EagerDetector(open_net(net))
    parts: dict[str, list[Matched]] = {name: [] for name in detector.card.scheme.names}
    for picture in pictures:
        rgb = images.read_image(picture.path)
        px = ruler.measure(rgb, detector).px_per_rbc or detector.card.px_per_rbc
        found = eager.detect(rgb, px)
        for class_id, name in enumerate(detector.card.scheme.names):
            mine = found.class_id == class_id
            parts[name].append(
                matching.match(found.xyxy[mine], found.confidence[mine], picture.xyxy[name])
            )
    keys = [picture.path.name for picture in pictures]
    return {
        name: {
            "boxes": sum(matched.truths for matched in part),
            **over_groups(partial(_average_precision, part), keys, draws=500).to_json(),
        }
        for name, part in parts.items()
    }


def _average_precision(parts: Sequence[Matched], rows: npt.NDArray[np.int64]) -> float:
    return matching.average_precision(matching.together([parts[int(row)] for row in rows]))


def _matched(detector: FieldDetector, picture: BoxedImage, name: str) -> Matched:
    rgb = pixels.without_scale_bar(images.read_image(picture.path))
    px = ruler.measure(rgb, detector).px_per_rbc or detector.card.px_per_rbc
    found = detector.detect(rgb, px)
    mine = found.class_id == detector.card.scheme.id_of(name)
    return matching.match(
        found.xyxy[mine],
        found.confidence[mine],
        picture.xyxy[name],
        ignored_xyxy=picture.doubtful_xyxy,
    )
