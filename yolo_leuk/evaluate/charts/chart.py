"""One picture with what it is called and what it shows."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 110
_COLUMNS = 3
_PANEL_INCHES = (3.6, 3.5)  # width and height
_ROOM_INCHES = (0.75, 0.85)  # of them, for what stands beside and below the axes, and above them


@dataclass(frozen=True)
class Chart:
    """A picture.

    Attributes:
        name: Of its file, without suffix.
        text: What it shows, in a sentence.
        png: Bytes of the file.
    """

    name: str
    text: str
    png: bytes


def drawn(name: str, text: str, figure: Figure) -> Chart:
    """A figure as a picture."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    return Chart(name, text, stream.getvalue())


def panels_of(count: int) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels of one size, three in a row, with room for labels and titles."""
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, count)
    rows = math.ceil(count / columns)
    (width, height), (across, down) = _PANEL_INCHES, _ROOM_INCHES
    figure = Figure(figsize=(columns * width, rows * height))
    # By hand: matplotlib's own layouts draw everything once more.
    grid = {
        "left": 0.85 * across / (columns * width),
        "right": 1 - 0.15 * across / (columns * width),
        "bottom": 0.6 * down / (rows * height),
        "top": 1 - 0.4 * down / (rows * height),
        "wspace": across / (width - across),
        "hspace": down / (height - down),
    }
    axes = list(figure.subplots(rows, columns, squeeze=False, gridspec_kw=grid).ravel())
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]
