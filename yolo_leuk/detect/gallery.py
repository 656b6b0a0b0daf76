"""The cells of an image as small pictures, by class, the most probable first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from yolo_leuk.detect.palette import Colour, css
from yolo_leuk.detect.wording import counted, probability, unit
from yolo_leuk.jpeg import jpeg_uri
from yolo_leuk.labels import LabelScheme
from yolo_leuk.markup import Html, fill, join
from yolo_leuk.records import UNIDENTIFIED, CellCall, Image, SmearResult

MAX_PER_CLASS = 60
CROP_PX = 160
_CROP_QUALITY = 85
_CONTEXT = 1.3  # side of a crop over the longer side of its box
_BEYOND_THE_EDGE: Colour = (235, 235, 235)

_CLASS = """
<h3><span class="swatch" style="background:$colour"></span>$name
<span class="faint">$count</span></h3>
<div class="gallery">$cells</div>
$rest"""

_CELL = """<figure class="cell" style="border-color:$colour">
<img src="$picture" width="112" height="112" alt="$noun $id, $name"/>
<figcaption><b>$id</b> $caption</figcaption></figure>
"""

_REST = """<p class="faint">$count not shown here; cells.csv has all.</p>"""


def gallery(
    image: Image, result: SmearResult, labels: LabelScheme, colours: dict[str, Colour]
) -> Html:
    """A row of cells for each class that has any; at most 60 of a class."""
    by_class = {
        name: sorted((c for c in result.cells if c.label == name), key=lambda c: -c.probability)
        for name in (*labels.names, UNIDENTIFIED)
    }
    return join(
        _class(image, name, cells, colours[name], unit(result))
        for name, cells in by_class.items()
        if cells
    )


def crop_cell(image: Image, cell: CellCall) -> Image:
    """A square around a cell with a little of what lies beside it, ``CROP_PX`` wide."""
    x1, y1, x2, y2 = cell.box_xyxy
    side = max(1, math.ceil(_CONTEXT * max(x2 - x1, y2 - y1)))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    height, width = image.shape[:2]
    crop = cv2.copyMakeBorder(
        image[max(0, top) : top + side, max(0, left) : left + side],
        *(max(0, -top), max(0, top + side - height)),
        *(max(0, -left), max(0, left + side - width)),
        cv2.BORDER_CONSTANT,
        value=_BEYOND_THE_EDGE,
    )
    kernel = cv2.INTER_AREA if side > CROP_PX else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=kernel), np.uint8)


def _class(image: Image, name: str, cells: Sequence[CellCall], colour: Colour, noun: str) -> Html:
    shown = cells[:MAX_PER_CLASS]
    hidden = len(cells) - len(shown)
    pictures = join(
        fill(
            _CELL,
            colour=css(colour),
            picture=jpeg_uri(crop_cell(image, cell), _CROP_QUALITY),
            noun=noun,
            id=cell.id,
            name=name,
            caption=_caption(cell),
        )
        for cell in shown
    )
    return fill(
        _CLASS,
        colour=css(colour),
        name=name,
        count=counted(len(cells), noun),
        cells=pictures,
        rest=fill(_REST, count=counted(hidden, "cell")) if hidden else "",
    )


def _caption(cell: CellCall) -> str:
    if cell.label != UNIDENTIFIED:
        return probability(cell.probability)
    likeliest = max(cell.probabilities, key=lambda name: cell.probabilities[name])
    return f"{likeliest}? {probability(cell.probability)}"
