"""HTML from templates, in which everything that is not HTML already is escaped.

Pages need nothing but themselves: no script, no font and no picture from elsewhere.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from importlib.resources import files
from string import Template


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def fill(template: str, **values: object) -> Html:
    """Put values into the ``$names`` of a template; those that are no Html are escaped.

    Raises:
        KeyError: The template has a name that no value was given for.
    """
    return Html(Template(template).substitute({k: escape(v) for k, v in values.items()}))


def join(parts: Iterable[Html]) -> Html:
    """Pieces of HTML in a row."""
    return Html("".join(parts))


def escape(value: object) -> Html:
    """A value as text in HTML, also inside of a quoted attribute."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def page(room: str, title: str, **values: object) -> Html:
    """A whole page: what all pages share, around the ``report.html`` and ``report.css`` of a room.

    Args:
        room: Package that holds the two files.
        title: Of the browser's window.
        values: For the names of ``report.html``.

    Raises:
        KeyError: ``report.html`` has a name that no value was given for.
    """
    return fill(
        _template("yolo_leuk", "page.html"),
        title=title,
        style=Html(_template(room, "report.css")),
        body=fill(_template(room, "report.html"), **values),
    )


def _template(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
