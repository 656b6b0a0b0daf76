"""Pictures as JPEG, in a file or inside of a page; neither carries metadata."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from yolo_leuk.errors import OutputError
from yolo_leuk.records import Image


def encode_jpeg(image: Image, quality: int) -> bytes:
    """An RGB picture as the bytes of a JPEG file. Raises OutputError if it is too large for one."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        height, width = image.shape[:2]
        raise OutputError(f"a picture of {width}×{height} pixels cannot be written as JPEG")
    return content.tobytes()


def jpeg_uri(image: Image, quality: int) -> str:
    """An RGB picture as the ``data:`` address of a JPEG."""
    return f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(image, quality)).decode()}"


def at_most(image: Image, long_side_px: int) -> Image:
    """The picture, reduced so that its longer side has ``long_side_px`` pixels if it had more."""
    height, width = image.shape[:2]
    factor = long_side_px / max(height, width)
    if factor >= 1:
        return image
    size_wh = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
