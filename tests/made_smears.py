"""Fields to audit: discs at random places, so that no two fields are alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

GLASS, RED, VIOLET = (238, 232, 236), (206, 160, 168), (104, 66, 150)


def smear(seed: int, size_wh: tuple[int, int] = (160, 160), white: int = 4) -> np.ndarray:
    """A noisy field of 30 red and some white cells; another one for each seed."""
    rng = np.random.default_rng(seed)
    width, height = size_wh
    rgb = np.full((height, width, 3), GLASS, np.uint8)
    for count, radius, colour in ((30, 8, RED), (white, 12, VIOLET)):
        for x, y in rng.integers(0, (width, height), (count, 2)):
            shade = rng.integers(-12, 13, 3)
            filled = tuple(int(v) for v in np.clip(np.array(colour) + shade, 0, 255))
            cv2.circle(rgb, (int(x), int(y)), int(radius + rng.integers(-2, 3)), filled, -1)
    noisy = rgb + rng.normal(0, 4, rgb.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def save(path: Path, rgb: np.ndarray, quality: int = 95) -> Path:
    """Write a picture in the format of its suffix; ``quality`` is for JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done, content = cv2.imencode(path.suffix, rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    path.write_bytes(content.tobytes())
    return path
