"""Every picture is read once, by all cores; what the checks need of it is all that is kept."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.audit.jpeg_quality import jpeg_quality
from yolo_leuk.audit.regions import region_patches
from yolo_leuk.cell_mask import cell_mask
from yolo_leuk.colour_numbers import colour_numbers
from yolo_leuk.errors import DataError
from yolo_leuk.image_headers import read_header
from yolo_leuk.images import load_image
from yolo_leuk.records import Floats, Image
from yolo_leuk.thumbnail import spectrum_of, thumbnail_of
from yolo_leuk.workers import Workers

# Colour is measured on about so many pixels, spread evenly: more changes no percentile.
_COLOUR_PIXELS = 1 << 14


@dataclass(frozen=True)
class Clues:
    """What may give a picture's class away.

    Attributes:
        colours: Eleven numbers of the whole picture, float32, shape (11,).
        colours_without_cells: The same of what is left without its cells.
        regions: A patch of each corner and strip, uint8, shape (8, 432).
    """

    colours: Floats
    colours_without_cells: Floats
    regions: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PictureFacts:
    """What is kept of a picture.

    Attributes:
        sha256: Of the file's bytes.
        pixels_sha256: Of size and pixels: the same for any lossless way to store them.
        kind: ``JPEG``, ``PNG`` … by content.
        size_wh: Width and height in pixels, upright.
        jpeg_quality: 1–100; None for what is no JPEG.
        thumbnail: Grey, uint8, shape (64, 64).
        spectrum: Of the thumbnail, float32, shape (21, 21).
        clues: None where the data set has no classes to give away.
    """

    sha256: str
    pixels_sha256: str
    kind: str
    size_wh: tuple[int, int]
    jpeg_quality: int | None
    thumbnail: npt.NDArray[np.uint8]
    spectrum: Floats
    clues: Clues | None


def scan(
    files: Sequence[Path],
    *,
    with_clues: bool,
    workers: int,
    show: Callable[[int, str], None] = lambda _done, _name: None,
) -> list[PictureFacts | DataError]:
    """Facts of each file in order, or why it cannot be read.

    Args:
        files: Pictures.
        with_clues: Measure what may give the class away.
        workers: Processes.
        show: Told how many are done, and the name of the next.
    """
    look = functools.partial(_facts_or_error, with_clues=with_clues)
    found: list[PictureFacts | DataError] = []
    with Workers(workers) as pool:
        for number, facts in enumerate(pool.in_order(look, files)):
            show(number, files[number].name)
            found.append(facts)
    return found


def facts_of(file: Path, *, with_clues: bool) -> PictureFacts:
    """Read one picture. Raises ImageError where it cannot be read whole."""
    loaded = load_image(file)
    content = file.read_bytes()
    rgb = loaded.rgb
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    thumbnail = thumbnail_of(np.asarray(grey, np.uint8))
    return PictureFacts(
        sha256=loaded.sha256,
        pixels_sha256=hashlib.sha256(repr(rgb.shape).encode() + rgb.tobytes()).hexdigest(),
        kind=read_header(content, file).kind,
        size_wh=(rgb.shape[1], rgb.shape[0]),
        jpeg_quality=jpeg_quality(content),
        thumbnail=thumbnail,
        spectrum=spectrum_of(thumbnail),
        clues=_clues_of(rgb) if with_clues else None,
    )


def _clues_of(rgb: Image) -> Clues:
    left = ~cell_mask(rgb)
    step = max(1, round(np.sqrt(left.size / _COLOUR_PIXELS)))
    spread, spread_left = rgb[::step, ::step], left[::step, ::step]
    return Clues(
        colours=colour_numbers(spread.reshape(-1, 3)),
        colours_without_cells=colour_numbers(spread[spread_left]),
        regions=region_patches(rgb),
    )


def _facts_or_error(file: Path, *, with_clues: bool) -> PictureFacts | DataError:
    try:
        return facts_of(file, with_clues=with_clues)
    except DataError as error:
        return error
