"""Heat drawn over grey pictures, all voices side by side, with what the colours mean."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.jpeg import at_most
from yolo_leuk.records import Floats, Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "cividis"
"""Of matplotlib. From dark blue to yellow: it grows evenly in lightness and looks the same with
every kind of colour vision. Nuñez JR, Anderton CR, Renslow RS. PLoS ONE 2018;13(7):e0199239."""

HALF = 0.5
"""A line is drawn around places of at least this part of the greatest heat."""

_DPI = 120
_LONGEST_PX = 1100
_DARKEST = 0.3  # black under the heat; on a darker one no colour could be told
_TALLEST = 1.6  # height of a panel over its width

# In inches.
_GAP = 0.12
_BETWEEN_GROUPS = 0.35
_HEAD = 0.4
_ROW_TITLE = 0.28
_CAPTION = 0.46
_FOOT = 0.95
_SCALE_WIDTH = 1.6
_LEAST_WIDTH = 6.4


@dataclass(frozen=True)
class Overlay:
    """One voice's heat over a picture.

    Attributes:
        caption: Below it.
        heat: 0–1, shape of the picture.
    """

    caption: str
    heat: Floats


@dataclass(frozen=True)
class Row:
    """A picture, and the heat that each voice finds in it.

    Attributes:
        title: Above it.
        picture: RGB.
        overlays: Of the voices, in order.
        cells: Where cells lie, shape of the picture; their outline is drawn. None: it is not.
        boxes: By number: corners in pixels of the picture.
    """

    title: str
    picture: Image
    overlays: Sequence[Overlay]
    cells: npt.NDArray[np.bool_] | None = None
    boxes: Sequence[tuple[int, Sequence[float]]] = ()


def heat_sheet(
    heads: Sequence[str],
    rows: Sequence[Row],
    *,
    panel_inches: float,
    foot: str,
    rows_abreast: int = 1,
) -> Image:
    """Draw rows of pictures.

    Args:
        heads: Above the columns: of the picture itself, then of each voice.
        rows: At least one; all pictures are of the shape of the first.
        panel_inches: Width of a panel, at 120 pixels per inch.
        foot: Below all: what heat is.
        rows_abreast: So many rows stand beside each other.

    Returns:
        uint8 RGB.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    grid = _Grid(len(heads), len(rows), panel_inches, rows[0].picture.shape[:2], rows_abreast)
    figure = Figure(figsize=grid.size_inches, dpi=_DPI, facecolor="white")
    for group in range(grid.abreast):
        for column, head in enumerate(heads):
            x, y = grid.head_xy(group, column)
            figure.text(x, y, head, ha="center", va="center", weight="bold", size=9)
    for number, row in enumerate(rows):
        figure.text(*grid.title_xy(number), row.title, size=8.5, va="center")
        for column in range(len(heads)):
            _draw_panel(figure.add_axes(grid.panel(number, column)), row, column)
    _draw_foot(figure, foot, grid.size_inches)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), np.uint8)[..., :3]


class _Grid:
    """Where everything stands, as fractions of the figure, from its lower left corner."""

    def __init__(
        self,
        columns: int,
        rows: int,
        panel_inches: float,
        shape_hw: tuple[int, ...],
        rows_abreast: int,
    ) -> None:
        self.abreast = min(rows_abreast, rows)
        self._panel_width = panel_inches
        self._panel_height = panel_inches * min(shape_hw[0] / shape_hw[1], _TALLEST)
        self._row_height = self._panel_height + _ROW_TITLE + _CAPTION
        self._group_width = columns * (panel_inches + _GAP) - _GAP + _BETWEEN_GROUPS
        self._lines = math.ceil(rows / self.abreast)
        width = max(self.abreast * self._group_width - _BETWEEN_GROUPS + 2 * _GAP, _LEAST_WIDTH)
        self.size_inches = width, _HEAD + self._lines * self._row_height + _FOOT

    def head_xy(self, group: int, column: int) -> tuple[float, float]:
        x = self._left(group, column) + self._panel_width / 2
        return self._part(x, self.size_inches[1] - 0.6 * _HEAD)

    def title_xy(self, row: int) -> tuple[float, float]:
        y = self._bottom(row) + self._panel_height + 0.4 * _ROW_TITLE
        return self._part(self._left(row % self.abreast, 0), y)

    def panel(self, row: int, column: int) -> tuple[float, float, float, float]:
        corner = self._part(self._left(row % self.abreast, column), self._bottom(row))
        return *corner, *self._part(self._panel_width, self._panel_height)

    def _left(self, group: int, column: int) -> float:
        return _GAP + group * self._group_width + column * (self._panel_width + _GAP)

    def _bottom(self, row: int) -> float:
        below = self._lines - 1 - row // self.abreast
        return _FOOT + below * self._row_height + _CAPTION

    def _part(self, x: float, y: float) -> tuple[float, float]:
        return x / self.size_inches[0], y / self.size_inches[1]


