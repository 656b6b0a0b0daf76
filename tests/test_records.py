"""The frozen data types check themselves, and turn into the JSON of the contract."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from yolo_leuk.errors import DataError
from yolo_leuk.records import (
    BlastFraction,
    CellCall,
    Detections,
    ImageFacts,
    Scale,
    SmearResult,
)


def some_detections(count: int = 3) -> Detections:
    return Detections(
        np.arange(4 * count, dtype=np.float32).reshape(count, 4),
        np.linspace(0.9, 0.1, count, dtype=np.float32),
        np.arange(count, dtype=np.int64),
    )


# --- detections --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xyxy", "confidence", "class_id"),
    [((2, 4), (3,), (3,)), ((3, 5), (3,), (3,)), ((3, 4), (3,), (2,)), ((12,), (3,), (3,))],
)
def test_arrays_that_do_not_fit_each_other_are_refused(xyxy, confidence, class_id):
    with pytest.raises(DataError, match="shapes"):
        Detections(
            np.zeros(xyxy, np.float32), np.zeros(confidence, np.float32), np.zeros(class_id, int)
        )


def test_rows_are_chosen_by_mask_slice_and_positions_alike():
    found = some_detections()
    for index in (np.array([False, True, True]), slice(1, 3), np.array([1, 2]), [1, 2]):
        chosen = found[index]
        assert len(chosen) == 2
        assert chosen.xyxy.tolist() == found.xyxy[1:].tolist()
        assert chosen.class_id.tolist() == [1, 2]


def test_parts_are_joined_in_order():
    found = some_detections()
    joined = Detections.concatenate([found[[2]], Detections.empty(), found[[0, 1]]])
    assert joined.class_id.tolist() == [2, 0, 1]
    assert len(Detections.concatenate([])) == 0


def test_no_detections_have_the_types_of_some():
    none, some = Detections.empty(), some_detections()
    for name in ("xyxy", "confidence", "class_id"):
        assert getattr(none, name).dtype == getattr(some, name).dtype


def test_a_record_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        some_detections().xyxy = np.zeros((3, 4), np.float32)


# --- result.json -------------------------------------------------------------------------------


def result(fraction: BlastFraction | None = None, reason: str = "") -> SmearResult:
    cell = CellCall(
        id=1,
        box_xyxy=(1.04, 2.06, 30.0, 40.0),
        confidence=0.98765,
        label="Pre",
        probability=0.87654,
        probabilities={"Benign": 0.12346, "Pre": 0.87654},
        blast_probability=0.87654,
        status="called",
    )
    return SmearResult(
        image=ImageFacts("smear.jpg", 640, 480, "ab" * 32),
        scale=Scale(31.2345, "auto", 0.81234),
        cells=(cell,),
        counts={"Benign": 0, "Pre": 1, "unidentified": 0},
        blast_fraction=fraction,
        blast_fraction_reason=reason,
        warnings=("one",),
        model={"pipeline": "p", "sha256": "cd", "members": [], "weights": [1.0]},
        timing_ms={"read": 1.26, "detect": 2.0, "classify": 3.0, "write": 4.0},
    )


def test_a_result_is_the_json_of_the_contract():
    content = result(BlastFraction(1.0, 0.20655, 1.0, 1)).to_json()
    assert json.loads(json.dumps(content)) == {
        "schema": "yolo-leuk/smear-result/1",
        "image": {"path": "smear.jpg", "width": 640, "height": 480, "sha256": "ab" * 32},
        "view": "field",
        "scale": {"px_per_rbc": 31.23, "source": "auto", "confidence": 0.812},
        "cells": [
            {
                "id": 1,
                "box_xyxy": [1.0, 2.1, 30.0, 40.0],
                "confidence": 0.9877,
                "label": "Pre",
                "probability": 0.8765,
                "probabilities": {"Benign": 0.1235, "Pre": 0.8765},
                "blast_probability": 0.8765,
                "status": "called",
            }
        ],
        "counts": {"Benign": 0, "Pre": 1, "unidentified": 0},
        "blast_fraction": {"estimate": 1.0, "low": 0.2066, "high": 1.0, "cells": 1},
        "blast_fraction_reason": "",
        "warnings": ["one"],
        "model": {"pipeline": "p", "sha256": "cd", "members": [], "weights": [1.0]},
        "timing_ms": {"read": 1.3, "detect": 2.0, "classify": 3.0, "write": 4.0},
    }


def test_a_missing_blast_fraction_is_null_and_says_why():
    content = result(None, "no white cell was called").to_json()
    assert content["blast_fraction"] is None
    assert content["blast_fraction_reason"] == "no white cell was called"


def test_a_scale_that_is_not_known_is_null():
    unknown = dataclasses.replace(result(), scale=Scale(None, "none", 0.0))
    assert unknown.to_json()["scale"] == {"px_per_rbc": None, "source": "none", "confidence": 0.0}
