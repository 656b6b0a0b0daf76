"""What a detector finds on validation pictures, from which its thresholds are chosen."""

from __future__ import annotations

import cv2
import numpy as np

from yolo_leuk import matching
from yolo_leuk.labels import FIELD
from yolo_leuk.records import Detections
from yolo_leuk.train.fields import FieldPicture
from yolo_leuk.train.finish_detector import found_by_class

WHITE, RED, PLATELET = range(3)


def of_one_source(parts):
    (part,) = parts.values()
    return part


class _Finder:
    """Finds the same boxes on every picture, and remembers at which scale it was asked."""

    def __init__(self, *rows) -> None:
        self._rows = rows
        self.scales = []

    def detect(self, rgb, px_per_rbc):
        assert rgb.shape == (60, 80, 3)
        self.scales.append(px_per_rbc)
        boxes, confidence, class_id = zip(*self._rows, strict=True)
        return Detections(
            np.array(boxes, np.float32), np.array(confidence, np.float32), np.array(class_id)
        )


def picture(tmp_path, px_per_rbc: float, *rows) -> FieldPicture:
    path = tmp_path / f"{px_per_rbc}.png"
    cv2.imwrite(str(path), np.zeros((60, 80, 3), np.uint8))
    boxes, class_id = zip(*rows, strict=True)
    return FieldPicture(path, "a", np.array(boxes, np.float32), np.array(class_id), px_per_rbc)


def test_boxes_are_matched_with_those_of_their_own_class(tmp_path):
    here, there = (10, 10, 30, 30), (50, 10, 70, 30)
    finder = _Finder((here, 0.9, WHITE), (there, 0.8, WHITE))
    found = found_by_class(finder, [picture(tmp_path, 20, (here, WHITE), (there, RED))], FIELD)
    white, red, platelet = (of_one_source(found[name]) for name in FIELD.names)
    assert matching.recall_and_precision(white) == (1.0, 0.5)
    assert matching.recall_and_precision(red)[0] == 0.0
    assert platelet.truths == 0


def test_every_picture_is_looked_at_in_its_own_scale(tmp_path):
    here = (10, 10, 30, 30)
    finder = _Finder((here, 0.9, RED))
    pictures = [picture(tmp_path, px, (here, RED)) for px in (20.0, 45.0)]
    found = found_by_class(finder, pictures, FIELD)
    assert finder.scales == [20.0, 45.0]
    red = of_one_source(found["red"])
    assert (red.truths, red.is_hit.sum()) == (2, 2)
