"""What the steps of a preparation work on: a picture and all that must move along with it.

Whatever changes the geometry of a picture changes its boxes, its mask and its ruler too; that is
done here, once. Every function returns a new :class:`Picture`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry, pixels
from yolo_leuk.errors import DataError
from yolo_leuk.records import Image

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A picture on its way into a data set.

    Attributes:
        rgb: The pixels.
        xyxy: Boxes in pixels, float32, shape (n, 4).
        labels: Class of each box.
        mask: 255 on cells and 0 elsewhere, uint8, shape (height, width); None where there is none.
        px_per_rbc: Width of a red cell in pixels.
        painted_xyxy: What was painted out, in pixels; None where nothing was.
        steps: What was done to the pixels, in order.
    """

    rgb: Image
    xyxy: Floats
    labels: tuple[str, ...]
    mask: Mask | None
    px_per_rbc: float
    painted_xyxy: tuple[int, int, int, int] | None = None
    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.xyxy.shape != (len(self.labels), 4):
            raise DataError(
                f"expected a box for each of {len(self.labels)} labels, "
                f"got an array of shape {self.xyxy.shape}"
            )
        if self.mask is not None and self.mask.shape != self.rgb.shape[:2]:
            raise DataError(
                f"expected a mask as large as its picture, {_size(self.rgb)}, "
                f"got one of {_size(self.mask)}"
            )

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def noted(self, step: str) -> Picture:
        """The same picture with one more entry in ``steps``."""
        return dataclasses.replace(self, steps=(*self.steps, step))


def cut_square(picture: Picture, left_top: tuple[int, int], side_px: int) -> Picture:
    """A square part of a picture; what lies beyond its edge becomes black and is no cell.

    Boxes are cut to the square; those that lie wholly outside are gone.
    """
    left, top = left_top
    # cut_window puts the centre's pixel at side // 2.
    centre = (left + side_px // 2, top + side_px // 2)
    rgb = pixels.cut_window(picture.rgb, centre, side_px, fill=(0, 0, 0))
    mask = None if picture.mask is None else _cut(picture.mask, left_top, side_px)
    shift = np.array([left, top, left, top], np.float32)
    xyxy = geometry.clip_xyxy(picture.xyxy - shift, (side_px, side_px))
    inside = geometry.area(xyxy) > 0
    painted = picture.painted_xyxy
    if painted is not None:
        painted = _whole(geometry.clip_xyxy(np.array([painted]) - shift, (side_px, side_px))[0])
    return dataclasses.replace(
        picture,
        rgb=rgb,
        mask=mask,
        xyxy=xyxy[inside],
        labels=tuple(np.array(picture.labels, object)[inside]),
        painted_xyxy=painted,
    )


def resized(picture: Picture, size_wh: tuple[int, int]) -> Picture:
    """A picture at another size. The ruler goes by the mean of both directions."""
    width, height = picture.size_wh
    gain = np.array([size_wh[0] / width, size_wh[1] / height] * 2, np.float32)
    mask = picture.mask
    if mask is not None:
        mask = np.asarray(
            cv2.resize(mask, size_wh, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8
        )
    painted = picture.painted_xyxy
    return dataclasses.replace(
        picture,
        rgb=pixels.resample(picture.rgb, size_wh),
        mask=mask,
        xyxy=picture.xyxy * gain,
        px_per_rbc=picture.px_per_rbc * float(np.sqrt(gain[0] * gain[1])),
        painted_xyxy=None if painted is None else _whole(np.array(painted) * gain),
    )


def turned(picture: Picture, quarter_turns: int, mirrored: bool) -> Picture:
    """One of the eight flips and right-angle turns, as :func:`yolo_leuk.pixels.turned` does it."""
    mask, painted = picture.mask, picture.painted_xyxy
    if mask is not None:
        mask = np.ascontiguousarray(np.rot90(mask[:, ::-1] if mirrored else mask, quarter_turns))
    if painted is not None:
        (box,) = geometry.turned_xyxy(np.array([painted]), picture.size_wh, quarter_turns, mirrored)
        painted = _whole(box)
    return dataclasses.replace(
        picture,
        rgb=pixels.turned(picture.rgb, quarter_turns, mirrored),
        mask=mask,
        xyxy=geometry.turned_xyxy(picture.xyxy, picture.size_wh, quarter_turns, mirrored),
        painted_xyxy=painted,
    )


def _cut(mask: Mask, left_top: tuple[int, int], side_px: int) -> Mask:
    left, top = left_top
    cut = np.zeros((side_px, side_px), np.uint8)
    inner = mask[max(top, 0) : max(top + side_px, 0), max(left, 0) : max(left + side_px, 0)]
    y, x = max(-top, 0), max(-left, 0)
    cut[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return cut


def _whole(box: npt.NDArray[np.floating]) -> tuple[int, int, int, int]:
    """The smallest box of whole pixels around a box."""
    x1, y1 = (int(v) for v in np.floor(box[:2]))
    x2, y2 = (int(v) for v in np.ceil(box[2:]))
    return x1, y1, x2, y2


def _size(pixels_of: npt.NDArray[np.uint8]) -> str:
    return f"{pixels_of.shape[1]}×{pixels_of.shape[0]}"
