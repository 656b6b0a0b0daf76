"""Masks that a source brings along: of two values, of values or colours per part, or on black."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from yolo_leuk import images
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.prepare.pictures.black_border import black_pixels
from yolo_leuk.prepare.sources.source_tree import SourceFile
from yolo_leuk.prepare.white_cells.segmentation import WhiteCells
from yolo_leuk.prepare.white_cells.violet import Mask
from yolo_leuk.records import Image

Value = int | tuple[int, int, int]

# How far a pixel may lie from the nearest known value, in the channel that differs most, and the
# share of pixels that may lie farther: masks saved as JPEG, or resized, blend at their borders.
_TOLERANCE = 48
_MOST_UNKNOWN = 0.02


@dataclass(frozen=True)
class MaskParts:
    """What the values of a mask stand for; each is a grey value or a colour (red, green, blue).

    Attributes:
        background: All that is no white cell.
        cytoplasm: White cells without their nuclei.
        nucleus: Their nuclei.
    """

    background: tuple[Value, ...] = (0,)
    cytoplasm: tuple[Value, ...] = (128,)
    nucleus: tuple[Value, ...] = (255,)

    def __post_init__(self) -> None:
        every = [_colour(v) for v in (*self.background, *self.cytoplasm, *self.nucleus)]
        if not all(0 <= level <= 255 for colour in every for level in colour):
            raise ConfigError("expected values of masks from 0 to 255, got one outside")
        if not self.background or len(every) == len(self.background):
            raise ConfigError("expected values of masks for background and for cells")
        if len(set(every)) < len(every):
            raise ConfigError("one value of the masks stands for two parts, or stands there twice")


def read_mask(
    file: SourceFile, kind: str, parts: MaskParts, shape_hw: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """The white cells of a source's mask: 255 there, 0 elsewhere; uint8, shape (height, width).

    See :func:`read_parts`.
    """
    return read_parts(file, kind, parts, shape_hw).cells


def read_parts(
    file: SourceFile, kind: str, parts: MaskParts, shape_hw: tuple[int, int]
) -> WhiteCells:
    """White cells and their nuclei, as a source's mask has them.

    Args:
        file: The mask.
        kind: ``cell-on-black``, the picture itself with nothing but its cells; or ``values``, where
            grey values or colours stand for parts of a cell. One of but two values, 0 the lower,
            shows cells without telling their nuclei apart, whatever the other value is.
        parts: What the values stand for.
        shape_hw: Height and width of the picture that the mask belongs to.

    Raises:
        ImageError: The file is no readable picture.
        DataError: The mask is of another size than its picture, or has unknown values.
    """
    rgb = images.decode_image(file.read(), Path(file.name))
    if rgb.shape[:2] != shape_hw:
        raise DataError(
            f"{file}: expected a mask as large as its picture, {shape_hw[1]}×{shape_hw[0]} px, "
            f"got {rgb.shape[1]}×{rgb.shape[0]} px"
        )
    if kind == "cell-on-black":
        return _without_nuclei(np.invert(black_pixels(rgb)))
    if kind != "values":
        raise DataError(f"{file}: expected a mask of kind cell-on-black or values, got {kind!r}")
    if _has_two_values(rgb):
        return _without_nuclei(np.asarray(rgb.any(axis=2), np.bool_))
    return _by_values(rgb, parts, file)


def _has_two_values(rgb: Image) -> bool:
    """Whether a mask is black and one other value: 0 and 1 as well as 0 and 255."""
    shown = rgb[rgb.any(axis=2)]
    return len(shown) < rgb.shape[0] * rgb.shape[1] and bool((shown == shown[:1]).all())


def _without_nuclei(cells: npt.NDArray[np.bool_]) -> WhiteCells:
    mask = np.where(cells, 255, 0).astype(np.uint8)
    return WhiteCells(mask, np.zeros_like(mask))


def _by_values(rgb: Image, parts: MaskParts, file: SourceFile) -> WhiteCells:
    """Each pixel is the part whose value is nearest."""
    known = [_colour(v) for v in (*parts.background, *parts.cytoplasm, *parts.nucleus)]
    away = np.stack(
        [np.abs(rgb.astype(np.int16) - np.array(colour)).max(axis=2) for colour in known]
    )
    _check_known(rgb, away.min(axis=0) > _TOLERANCE, file)
    nearest = away.argmin(axis=0)
    first_cell = len(parts.background)
    first_nucleus = first_cell + len(parts.cytoplasm)
    return WhiteCells(_where(nearest >= first_cell), _where(nearest >= first_nucleus))


def _check_known(rgb: Image, unknown: npt.NDArray[np.bool_], file: SourceFile) -> None:
    if unknown.mean() <= _MOST_UNKNOWN:
        return
    colours, counts = np.unique(rgb[unknown], axis=0, return_counts=True)
    frequent = tuple(int(level) for level in colours[np.argmax(counts)])
    raise DataError(
        f"{file}: {unknown.mean():.0%} of the mask has values that stand for no part of a cell, "
        f"most often (red, green, blue) = {frequent}",
        hint="Say with mask_parts in the configuration what the values of the masks stand for.",
    )


def _where(chosen: npt.NDArray[np.bool_]) -> Mask:
    return np.where(chosen, 255, 0).astype(np.uint8)


def _colour(value: Value) -> tuple[int, int, int]:
    return (value, value, value) if isinstance(value, int) else value
