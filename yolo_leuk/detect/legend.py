"""The strip below an annotated picture: what the colours mean, the counts, the blast fraction."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from yolo_leuk.detect.lettering import Font
from yolo_leuk.detect.palette import Colour
from yolo_leuk.detect.wording import DECISION_SUPPORT_SHORT, blast_sentence
from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import UNIDENTIFIED, Image, SmearResult

_MIN_WIDTH_PX = 640
_CAPITAL_PX = 11.0
_INK: Colour = (30, 30, 30)
_FAINT: Colour = (110, 110, 110)


@dataclass(frozen=True)
class _Entry:
    text: str
    colour: Colour
    is_dashed: bool


def add_legend(
    picture: Image, result: SmearResult, labels: LabelScheme, colours: dict[str, Colour]
) -> Image:
    """The picture on a white sheet, with a legend below it that covers nothing of it."""
    width = max(_MIN_WIDTH_PX, picture.shape[1])
    font = Font(max(_CAPITAL_PX, max(picture.shape[0], width) / 115))
    strip = _strip(width, font, result, labels, colours)
    sheet = np.full((picture.shape[0] + strip.shape[0], width, 3), 255, np.uint8)
    sheet[: picture.shape[0], : picture.shape[1]] = picture
    sheet[picture.shape[0] :] = strip
    return sheet


def _strip(
    width: int,
    font: Font,
    result: SmearResult,
    labels: LabelScheme,
    colours: dict[str, Colour],
) -> Image:
    margin = font.line_px
    room = width - 2 * margin
    entries = [
        _Entry(f"{name} {result.counts.get(name, 0)}", colours[name], name == UNIDENTIFIED)
        for name in (*labels.names, UNIDENTIFIED)
    ]
    rows = _rows(entries, font, room)
    sentences = [
        *((line, _INK) for line in font.wrap(blast_sentence(result, labels), room)),
        *((line, _FAINT) for line in font.wrap(DECISION_SUPPORT_SHORT, room)),
    ]
    strip = np.full(((len(rows) + len(sentences)) * font.line_px + margin, width, 3), 255, np.uint8)
    baseline = margin // 2 + round(1.5 * font.capital_px)
    for row in rows:
        _draw_row(strip, row, (margin, baseline), font)
        baseline += font.line_px
    for text, colour in sentences:
        font.draw(strip, text, (margin, baseline), colour)
        baseline += font.line_px
    return strip


def _rows(entries: list[_Entry], font: Font, room: int) -> list[list[_Entry]]:
    rows: list[list[_Entry]] = [[]]
    for entry in entries:
        row = [*rows[-1], entry]
        if rows[-1] and sum(_entry_width(e, font) for e in row) > room:
            rows.append([entry])
        else:
            rows[-1] = row
    return rows


def _entry_width(entry: _Entry, font: Font) -> int:
    return font.width(entry.text) + _swatch_px(font) + font.line_px


def _swatch_px(font: Font) -> int:
    return round(2.2 * font.capital_px)


def _draw_row(strip: Image, row: list[_Entry], xy: tuple[int, int], font: Font) -> None:
    x, baseline = xy
    side = round(1.3 * font.capital_px)
    top = baseline - round((side + font.capital_px) / 2)
    line_px = max(2, round(font.capital_px / 5))
    for entry in row:
        corners = (x, top), (x + side, top + side)
        if entry.is_dashed:
            cv2.rectangle(strip, *corners, entry.colour, line_px)
        else:
            cv2.rectangle(strip, *corners, entry.colour, cv2.FILLED)
            cv2.rectangle(strip, *corners, _FAINT, 1)
        font.draw(strip, entry.text, (x + _swatch_px(font), baseline), _INK)
        x += _entry_width(entry, font)
