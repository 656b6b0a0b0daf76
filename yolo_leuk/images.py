"""The only reader of image files. It returns whole, upright RGB pictures, or raises; never None."""

from __future__ import annotations

import contextlib
import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import ImageError
from yolo_leuk.image_headers import read_header
from yolo_leuk.records import Image

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

# A 100-megapixel camera is real; a 65,500 × 65,500 PNG of one colour is a few kilobytes on disk
# and 12 GB in memory.
MAX_PIXELS = 178_956_970
MIN_SIDE_PX = 8

# The most that a pixel takes on disk (16 bits of R, G, B and alpha), and room for metadata.
_MAX_BYTES_PER_PIXEL = 8
_METADATA_BYTES = 64 << 20

# 12 bits stored in 16 without scaling look black, and the nets would be asked about darkness.
_DARKEST_WHITE_16 = 1 << 14

_SILENT = 0  # LOG_LEVEL_SILENT of OpenCV


@dataclass(frozen=True)
class LoadedImage:
    """A picture and the facts of its file.

    Attributes:
        rgb: uint8, shape (height, width, 3), after EXIF orientation.
        sha256: Of the file's bytes.
    """

    rgb: Image
    sha256: str


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a picture as uint8 RGB. See :func:`load_image`."""
    return load_image(path, max_pixels=max_pixels).rgb


def load_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> LoadedImage:
    """Read a JPEG, PNG, TIFF, BMP or WebP file as uint8 RGB, upright, on white where transparent.

    Grey becomes three equal channels; 16 bits per channel are scaled to 8; CMYK is converted. The
    kind is told by the content, not by the suffix.

    Args:
        path: The file.
        max_pixels: Larger pictures are refused before they are decoded.

    Raises:
        ImageError: Missing, empty, no picture, cut off, too large, smaller than 8 px a side, or
            with pixels that are neither 8 nor 16 bits.
    """
    content = _read_bytes(path, max_pixels)
    rgb = decode_image(content, path, max_pixels=max_pixels)
    return LoadedImage(rgb, hashlib.sha256(content).hexdigest())


def decode_image(content: bytes, path: Path, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode the bytes of a picture; ``path`` is only named in errors. See :func:`load_image`."""
    if not content:
        raise ImageError(f"{path} is empty (0 bytes)")
    header = read_header(content, path)
    _check_size(header.size_wh, path, max_pixels)
    decoded = _decode(content, path)
    return _upright(_to_rgb8(decoded, path), header.orientation)


def _read_bytes(path: Path, max_pixels: int) -> bytes:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError(f"expected an image file, {path} is a folder or a device")
        if facts.st_size > max_pixels * _MAX_BYTES_PER_PIXEL + _METADATA_BYTES:
            raise ImageError(
                f"{path} has {facts.st_size:,} bytes, more than any picture of {max_pixels:,} "
                "pixels, which is the most that is read at once",
                hint="Cut it into fields, or save it at a lower resolution.",
            )
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in the name
        raise ImageError(f"cannot read {path}: {error}") from error


def _check_size(size_wh: tuple[int, int], path: Path, max_pixels: int) -> None:
    """Refuse a picture by the size in its header, before memory is spent on it."""
    width, height = size_wh
    if width * height > max_pixels:
        raise ImageError(
            f"{path} is {width}×{height} pixels; at most {max_pixels:,} pixels are read at once",
            hint="Cut it into fields, or save it at a lower resolution.",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            f"{path} is {width}×{height} pixels; at least {MIN_SIDE_PX}×{MIN_SIDE_PX} are needed"
        )


def _decode(content: bytes, path: Path) -> npt.NDArray[np.generic]:
    """Pixels as stored: any depth, BGR or BGRA or grey, before EXIF orientation."""
    message = f"{path} is damaged, or of a variety that OpenCV cannot read"
    try:
        with _quiet_opencv():
            decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"{message}: {error.err}") from error
    if decoded is None:
        raise ImageError(message, hint="Save it as PNG or JPEG with the program that made it.")
    return np.asarray(decoded)


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from logging what the caller is told by an exception."""
    logging = getattr(cv2.utils, "logging", cv2)  # OpenCV 5, and 4
    level = logging.getLogLevel()
    logging.setLogLevel(_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def _to_rgb8(decoded: npt.NDArray[np.generic], path: Path) -> Image:
    pixels = _to_8_bits(decoded, path)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if channels == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    if channels == 4:
        return _on_white(pixels)
    raise ImageError(f"{path} has {channels} channels; 1, 3 or 4 are understood")


def _to_8_bits(decoded: npt.NDArray[np.generic], path: Path) -> Image:
    if decoded.dtype == np.uint8:
        return np.asarray(decoded, np.uint8)
    if decoded.dtype != np.uint16:
        raise ImageError(
            f"{path} has {decoded.dtype} pixels; 8 or 16 bits per channel are understood",
            hint="Save it with 8 bits per channel.",
        )
    brightest = int(decoded[..., :3].max())
    if brightest < _DARKEST_WHITE_16:
        raise ImageError(
            f"{path} has 16 bits per channel, but its brightest value is {brightest} of 65535: "
            "it would be read as black",
            hint="Save it with its full range of brightness, or with 8 bits per channel.",
        )
    # 65535 / 255 is exactly 257.
    return np.asarray(cv2.convertScaleAbs(np.asarray(decoded, np.uint16), alpha=1 / 257), np.uint8)


def _on_white(bgra: Image) -> Image:
    rgb = np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), np.uint8)
    alpha = bgra[:, :, 3:]
    if alpha.min() == 255:
        return rgb
    opacity = alpha.astype(np.float32) / 255.0
    blended = rgb * opacity + 255.0 * (1.0 - opacity)
    return np.asarray(np.rint(blended), np.uint8)


def _upright(image: Image, orientation: int) -> Image:
    """Turn and mirror a picture as its EXIF orientation 1–8 says (CIPA DC-008, tag 274)."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
