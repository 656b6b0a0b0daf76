"""What the bytes of an image file say before any pixel is decoded: its kind, size and orientation.

OpenCV decodes a cut-off JPEG to a picture with a grey lower part and no error, spends gigabytes on
a few kilobytes that declare 65,500 × 65,500 pixels, and drops the EXIF orientation of everything
that it reads with alpha or as grey. So the frame of a file is read here, and believed first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.errors import ImageError

_CUT_OFF_HINT = "Copy the file again from its source."


@dataclass(frozen=True)
class ImageHeader:
    """The frame of an image file.

    Attributes:
        kind: ``JPEG``, ``PNG``, ``TIFF``, ``BMP`` or ``WebP``, whatever the suffix says.
        size_wh: Width and height in pixels, as stored: before its orientation.
        orientation: 1–8 as in EXIF. Always 1 for TIFF, which OpenCV's decoder turns by itself.
    """

    kind: str
    size_wh: tuple[int, int]
    orientation: int = 1


def read_header(content: bytes, path: Path) -> ImageHeader:
    """Read the frame of a whole image file.

    Args:
        content: All bytes of the file.
        path: Named in errors only.

    Raises:
        ImageError: The file is of no known kind, has no size, or its end is missing.
    """
    for magic, reader in _READERS.items():
        if content.startswith(magic):
            header = reader(content, path)
            if min(header.size_wh) < 1:
                raise ImageError(f"{path} is no readable {header.kind}: its size is missing or 0")
            return header
    raise ImageError(
        f"{path} is no JPEG, PNG, TIFF, BMP or WebP picture: "
        f"it begins with {content[:8].decode('latin-1')!r}",
        hint="Save it as PNG or JPEG with the program that made it.",
    )


# --- JPEG (ITU-T T.81, annex B) ----------------------------------------------------------------

# FF 00 is a data byte FF, FF FF a fill byte, FF D0–D7 a restart inside the data.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_NO_PAYLOAD = frozenset({0x01, 0xD8})
_JPEG_EXIF = 0xE1
_JPEG_END = 0xD9
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg(content: bytes, path: Path) -> ImageHeader:
    size_wh, orientation, whole = (0, 0), 1, False
    for marker, payload in _jpeg_segments(content):
        if marker in _JPEG_FRAMES:
            size_wh = _big(payload[3:5]), _big(payload[1:3])
        elif marker == _JPEG_EXIF and payload.startswith(b"Exif\0\0"):
            orientation = _exif_orientation(payload)
        whole = marker == _JPEG_END
    if not whole:
        raise ImageError(f"{path} is cut off: the end of the JPEG is missing", hint=_CUT_OFF_HINT)
    return ImageHeader("JPEG", size_wh, orientation)


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers with their payloads, up to the picture's own end.

    Payloads are stepped over, so that the end marker of an EXIF thumbnail is not taken for the
    picture's, nor whatever a camera or a program appended.
    """
    position = 2
    while match := _JPEG_MARKER.search(content, position):
        marker, position = content[match.end() - 1], match.end()
        if marker in _JPEG_NO_PAYLOAD:
            continue
        if marker == _JPEG_END:
            yield marker, b""
            return
        length = max(2, _big(content[position : position + 2]))
        yield marker, content[position + 2 : position + length]
        position += length


# --- PNG ---------------------------------------------------------------------------------------