def _draw_panel(axis: Axes, row: Row, column: int) -> None:
    """The picture as it is in column 0, an overlay in the others."""
    height, width = row.picture.shape[:2]
    extent = (0.0, float(width), float(height), 0.0)
    shown = at_most(row.picture, _LONGEST_PX)
    axis.set(xticks=[], yticks=[])
    if column == 0:
        axis.imshow(shown, extent=extent, interpolation="bicubic")
        for number, box in row.boxes:
            _draw_box(axis, number, box)
        return
    overlay = row.overlays[column - 1]
    size_wh = (shown.shape[1], shown.shape[0])
    heat = np.asarray(cv2.resize(overlay.heat, size_wh, interpolation=cv2.INTER_AREA), np.float32)
    axis.imshow(_over_grey(shown, heat), extent=extent, interpolation="bicubic")
    _draw_outline(axis, heat, HALF, (width, height), color="black", linewidths=0.8)
    if row.cells is not None:
        cells = row.cells.astype(np.float32)
        _draw_outline(axis, cells, 0.5, (width, height), color="white", linewidths=1.0)
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    axis.set_xlabel(overlay.caption, size=7.5, linespacing=1.25)


def _over_grey(rgb: Image, heat: Floats) -> npt.NDArray[np.float64]:
    """The colours of the heat over the grey picture, the less seen through the hotter."""
    import matplotlib as mpl

    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float64)[..., None] / 255
    grey = _DARKEST + (1 - _DARKEST) * grey
    colours = mpl.colormaps[COLOURS](heat)[..., :3]
    opacity = 0.4 + 0.35 * heat[..., None]
    return np.asarray((1 - opacity) * grey + opacity * colours)


def _draw_outline(
    axis: Axes, values: Floats, level: float, size_wh: tuple[int, int], *, color: str, **style: Any
) -> None:
    """Around all places of at least ``level``, where there are such and others."""
    if not values.min() < level < values.max():
        return
    rows, columns = values.shape
    x = (np.arange(columns) + 0.5) * size_wh[0] / columns
    y = (np.arange(rows) + 0.5) * size_wh[1] / rows
    axis.contour(x, y, values, levels=[level], colors=color, **style)


def _draw_box(axis: Axes, number: int, box: Sequence[float]) -> None:
    from matplotlib.patches import Rectangle

    x1, y1, x2, y2 = box
    axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="black", lw=0.8))
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.8}
    axis.text(x1, y1, str(number), size=7, va="top", bbox=paper, clip_on=True)


def _draw_foot(figure: Figure, foot: str, size_inches: tuple[float, float]) -> None:
    """The scale of colours, and what they mean."""
    width, height = size_inches
    right = _GAP + _SCALE_WIDTH
    bar = figure.add_axes((_GAP / width, 0.6 / height, _SCALE_WIDTH / width, 0.16 / height))
    # As it looks over a picture.
    paper = np.full((1, 256, 3), 200, np.uint8)
    bar.imshow(_over_grey(paper, np.linspace(0, 1, 256, dtype=np.float32)[None]), aspect="auto")
    bar.set(xticks=[], yticks=[])
    figure.text(_GAP / width, 0.52 / height, "no heat", size=7.5, va="top")
    figure.text(right / width, 0.52 / height, "most", size=7.5, va="top", ha="right")
    letters = round((width - right - 4 * _GAP) * 15.5)
    lines = "\n".join(textwrap.wrap(foot, letters))
    figure.text((right + 2 * _GAP) / width, 0.8 / height, lines, size=7.5, va="top", color="0.25")
