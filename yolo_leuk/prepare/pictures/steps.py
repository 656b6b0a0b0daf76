"""What may be done to the pixels of a picture before it is stored: named steps in a stated order.

What training and use do alike is done by :mod:`yolo_leuk.pixels`; the steps here are only ever
done in preparation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from yolo_leuk import pixels
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.prepare.pictures.black_border import black_pixels, is_on_black, square_around_cell
from yolo_leuk.prepare.pictures.picture import Picture, cut_square, resized
from yolo_leuk.prepare.pictures.stain import LabTarget, StainTarget, macenko, reinhard

# Medians over the 2,131 training pictures of ALL-4-class, scale bar painted out.
_FIELD_LAB = LabTarget(mean=(86.5, 1.9, -10.0), deviation=(12.1, 10.4, 15.4))
_FIELD_STAINS = StainTarget(
    nuclei=(0.515, 0.857, -0.005),
    others=(0.785, 0.480, 0.391),
    strongest=(0.95, 0.60),
    light=(251.0, 255.0, 255.0),
)

# Medians over 525 training cells of C-NMC, every third. (Violet parts of fields, put on black, were
# tried: their stains vary otherwise than those of one cell, whose texture is lost on the way.)
_CELL_LAB = LabTarget(mean=(18.3, 27.4, -22.5), deviation=(4.0, 2.8, 3.1))
_CELL_STAINS = StainTarget(
    nuclei=(0.483, 0.802, 0.350),
    others=(0.576, 0.682, 0.449),
    strongest=(2.89, 2.75),
    light=(240.0, 240.0, 240.0),
)


@dataclass(frozen=True)
class StepOptions:
    """Numbers that the steps go by.

    Attributes:
        size_px: ``resize``: the longer side that comes out; proportions are kept.
        clahe_clip: ``clahe``: limit of contrast, as OpenCV counts it.
        clahe_tiles: ``clahe``: the picture is divided into so many tiles each way.
        reinhard: Target for pictures of a field.
        reinhard_on_black: Target for cells on black.
        macenko: Target for pictures of a field.
        macenko_on_black: Target for cells on black.
    """

    size_px: int = 224
    clahe_clip: float = 2.0
    clahe_tiles: int = 8
    reinhard: LabTarget = _FIELD_LAB
    reinhard_on_black: LabTarget = _CELL_LAB
    macenko: StainTarget = _FIELD_STAINS
    macenko_on_black: StainTarget = _CELL_STAINS


def check_steps(steps: Sequence[str], options: StepOptions) -> None:
    """Refuse what :func:`apply_steps` could not do to any picture.

    Raises:
        ConfigError: An unknown or repeated step, or a number out of range.
    """
    for name in steps:
        if name not in STEPS:
            raise ConfigError(f"unknown step {name!r}; known are {', '.join(STEPS)}")
    if len(set(steps)) < len(steps):
        raise ConfigError(f"expected each step once, got {', '.join(steps)}")
    for key in ("size_px", "clahe_tiles"):
        if getattr(options, key) < 1:
            raise ConfigError(f"{key} is {getattr(options, key)}; expected 1 or more")
    if not options.clahe_clip > 0:
        raise ConfigError(f"clahe_clip is {options.clahe_clip:g}; expected above 0")


def apply_steps(picture: Picture, steps: Sequence[str], options: StepOptions) -> Picture:
    """The picture after all steps, in this order; each is recorded in ``steps``.

    Args:
        picture: Stays as it is.
        steps: Names out of :data:`STEPS`.
        options: Numbers that the steps go by.

    Raises:
        ConfigError: An unknown or repeated step, or a number out of range.
        DataError: A step needs what the picture does not have.
    """
    check_steps(steps, options)
    for name in steps:
        picture = STEPS[name](picture, options)
    return picture


def _without_scale_bar(picture: Picture, _: StepOptions) -> Picture:
    box = pixels.find_scale_bar(picture.rgb)
    if box is None:
        return picture.noted("scale-bar: none found")
    painted = dataclasses.replace(picture, rgb=pixels.paint_out(picture.rgb, box), painted_xyxy=box)
    return painted.noted("scale-bar: painted out")


def _without_black_border(picture: Picture, _: StepOptions) -> Picture:
    square = square_around_cell(picture.rgb)
    if square is None:
        return picture.noted("black-border: none found")
    left_top, side = square
    return cut_square(picture, left_top, side).noted(f"black-border: cut to {side} px")


def _with_even_contrast(picture: Picture, options: StepOptions) -> Picture:
    """CLAHE on luma alone, so that no colour changes; what is black stays black."""
    tiles = (options.clahe_tiles, options.clahe_tiles)
    equaliser = cv2.createCLAHE(clipLimit=options.clahe_clip, tileGridSize=tiles)
    ycrcb = np.asarray(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2YCrCb), np.uint8)
    ycrcb[..., 0] = equaliser.apply(np.ascontiguousarray(ycrcb[..., 0]))
    lifted = np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)
    black = black_pixels(picture.rgb).astype(np.uint8)
    rgb = np.asarray(cv2.copyTo(picture.rgb, black, lifted), np.uint8)
    step = f"clahe: clip {options.clahe_clip:g}, {options.clahe_tiles}×{options.clahe_tiles} tiles"
    return dataclasses.replace(picture, rgb=rgb).noted(step)


def _with_reinhard(picture: Picture, options: StepOptions) -> Picture:
    on_black = is_on_black(picture.rgb)
    target = options.reinhard_on_black if on_black else options.reinhard
    rgb = reinhard(picture.rgb, target)
    if rgb is picture.rgb:
        return picture.noted("reinhard: left, hardly any contrast")
    step = f"reinhard: LAB {_numbers(target.mean)} ± {_numbers(target.deviation)}"
    return dataclasses.replace(picture, rgb=rgb).noted(step)


def _with_macenko(picture: Picture, options: StepOptions) -> Picture:
    on_black = is_on_black(picture.rgb)
    target = options.macenko_on_black if on_black else options.macenko
    rgb = macenko(picture.rgb, target)
    if rgb is picture.rgb:
        return picture.noted("macenko: left, no two stains")
    step = (
        f"macenko: {_numbers(target.nuclei)} × {target.strongest[0]:g}, "
        f"{_numbers(target.others)} × {target.strongest[1]:g}, light {_numbers(target.light)}"
    )
    return dataclasses.replace(picture, rgb=rgb).noted(step)


def _masked(picture: Picture, _: StepOptions) -> Picture:
    if picture.mask is None:
        raise DataError(
            "the step masked needs a mask, and this picture has none",
            hint="Leave the step out, or have the masks computed.",
        )
    rgb = np.where(picture.mask[..., None] > 0, picture.rgb, np.uint8(0))
    return dataclasses.replace(picture, rgb=rgb).noted("masked")


def _resized(picture: Picture, options: StepOptions) -> Picture:
    width, height = picture.size_wh
    gain = options.size_px / max(width, height)
    size_wh = (max(1, round(width * gain)), max(1, round(height * gain)))
    return resized(picture, size_wh).noted(f"resize: {size_wh[0]}×{size_wh[1]}")


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


STEPS: dict[str, Callable[[Picture, StepOptions], Picture]] = {
    "scale-bar": _without_scale_bar,
    "black-border": _without_black_border,
    "clahe": _with_even_contrast,
    "reinhard": _with_reinhard,
    "macenko": _with_macenko,
    "masked": _masked,
    "resize": _resized,
}
"""What each name does, in the order in which messages list them."""
