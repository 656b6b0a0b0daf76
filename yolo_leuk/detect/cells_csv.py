"""cells.csv: one row per white cell."""

from __future__ import annotations

import csv
import io

from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import SmearResult

_COLUMNS = (
    *("image", "id", "x1", "y1", "x2", "y2", "confidence"),
    *("label", "probability", "blast_probability", "status"),
)


def cells_csv(result: SmearResult, labels: LabelScheme) -> str:
    """A table of the cells, with a column ``p_<class>`` for each class; only its head if none."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_COLUMNS, *(f"p_{name}" for name in labels.names)])
    for cell in result.cells:
        row = cell.to_json()
        table.writerow(
            [
                result.image.path,
                row["id"],
                *row["box_xyxy"],
                *(row[column] for column in _COLUMNS[6:]),
                *(row["probabilities"].get(name, 0.0) for name in labels.names),
            ]
        )
    return text.getvalue()
