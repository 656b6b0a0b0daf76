"""What the sections of the page are made of: tables and small texts."""

from __future__ import annotations

from collections.abc import Sequence

from yolo_leuk.markup import Html, fill, join

MOST_ROWS = 10

_NOTE = '<p class="faint">$text</p>\n'
_TABLE = '<div class="scroll"><table>\n<tr>$head</tr>\n$rows</table></div>\n'
_HEAD = '<th scope="col">$text</th>'
_ROW = "<tr>$cells</tr>\n"
_CELL = "<td>$text</td>"
_FIGURE = '<figure><img src="$uri" alt="$alt"/><figcaption>$caption</figcaption></figure>\n'


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """A table; one that is wide scrolls by itself."""
    return fill(
        _TABLE,
        head=join(fill(_HEAD, text=text) for text in head),
        rows=join(fill(_ROW, cells=join(fill(_CELL, text=v) for v in row)) for row in rows),
    )


def note(text: str) -> Html:
    """A paragraph of less weight."""
    return fill(_NOTE, text=text)


def figure(uri: str, alt: str, caption: object) -> Html:
    """A picture with what is said of it."""
    return fill(_FIGURE, uri=uri, alt=alt, caption=caption)


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def more(count: int) -> Html:
    """How many are not shown; nothing where all are."""
    return note(f"{count:,} more stand in audit.json.") if count > 0 else Html()
