"""The parts that the page is made of: sections, tables, pictures, numbers with intervals."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence

from yolo_leuk.bootstrap import Figure
from yolo_leuk.evaluate.charts.chart import Chart
from yolo_leuk.markup import Html, fill, join

_SECTION = """<section id="$anchor">
<h2>$title</h2>
$body</section>
"""
_HEADING = "<h3>$text</h3>\n"
_NOTE = '<p class="faint">$text</p>\n'
_BOX = '<div class="box" role="note"><b>$title</b><ul>$items</ul></div>\n'
_ITEM = "<li>$text</li>\n"
_TABLE = '<div class="scroll"><table>\n<tr>$head</tr>\n$rows</table></div>\n'
_HEAD = '<th scope="col">$text</th>'
_ROW = '<tr><th scope="row">$name</th>$cells</tr>\n'
_CELL = "<td>$text</td>"
_VALUE = '<span class="value">$value <span class="interval">$low to $high</span></span>'
_CLEAR = "<b>$text</b>"
_CHART = '<figure><img src="$uri" alt="$text"/><figcaption>$text</figcaption></figure>\n'

NONE = "–"


def section(anchor: str, title: str, *body: Html) -> Html:
    """A part of the page with a title."""
    return fill(_SECTION, anchor=anchor, title=title, body=join(body))


def heading(text: str) -> Html:
    """A title within a section."""
    return fill(_HEADING, text=text)


def note(text: str) -> Html:
    """A sentence that explains."""
    return fill(_NOTE, text=text)


def box(title: str, items: Sequence[str]) -> Html:
    """A list that must not be overlooked; nothing where it is empty."""
    if not items:
        return Html()
    return fill(_BOX, title=title, items=join(fill(_ITEM, text=item) for item in items))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """Rows whose first cell is their name."""
    return fill(
        _TABLE,
        head=join(fill(_HEAD, text=text) for text in head),
        rows=join(
            fill(_ROW, name=name, cells=join(fill(_CELL, text=cell) for cell in cells))
            for name, *cells in rows
        ),
    )


def figure_table(
    titles: Mapping[str, str], by_column: Mapping[str, Mapping[str, Figure]], corner: str = ""
) -> Html:
    """Figures, a row for each title that any column has, a column for each model or class."""
    keys = [key for key in titles if any(key in column for column in by_column.values())]
    rows = [
        [titles[key], *(value(column.get(key)) for column in by_column.values())] for key in keys
    ]
    return table([corner, *by_column], rows)


def difference_table(
    titles: Mapping[str, str], by_column: Mapping[str, Mapping[str, Figure]]
) -> Html:
    """Differences; bold where the interval leaves out 0."""
    keys = [key for key in titles if any(key in column for column in by_column.values())]
    rows = [
        [titles[key], *(_difference(column.get(key)) for column in by_column.values())]
        for key in keys
    ]
    return table(["", *by_column], rows)


def value(figure: Figure | None) -> Html | str:
    """A figure with its interval; a dash where it has no meaning."""
    if figure is None or math.isnan(figure.value):
        return NONE
    return fill(_VALUE, **{k: number(getattr(figure, k)) for k in ("value", "low", "high")})


def number(value: float) -> str:
    """Three digits after the point, one where it is large."""
    if math.isnan(value):
        return NONE
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"


def chart(picture: Chart) -> Html:
    """A picture with its caption, inside of the page."""
    return _image("png", picture.png, picture.text)


def jpeg(content: bytes, text: str) -> Html:
    """The bytes of a JPEG file with a caption."""
    return _image("jpeg", content, text)


def _image(kind: str, content: bytes, text: str) -> Html:
    uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return fill(_CHART, uri=uri, text=text)


def _difference(figure: Figure | None) -> Html | str:
    shown = value(figure)
    if figure is None or math.isnan(figure.low) or figure.low <= 0 <= figure.high:
        return shown
    return fill(_CLEAR, text=shown)
