"""Text on pictures, measured by the height of its capitals."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from yolo_leuk.detect.palette import Colour
from yolo_leuk.records import Image

_FACE = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL_PX = 21  # height of a capital at scale 1


@dataclass(frozen=True)
class Font:
    """OpenCV's own font in one size; it has the letters of ASCII for certain, others perhaps.

    Attributes:
        capital_px: Height of a capital letter in pixels.
    """

    capital_px: float

    @property
    def line_px(self) -> int:
        """Distance from one line of text to the next."""
        return round(2.1 * self.capital_px)

    def width(self, text: str) -> int:
        """How many pixels wide ``text`` is."""
        (width, _), _ = cv2.getTextSize(text, _FACE, self._scale, self._thickness)
        return width

    def draw(self, image: Image, text: str, xy: tuple[int, int], colour: Colour) -> None:
        """Write ``text`` into ``image``, its baseline beginning at ``xy``."""
        cv2.putText(image, text, xy, _FACE, self._scale, colour, self._thickness, cv2.LINE_AA)

    def wrap(self, text: str, width_px: int) -> list[str]:
        """Break ``text`` between words into lines of at most ``width_px``; a longer word stands."""
        lines: list[str] = []
        for word in text.split():
            if lines and self.width(f"{lines[-1]} {word}") <= width_px:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    @property
    def _scale(self) -> float:
        return self.capital_px / _CAPITAL_PX

    @property
    def _thickness(self) -> int:
        return max(1, round(1.5 * self._scale))