def _png(content: bytes, path: Path) -> ImageHeader:
    size_wh, orientation, whole = (0, 0), 1, False
    for name, payload in _png_chunks(content):
        if name == b"IHDR":
            size_wh = _big(payload[0:4]), _big(payload[4:8])
        elif name == b"eXIf":
            orientation = _exif_orientation(payload)
        whole = name == b"IEND"
    if not whole:
        raise ImageError(f"{path} is cut off: the end of the PNG is missing", hint=_CUT_OFF_HINT)
    return ImageHeader("PNG", size_wh, orientation)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and payloads of the chunks that are there whole, up to the last one."""
    position, name = 8, b""
    while name != b"IEND":
        start = position + 8
        length = _big(content[position : position + 4])
        name = content[position + 4 : start]
        position = start + length + 4  # a checksum follows
        if position > len(content):
            return
        yield name, b"" if name == b"IDAT" else content[start : start + length]


# --- WebP --------------------------------------------------------------------------------------


def _webp(content: bytes, path: Path) -> ImageHeader:
    declared = _little(content[4:8]) + 8
    if declared > len(content):
        raise ImageError(
            f"{path} is cut off: {declared} bytes are declared, {len(content)} are there",
            hint=_CUT_OFF_HINT,
        )
    size_wh, orientation = (0, 0), 1
    for name, payload in _webp_chunks(content):
        if name == b"EXIF":
            orientation = _exif_orientation(payload)
        elif size_wh == (0, 0):
            size_wh = _webp_size(name, payload)
    return ImageHeader("WebP", size_wh, orientation)


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position + 8 <= len(content):
        start, length = position + 8, _little(content[position + 4 : position + 8])
        yield content[position : position + 4], content[start : start + length]
        position = start + length + length % 2


def _webp_size(name: bytes, payload: bytes) -> tuple[int, int]:
    if name == b"VP8X":  # extended: the size of the canvas, less one
        return _little(payload[4:7]) + 1, _little(payload[7:10]) + 1
    if name == b"VP8 ":  # lossy: 14 bits each after the start code
        return _little(payload[6:8]) & 0x3FFF, _little(payload[8:10]) & 0x3FFF
    if name == b"VP8L":  # lossless: 14 bits each, less one, after the signature
        bits = _little(payload[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


# --- BMP ---------------------------------------------------------------------------------------


def _bmp(content: bytes, path: Path) -> ImageHeader:
    if _little(content[14:18]) == 12:  # the header of OS/2
        width, height, bits = (_little(content[i : i + 2]) for i in (18, 20, 24))
        compression = 0
    else:
        width = _little(content[18:22], signed=True)
        height = abs(_little(content[22:26], signed=True))  # negative where the top row is first
        bits, compression = _little(content[28:30]), _little(content[30:34])
    row_bytes = (width * bits + 31) // 32 * 4
    # The file size that a BMP declares is often wrong; what its pixels need is not.
    needed = _little(content[10:14]) + row_bytes * height
    if compression in (0, 3) and needed > len(content):
        raise ImageError(
            f"{path} is cut off: {needed} bytes are needed, {len(content)} are there",
            hint=_CUT_OFF_HINT,
        )
    return ImageHeader("BMP", (width, height))


# --- TIFF, and EXIF, which is a TIFF without pixels ---------------------------------------------

_TAG_WIDTH, _TAG_HEIGHT, _TAG_ORIENTATION = 0x0100, 0x0101, 0x0112
_TYPE_BYTES = {3: 2, 4: 4, 16: 8}  # SHORT, LONG and the LONG8 of BigTIFF


def _tiff(content: bytes, path: Path) -> ImageHeader:
    tags = _first_directory(content)
    if not tags:
        raise ImageError(
            f"{path} is cut off: the directory of the TIFF is missing", hint=_CUT_OFF_HINT
        )
    return ImageHeader("TIFF", (tags.get(_TAG_WIDTH, 0), tags.get(_TAG_HEIGHT, 0)))


def _exif_orientation(exif: bytes) -> int:
    """1–8; 1 where the EXIF data is broken, as every viewer shows it."""
    orientation = _first_directory(exif.removeprefix(b"Exif\0\0")).get(_TAG_ORIENTATION, 1)
    return orientation if 1 <= orientation <= 8 else 1


def _first_directory(tiff: bytes) -> dict[int, int]:
    """Tags of whole numbers in the first directory of a TIFF or BigTIFF; empty where it ends early.

    An entry is tag, type, count and value; in BigTIFF counts and values take twice the room.
    """
    number = _little if tiff.startswith(b"II") else _big
    is_big = number(tiff[2:4]) == 43
    word = 8 if is_big else 4
    start = number(tiff[8:16]) if is_big else number(tiff[4:8])
    first = start + (8 if is_big else 2)
    count = number(tiff[start:first])
    entry_bytes = 4 + 2 * word
    if start < 8 or first + count * entry_bytes > len(tiff):
        return {}
    tags = {}
    for at in range(first, first + count * entry_bytes, entry_bytes):
        if value_bytes := _TYPE_BYTES.get(number(tiff[at + 2 : at + 4])):
            value_at = at + 4 + word
            tags[number(tiff[at : at + 2])] = number(tiff[value_at : value_at + value_bytes])
    return tags


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _little(raw: bytes, *, signed: bool = False) -> int:
    return int.from_bytes(raw, "little", signed=signed)


_READERS: dict[bytes, Callable[[bytes, Path], ImageHeader]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
    b"BM": _bmp,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"II+\0": _tiff,
    b"MM\0+": _tiff,
}
