"""Heat over a window and over a field, and how much of it lies on cells."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.explain.windows import Window
from yolo_leuk.records import Floats


def share_on(mask: npt.NDArray[np.bool_], heat: Floats) -> float | None:
    """Share of the heat that lies on a mask of its shape; None where there is no heat."""
    total = float(heat.sum(dtype=np.float64))
    return float(heat[mask].sum(dtype=np.float64)) / total if total > 0 else None


def field_heat(
    windows: Sequence[Window], heats: Sequence[Floats], shape_hw: tuple[int, int]
) -> Floats:
    """The heat of all windows in their places, each as a part of its own greatest.

    Args:
        windows: At least none.
        heats: Of the windows, shape (S, S) each.
        shape_hw: Of the picture.

    Returns:
        Shape ``shape_hw``, 0–1; the greater where windows overlap.
    """
    field = np.zeros(shape_hw, np.float32)
    for window, heat in zip(windows, heats, strict=True):
        size_wh = (window.side_px, window.side_px)
        scaled = cv2.resize(relative(heat), size_wh, interpolation=cv2.INTER_LINEAR)
        left, top = window.corner_xy
        rows, columns = (
            slice(*np.clip((start, start + window.side_px), 0, end))
            for start, end in zip((top, left), shape_hw, strict=True)
        )
        part = scaled[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        field[rows, columns] = np.maximum(field[rows, columns], part)
    return field


def relative(heat: Floats) -> Floats:
    """Heat as a part of its greatest, 0–1; nothing where there is none."""
    greatest = float(heat.max(initial=0))
    return heat / greatest if greatest > 0 else np.zeros_like(heat)
