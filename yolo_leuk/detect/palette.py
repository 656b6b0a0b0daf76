"""One colour per class, the same in the picture, in the report and in QuPath."""

from __future__ import annotations

from itertools import cycle

from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import UNIDENTIFIED

Colour = tuple[int, int, int]
"""Red, green, blue, 0–255."""

# Told apart with every kind of colour vision: Okabe M, Ito K. Color universal design. 2008.
# Blasts are warm, all others cool, and the grey of the unidentified is neither.
_WARM: tuple[Colour, ...] = ((240, 228, 66), (230, 159, 0), (213, 94, 0))
_COOL: tuple[Colour, ...] = ((0, 158, 115), (0, 114, 178), (86, 180, 233))
_GREY: Colour = (90, 90, 90)


def class_colours(labels: LabelScheme) -> dict[str, Colour]:
    """Colour of each class name, and of ``unidentified``.

    The last blast class always has the strongest warm colour. With more than three classes of a
    kind colours repeat, and the names beside them must tell.
    """
    warm = cycle(_WARM[-len(labels.blasts) :] if labels.blasts else _WARM)
    cool = cycle(_COOL)
    colours = {name: next(warm if name in labels.blasts else cool) for name in labels.names}
    return {**colours, UNIDENTIFIED: _GREY}


def text_colour_on(colour: Colour) -> Colour:
    """Black or white, whichever is easier to read on ``colour`` (WCAG relative luminance)."""
    linear = [_linear(channel / 255) for channel in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # At 0.179 black and white have the same contrast, (L + 0.05) / 0.05 = 1.05 / (L + 0.05).
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)


def css(colour: Colour) -> str:
    """A colour as HTML and CSS write it: ``#d55e00``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
