"""cells.geojson: the boxes as detection objects that QuPath 0.4 and newer open.

Property names are those of QuPath's own export (qupath-core, ``QuPathTypeAdapters``).
"""

from __future__ import annotations

import uuid
from typing import Any

from yolo_leuk.detect.palette import Colour
from yolo_leuk.records import CellCall, SmearResult


def cells_geojson(result: SmearResult, colours: dict[str, Colour]) -> dict[str, Any]:
    """A GeoJSON FeatureCollection with one rectangle per cell, in pixels of the image."""
    return {
        "type": "FeatureCollection",
        "features": [
            _feature(cell, result.image.sha256, colours[cell.label]) for cell in result.cells
        ],
    }


def _feature(cell: CellCall, image_sha256: str, colour: Colour) -> dict[str, Any]:
    row = cell.to_json()
    x1, y1, x2, y2 = row["box_xyxy"]
    return {
        "type": "Feature",
        # QuPath wants a UUID; made from image and number, so that a second run gives the same.
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{image_sha256}/{cell.id}")),
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]]],
        },
        "properties": {
            "objectType": "detection",
            "name": str(cell.id),
            "classification": {"name": cell.label, "color": list(colour)},
            "measurements": {
                "Detector confidence": row["confidence"],
                "Probability": row["probability"],
                "Blast probability": row["blast_probability"],
                **{f"Probability: {name}": p for name, p in row["probabilities"].items()},
            },
        },
    }
