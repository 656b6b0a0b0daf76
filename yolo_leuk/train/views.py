"""What a classifier is shown of a stored picture: the window around a cell, or the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from yolo_leuk import onnx_graph, pixels
from yolo_leuk.records import Image, Sample


class View(Protocol):
    """What is shown, and how it becomes the input of a net. Pictures are RGB uint8."""

    @property
    def size_px(self) -> int:
        """S, the side of the input."""

    @property
    def steps(self) -> tuple[str, ...]:
        """From a picture to the input, in words, for the card."""

    def px_per_rbc_of(self, samples: Sequence[Sample]) -> float:
        """Scale of the input, for the card of a net that learnt from these samples."""

    def shown(self, stored: Image, px_per_rbc: float) -> Image:
        """What is shown in use."""

    def varied(self, stored: Image, px_per_rbc: float, generator: np.random.Generator) -> Image:
        """What is shown in training: as in use, but zoomed and shifted where that may be."""

    def as_input(self, shown: Image, px_per_rbc: float, sharpness: float | None = None) -> Image:
        """Input of the net, shape (S, S, 3).

        Args:
            shown: What is shown, however recoloured or turned.
            px_per_rbc: Width of a red cell in the stored picture, in pixels.
            sharpness: Pixels per red cell that are left; as in use where None.
        """


@dataclass(frozen=True)
class CellWindow:
    """The window in the middle of a stored crop.

    Attributes:
        size_px: S.
        zoom: In training, the window is this fraction wider or narrower at most.
        shift: In training, its centre moves by this fraction of it at most.
    """

    size_px: int
    zoom: float = 0.0
    shift: float = 0.0

    @property
    def steps(self) -> tuple[str, ...]:
        """From a picture to the input, in words."""
        return onnx_graph.CLASSIFIER_STEPS

    def px_per_rbc_of(self, samples: Sequence[Sample]) -> float:  # noqa: ARG002  (of any)
        """Every window is reduced to one sharpness."""
        return pixels.SHARPNESS_PX_PER_RBC

    def shown(self, stored: Image, px_per_rbc: float) -> Image:
        """The window, pixel by pixel as ``detect`` cuts it from a field."""
        return pixels.window_of(stored, px_per_rbc)

    def varied(self, stored: Image, px_per_rbc: float, generator: np.random.Generator) -> Image:
        """A window that is a little off, as boxes are not exact."""
        full = stored.shape[0]
        side = pixels.window_side(px_per_rbc)
        side = min(full, round(side * (1 + generator.uniform(-self.zoom, self.zoom))))
        reach = round(self.shift * side)
        offset_xy = generator.integers(-reach, reach + 1, 2) + (full - side) // 2
        x, y = np.clip(offset_xy, 0, full - side)
        return np.ascontiguousarray(stored[y : y + side, x : x + side])

    def as_input(
        self,
        shown: Image,
        px_per_rbc: float,  # noqa: ARG002  (a window is as wide in red cells at any scale)
        sharpness: float | None = None,
    ) -> Image:
        """Reduced to one sharpness, then brought to one size."""
        if sharpness is None:
            return pixels.classifier_input(shown, self.size_px)
        return pixels.classifier_input(shown, self.size_px, sharpness)


@dataclass(frozen=True)
class WholePicture:
    """All of a picture; none of it is ever cut off.

    Attributes:
        size_px: S.
    """

    size_px: int

    @property
    def steps(self) -> tuple[str, ...]:
        """From a picture to the input, in words."""
        return onnx_graph.PICTURE_STEPS

    def px_per_rbc_of(self, samples: Sequence[Sample]) -> float:
        """The median: pictures are brought to one size, whatever they show."""
        scales = [s.px_per_rbc * self.size_px / max(s.width, s.height) for s in samples]
        return round(float(np.median(scales)), 2)

    def shown(self, stored: Image, px_per_rbc: float) -> Image:  # noqa: ARG002  (at any scale)
        """The picture, made square."""
        return pixels.squared(stored)

    def varied(
        self,
        stored: Image,
        px_per_rbc: float,
        generator: np.random.Generator,  # noqa: ARG002  (a zoom would cut something off)
    ) -> Image:
        """As in use."""
        return self.shown(stored, px_per_rbc)

    def as_input(self, shown: Image, px_per_rbc: float, sharpness: float | None = None) -> Image:
        """In use a picture keeps the sharpness that it has."""
        reduction = 1.0 if sharpness is None else min(1.0, sharpness / px_per_rbc)
        return pixels.picture_input(shown, self.size_px, reduction)
