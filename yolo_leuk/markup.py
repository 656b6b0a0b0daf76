"""HTML from templates, in which everything that is not HTML already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
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
