"""The model card inside an ONNX file, so that one file is enough to run a net.

It is an entry of the file's metadata. A file cannot hold its own hash; so the ``sha256`` of a card
inside is that of all other bytes of the file, and a byte that was changed is found without the card
beside. An ONNX file is a protocol buffer, a row of fields that each tell their length; no more of
it need be understood to find the entry, and neither onnx nor onnxruntime is needed.
https://protobuf.dev/programming-guides/encoding, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.errors import HashError, ModelError
from yolo_leuk.model_card import ModelCard, parse_card

KEY = "yolo-leuk/model-card"

# Fields of ONNX's ModelProto, and of the entries of its metadata.
_GRAPH, _METADATA = 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2

# How a field is written: as a number, by its length, or in eight or four bytes.
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_FIXED = {_EIGHT: 8, _FOUR: 4}


@dataclass(frozen=True)
class _Field:
    """A field of a protocol buffer: from ``start`` to ``end``, its content from ``content`` on."""

    number: int
    start: int
    content: int
    end: int


def with_card(graph: bytes, card: ModelCard) -> bytes:
    """An ONNX file with the card in it; an older one is replaced.

    Args:
        graph: The ONNX file.
        card: Its ``sha256`` does not count.
    """
    body, _ = _parted(graph)
    told = dataclasses.replace(card, sha256=hashlib.sha256(body).hexdigest()).to_json()
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    entry = _by_length(_ENTRY_KEY, KEY.encode()) + _by_length(_ENTRY_VALUE, text.encode())
    return body + _by_length(_METADATA, entry)


def embedded_card(path: Path, *, trust: bool = False) -> ModelCard | None:
    """The card inside an ONNX file, with the SHA-256 of the whole file; None where there is none.

    Args:
        path: The file.
        trust: Take the card although it is of other bytes.

    Raises:
        ModelError: The file cannot be read, is cut off, or is no ONNX file.
        CardError: The card breaks its schema.
        HashError: The card is of other bytes than those around it.
    """
    try:
        content = path.read_bytes()
        body, text = _parted(content)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(
            f"{path} is no whole ONNX file: {error}",
            hint="Fetch it again, or export it again with `yolo-leuk export`.",
        ) from error
    if text is None:
        return None
    card = parse_card(text, f"the card inside {path}")
    found = hashlib.sha256(body).hexdigest()
    if found != card.sha256 and not trust:
        raise HashError(
            f"{path}: the net has SHA-256 {found}; the card inside says {card.sha256}",
            hint="Fetch the file again, or export it again.",
        )
    return dataclasses.replace(card, sha256=hashlib.sha256(content).hexdigest())


def _parted(content: bytes) -> tuple[bytes, str | None]:
    """An ONNX file without its card, and the card. Raises ValueError where it is none."""
    fields = list(_fields(content, 0, len(content)))
    if not any(field.number == _GRAPH for field in fields):
        raise ValueError("there is no graph in it")
    text, kept, position = None, [], 0
    for field in fields:
        if field.number == _METADATA and (found := _card_text(content, field)) is not None:
            text = found
            kept.append(content[position : field.start])
            position = field.end
    return b"".join([*kept, content[position:]]), text


def _card_text(content: bytes, entry: _Field) -> str | None:
    parts = {
        field.number: content[field.content : field.end]
        for field in _fields(content, entry.content, entry.end)
    }
    if parts.get(_ENTRY_KEY) != KEY.encode():
        return None
    return parts.get(_ENTRY_VALUE, b"").decode()


def _fields(content: bytes, start: int, end: int) -> Iterator[_Field]:
    while start < end:
        tag, position = _number(content, start, end)
        kind = tag & 7
        if kind == _VARINT:
            _, stop = _number(content, position, end)
        elif kind == _LENGTH:
            length, position = _number(content, position, end)
            stop = position + length
        elif kind in _FIXED:
            stop = position + _FIXED[kind]
        else:
            raise ValueError(f"byte {start} begins no field")
        if stop > end:
            raise ValueError(f"it is cut off: byte {start} begins a field up to {stop} of {end}")
        yield _Field(tag >> 3, start, position, stop)
        start = stop


def _number(content: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the position after it."""
    value = shift = 0
    while position < end:
        byte = content[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    raise ValueError(f"it is cut off at byte {end}")


def _by_length(number: int, content: bytes) -> bytes:
    return _as_number(number << 3 | _LENGTH) + _as_number(len(content)) + content


def _as_number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
