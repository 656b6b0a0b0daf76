"""The end of a detector's run: ONNX, and the confidences from which up boxes are believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from yolo_leuk import images, matching
from yolo_leuk.backends.net import open_net
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import LabelScheme
from yolo_leuk.model_card import ModelCard
from yolo_leuk.net_file import write_net
from yolo_leuk.onnx_graph import DETECTOR_STEPS, export_detector
from yolo_leuk.train.fields import FieldPicture

# Boxes below this are never looked at.
_LOWEST_CONFIDENCE = 0.05

TILE_PX = 640


def export_with_thresholds(
    net: Any,
    path: Path,
    validation: Sequence[FieldPicture],
    *,
    architecture: str,
    scheme: LabelScheme,
    px_per_rbc: float,
    date: str,
    training: dict[str, Any],
) -> ModelCard:
    """Write ``path`` and its card; thresholds are those of highest F1 on validation pictures."""
    lowest = {f"confidence_{name}": _LOWEST_CONFIDENCE for name in scheme.names}
    card = ModelCard(
        name=path.stem,
        task="detect",
        architecture=architecture,
        scheme=scheme,
        px_per_rbc=px_per_rbc,
        input_px=TILE_PX,
        preprocessing=DETECTOR_STEPS,
        thresholds={**lowest, "iou": 0.5, "nested": 0.6},
        sha256="",
        date=date,
        training=training,
    )
    written = export_detector(net, path, card)
    found = found_by_class(FieldDetector(open_net(path)), validation, scheme)
    chosen = {
        f"confidence_{name}": matching.best_f1_confidence(list(parts.values()))
        for name, parts in found.items()
    }
    figures = {
        f"validation_{name}_{key}": round(value, 4)
        for name, parts in found.items()
        for key, value in _figures(
            matching.together(list(parts.values())), chosen[f"confidence_{name}"]
        ).items()
    }
    finished = dataclasses.replace(
        written,
        thresholds={**written.thresholds, **chosen},
        training={**written.training, **figures},
    )
    return write_net(path, path.read_bytes(), finished)


def found_by_class(
    detector: FieldDetector, pictures: Sequence[FieldPicture], scheme: LabelScheme
) -> dict[str, dict[str, matching.Matched]]:
    """What a detector finds on pictures with boxes, by class and source, each at its own scale."""
    parts: dict[str, dict[str, list[matching.Matched]]] = {name: {} for name in scheme.names}
    for picture in pictures:
        found = detector.detect(images.read_image(picture.path), picture.px_per_rbc)
        for class_id, name in enumerate(scheme.names):
            mine, true = found.class_id == class_id, picture.class_id == class_id
            matched = matching.match(found.xyxy[mine], found.confidence[mine], picture.xyxy[true])
            parts[name].setdefault(picture.source, []).append(matched)
    return {
        name: {source: matching.together(part) for source, part in of_source.items()}
        for name, of_source in parts.items()
    }


def _figures(part: matching.Matched, confidence: float) -> dict[str, float]:
    recall, precision = matching.recall_and_precision(part, confidence)
    ap50 = matching.average_precision(part)
    return {"ap50": float(np.nan_to_num(ap50)), "recall": recall, "precision": precision}
