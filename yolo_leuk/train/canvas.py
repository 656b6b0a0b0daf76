"""A square that pictures with boxes are laid on, for a detector to see at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from yolo_leuk import geometry, pixels
from yolo_leuk.records import Floats, Image, Ints


@dataclass(frozen=True)
class Field:
    """A picture and its boxes.

    Attributes:
        rgb: The picture.
        xyxy: In pixels, float32, shape (n, 4).
        class_id: Of each box, int64, shape (n,).
    """

    rgb: Image
    xyxy: Floats
    class_id: Ints


class Canvas:
    """A square that is filled with pictures in rows, from the upper left.

    Args:
        size_px: Its side.
        least_visible: Boxes of which less than this fraction lies on it are dropped.
    """

    def __init__(self, size_px: int, least_visible: float) -> None:
        self._rgb = np.full((size_px, size_px, 3), pixels.PAD_VALUE, np.uint8)
        self._boxes: list[Floats] = []
        self._classes: list[Ints] = []
        self._least_visible = least_visible
        self._x: int = 0
        self._y: int = 0
        self._row_height: int = 0

    @property
    def _size(self) -> int:
        return int(self._rgb.shape[0])

    def has_room(self) -> bool:
        """Whether a strip of a tenth of the canvas is still empty."""
        return self._y < self._size * 0.9

    def fits(self, rgb: Image) -> bool:
        """Whether a whole picture still fits; an empty canvas takes any."""
        height, width = rgb.shape[:2]
        if self._x == self._y == 0:
            return True
        if self._x + width <= self._size and self._y + height <= self._size:
            return True
        return bool(self._y + self._row_height + height <= self._size)

    def place(self, field: Field, generator: np.random.Generator | None) -> None:
        """Put a picture at the next free place, cut off where the canvas ends.

        A picture larger than what is left shows a random part of itself, or with no generator
        its upper left.
        """
        height, width = field.rgb.shape[:2]
        cut_off = self._x + width > self._size
        if self._x and cut_off and (generator is None or self._size - self._x < 0.35 * width):
            self._x, self._y, self._row_height = 0, self._y + self._row_height, 0
        room_x, room_y = self._size - self._x, self._size - self._y
        if room_y <= 0:
            return
        from_x = _offset(width - room_x, generator)
        from_y = _offset(height - room_y, generator)
        part = field.rgb[from_y : from_y + room_y, from_x : from_x + room_x]
        self._rgb[self._y : self._y + part.shape[0], self._x : self._x + part.shape[1]] = part
        self._add_boxes(field, (from_x, from_y), (part.shape[1], part.shape[0]))
        self._x += part.shape[1]
        self._row_height = max(self._row_height, part.shape[0])
        if self._x >= self._size * 0.95:
            self._x, self._y, self._row_height = 0, self._y + self._row_height, 0

    def field(self) -> Field:
        """The canvas as it is now."""
        if not self._boxes:
            return Field(self._rgb, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
        return Field(self._rgb, np.concatenate(self._boxes), np.concatenate(self._classes))

    def _add_boxes(self, field: Field, from_xy: tuple[int, int], part_wh: tuple[int, int]) -> None:
        shift = np.array([*from_xy, *from_xy], np.float32)
        clipped = geometry.clip_xyxy(field.xyxy - shift, part_wh)
        visible = geometry.area(clipped) / np.maximum(geometry.area(field.xyxy), 1e-6)
        keep = visible >= self._least_visible
        place = np.array([self._x, self._y, self._x, self._y], np.float32)
        self._boxes.append(clipped[keep] + place)
        self._classes.append(field.class_id[keep])


def _offset(excess: int, generator: np.random.Generator | None) -> int:
    if excess <= 0 or generator is None:
        return 0
    return int(generator.integers(excess + 1))
