"""The sections of the page about pictures and patients that are there more than once."""

from __future__ import annotations

from collections.abc import Sequence

from yolo_leuk.audit.duplicates import Duplicate
from yolo_leuk.audit.exhibits import picture_uri
from yolo_leuk.audit.page_parts import MOST_ROWS, figure, more, table
from yolo_leuk.audit.pictures import Picture
from yolo_leuk.audit.result import Audit
from yolo_leuk.markup import Html, fill, join

_PICTURES_OF_A_DUPLICATE = 4

_TOGETHER = '<div class="together">$figures<p class="faint">$text</p></div>\n'


def duplicates(found: Sequence[Duplicate], examples: int) -> Html:
    """The first of them, each as its pictures side by side."""
    shown = join(_together(duplicate) for duplicate in found[:examples])
    return join([shown, more(len(found) - examples)])


def _together(duplicate: Duplicate) -> Html:
    pictures = duplicate.pictures[:_PICTURES_OF_A_DUPLICATE]
    figures = join(_figure(picture_uri(picture), picture) for picture in pictures)
    if duplicate.shared is not None:
        text = f"{duplicate.shared:.0%} in both, correlation {duplicate.correlation:.3f}"
    elif duplicate.correlation is not None:
        text = f"correlation {duplicate.correlation:.3f}, {duplicate.turn}"
    else:
        text = "the same file" if duplicate.same_bytes else "the same pixels"
    hidden = len(duplicate.pictures) - len(pictures)
    return fill(_TOGETHER, figures=figures, text=text + (f", and {hidden} more" if hidden else ""))


def _figure(uri: str, picture: Picture) -> Html:
    caption = " · ".join(part for part in (picture.split, picture.label, picture.group) if part)
    name = f"{picture.data_set}/{picture.path}"
    text = join([fill("$name<br/>", name=name), fill("<b>$caption</b>", caption=caption)])
    return figure(uri, alt=name, caption=text)


def groups(audit: Audit) -> Html:
    """Groups that stand in several splits."""
    rows = [
        [group.what, group.name, ", ".join(f"{split} {n}" for split, n in group.splits.items())]
        for group in audit.groups.across[:MOST_ROWS]
    ]
    if not rows:
        return Html()
    return join([table(["", "name", "pictures"], rows), more(len(audit.groups.across) - MOST_ROWS)])
