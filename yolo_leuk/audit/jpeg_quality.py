"""With which quality a JPEG was written, by its table of quantisation."""

from __future__ import annotations

import struct

_MARKER_TABLES = 0xDB
_MARKER_SCAN = 0xDA

# Sum of the luminance table of quality 50, ITU-T T.81 annex K.1.
_SUM_AT_50 = 3692


def jpeg_quality(content: bytes) -> int | None:
    """Quality 1–100 on the scale of the IJG library; None where there is no 8-bit luminance table.

    The library scales the standard table by 50 / q below 50 and by 2 − q / 50 from there on, so
    the sum of the table tells q. Programs with tables of their own get the nearest quality; below
    25, where values are capped at 255, the answer is a few points too high.
    """
    table = _luminance_table(content)
    if table is None:
        return None
    scale = sum(table) / _SUM_AT_50
    quality = 100 - 50 * scale if scale <= 1 else 50 / scale
    return min(100, max(1, round(quality)))


def _luminance_table(content: bytes) -> bytes | None:
    """The 64 values of table 0, which is luminance by custom."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker, length = content[position + 1], struct.unpack_from(">H", content, position + 2)[0]
        if marker == _MARKER_SCAN:
            return None
        if marker == _MARKER_TABLES:
            tables = content[position + 4 : position + 2 + length]
            if table := _table_0(tables):
                return table
        position += 2 + length
    return None


def _table_0(tables: bytes) -> bytes | None:
    """Table 0 of a segment of several; each is a byte of precision and number, then its values."""
    position = 0
    while position < len(tables):
        precision, number = tables[position] >> 4, tables[position] & 15
        values = tables[position + 1 : position + 65]
        if precision == 0 and number == 0 and len(values) == 64:
            return values
        position += 1 + 64 * (precision + 1)
    return None
