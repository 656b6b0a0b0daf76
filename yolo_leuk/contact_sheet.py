"""One picture of a data set: some samples of every class, a row each, with their titles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from yolo_leuk.errors import DataError
from yolo_leuk.records import Image

COLUMNS = 10
"""Pictures of a row at most; of more, as many are shown, evenly spread."""

LARGEST_BYTES = 1_000_000
"""Of :func:`sheet_jpeg`."""

_TILE_PX = 112
_GAP_PX = 6
_TITLE_PX = 30
_BASELINE_PX = 22
_TALLEST_PX = 4000
_MOST_ROWS = 60
_WIDTH_PX = COLUMNS * (_TILE_PX + _GAP_PX) + _GAP_PX

_PAPER = (255, 255, 255)
_BEHIND = (236, 236, 236)
_INK = (30, 30, 30)
_FONT_PX = 17
_QUALITIES = (88, 75, 60, 45, 30, 15)


def contact_sheet(rows: Sequence[tuple[str, Sequence[Image]]]) -> Image:
    """Draw the pictures of each row below its title.

    Pictures are fitted into squares, proportions kept. The sheet is 1,186 px wide and at most about
    4,000 px high: with many rows the squares are smaller, and of more than 60 the first are shown.

    Args:
        rows: Title and pictures. Titles may have any letters that DejaVu Sans has; for others
            stands a question mark.

    Returns:
        uint8 RGB.

    Raises:
        DataError: There are no rows.
    """
    if not rows:
        raise DataError("expected at least one row for a contact sheet, got none")
    shown = list(rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        shown.append((f"and {len(rows) - _MOST_ROWS} more", ()))
    tile = min(_TILE_PX, _TALLEST_PX // len(shown) - _TITLE_PX - _GAP_PX)
    strips = [_strip(title, pictures, tile) for title, pictures in shown]
    return np.vstack([*strips, np.full((_GAP_PX, _WIDTH_PX, 3), _PAPER, np.uint8)])


def sheet_jpeg(sheet: Image) -> bytes:
    """A sheet as JPEG of less than :data:`LARGEST_BYTES`, as good as that allows.

    Raises:
        DataError: Even the lowest quality is larger.
    """
    for quality in _QUALITIES:
        done, buffer = cv2.imencode(
            ".jpg", np.ascontiguousarray(sheet[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        if done and buffer.size < LARGEST_BYTES:
            return buffer.tobytes()
    raise DataError(
        f"a contact sheet of {sheet.shape[1]}×{sheet.shape[0]} px "
        f"is no JPEG of less than {LARGEST_BYTES} bytes"
    )


def _strip(title: str, pictures: Sequence[Image], tile_px: int) -> Image:
    height = _TITLE_PX + (tile_px + _GAP_PX if pictures else 0)
    strip = np.full((height, _WIDTH_PX, 3), _PAPER, np.uint8)
    _write(strip, title)
    for column, picture in enumerate(_spread(pictures)):
        x = _GAP_PX + column * (tile_px + _GAP_PX)
        strip[_TITLE_PX : _TITLE_PX + tile_px, x : x + tile_px] = _tile(picture, tile_px)
    return strip


def _spread(pictures: Sequence[Image]) -> list[Image]:
    if len(pictures) <= COLUMNS:
        return list(pictures)
    return [pictures[int(i)] for i in np.linspace(0, len(pictures) - 1, COLUMNS).round()]


def _tile(picture: Image, side: int) -> Image:
    """A picture fitted into a square."""
    gain = side / max(picture.shape[:2])
    height, width = (max(1, round(s * gain)) for s in picture.shape[:2])
    kernel = cv2.INTER_AREA if gain < 1 else cv2.INTER_LINEAR
    tile = np.full((side, side, 3), _BEHIND, np.uint8)
    y, x = (side - height) // 2, (side - width) // 2
    tile[y : y + height, x : x + width] = cv2.resize(picture, (width, height), interpolation=kernel)
    return tile


def _write(strip: Image, text: str) -> None:
    """Write a line at the top of ``strip`` in place, cut off where the strip ends.

    OpenCV's own fonts have the letters of ASCII only; matplotlib brings DejaVu Sans.
    """
    font = _font()
    known = font.get_charmap()
    font.set_text("".join(letter if ord(letter) in known else "?" for letter in text))
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.array(font.get_image(), np.float32)[:, : _WIDTH_PX - 2 * _GAP_PX] / 255
    bottom = _BASELINE_PX + font.get_descent() // 64  # FreeType counts in 64ths of a pixel
    ink = ink[-min(bottom, len(ink)) :, :, None]
    part = strip[bottom - len(ink) : bottom, _GAP_PX : _GAP_PX + ink.shape[1]]
    part[:] = np.rint(part * (1 - ink) + np.array(_INK, np.float32) * ink).astype(np.uint8)


@lru_cache(maxsize=1)
def _font() -> Any:
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))
    font.set_size(_FONT_PX, 72)  # at 72 dots per inch a point is a pixel
    return font
