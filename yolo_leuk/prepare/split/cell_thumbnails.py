"""Thumbnails of the cells of one picture, kept while it is not known which cells are left out.

Whoever cuts the cells out writes them: reading all crops back took longer than comparing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError
from yolo_leuk.records import Image
from yolo_leuk.thumbnail import SIDE_PX, thumbnail_of


def file_of(waiting: Path, sample_id: str) -> Path:
    """Where the thumbnails of a picture's cells lie in the waiting room."""
    return waiting / "classify" / f"{sample_id}.thumbnails"


def content_of(crops: Sequence[Image]) -> bytes:
    """All thumbnails, one after the other."""
    greys = (np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8) for crop in crops)
    return b"".join(thumbnail_of(grey).tobytes() for grey in greys)


def read_thumbnails(file: Path) -> npt.NDArray[np.uint8]:
    """Thumbnails of the cells of a picture, shape (n, 64, 64).

    Raises:
        DataError: The file is missing, or does not hold whole thumbnails.
    """
    try:
        return np.fromfile(file, np.uint8).reshape(-1, SIDE_PX, SIDE_PX)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} holds no thumbnails of cells, which this run had written: {error}",
            hint=f"Remove {file.parent.parent.parent}, and run the same command again.",
        ) from error
