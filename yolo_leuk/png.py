"""Pictures as PNG: without loss, and as fast as that goes."""

from __future__ import annotations

import cv2
import numpy as np

from yolo_leuk.errors import DataError
from yolo_leuk.records import Image

# Measured on fields and crops: the filter "up" is read and written fastest and gives the smallest
# files. OpenCV before 4.12 cannot choose it.
_FILTER = (
    [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    if hasattr(cv2, "IMWRITE_PNG_FILTER")
    else []
)

# A smear has hardly any runs of equal pixels: where these are fewer, not looking for them saves a
# fifth of the time. A cell on black is little else.
_LEAST_RUNS = 0.25
_LOOKED_AT = 16  # one row out of so many


def encode_png(image: Image) -> bytes:
    """An RGB picture as the bytes of a PNG file. Raises DataError if it cannot be one."""
    strategy = (
        cv2.IMWRITE_PNG_STRATEGY_RLE
        if _share_of_runs(image) >= _LEAST_RUNS
        else cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY
    )
    done, content = cv2.imencode(
        ".png",
        cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
        [*_FILTER, cv2.IMWRITE_PNG_STRATEGY, strategy],
    )
    if not done:
        raise DataError(f"a picture of {image.shape} pixels cannot be written as PNG")
    return content.tobytes()


def _share_of_runs(image: Image) -> float:
    """How many pixels have the green of their left neighbour."""
    green = np.ascontiguousarray(image[::_LOOKED_AT, :, 1])
    return np.count_nonzero(green[:, 1:] == green[:, :-1]) / green.size
