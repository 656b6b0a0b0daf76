"""What is written of one picture: heat maps, cell by cell, as numbers, and activations."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from yolo_leuk.errors import OutputError
from yolo_leuk.explain.activations import Activations
from yolo_leuk.explain.explanation import VoiceHeat, VoiceSummary, WindowExplanation
from yolo_leuk.explain.heat import field_heat, relative
from yolo_leuk.explain.image import Explained
from yolo_leuk.explain.pictures import HALF, Overlay, Row, heat_sheet
from yolo_leuk.records import Image

HEAT = "heat.png"
CELLS = "cells.png"
NUMBERS = "heat.npz"

_FIELD_INCHES = 4.4
_WINDOW_INCHES = 1.7
_ONE_WINDOW_INCHES = 3.0
_PANELS_ABREAST = 6
_COMPRESSION = 6
_MOSAIC_PX = 480  # there are many of them

_WHAT = {
    "occlusion": "Heat: how much of what speaks for the class (its log-odds) is lost when a place "
    "is covered with the colour of the glass, in nats.",
    "cam": "Heat: how much a place adds to what speaks for the class (its log-odds) in layers of "
    "the net, in nats for a thirty-sixth of the window.",
}
_OF_WINDOWS = (
    f"Each panel is scaled to its own greatest heat; black line: {HALF:.0%} of it; white line: "
    "cells as their colour tells."
)
_OF_FIELDS = (
    f"Each cell's heat lies in the window that the net is shown of it, and is scaled to its own "
    f"greatest; black line: {HALF:.0%} of it."
)
_CAUTION = "Heat shows what an answer rests on, not whether it is right."


@dataclass(frozen=True)
class Picture:
    """A picture of a run.

    Attributes:
        name: Of its file.
        text: What it shows.
        rgb: The picture.
        longest_px: Of its longer side in a report.
    """

    name: str
    text: str
    rgb: Image
    longest_px: int = 1600

    def png(self) -> bytes:
        """Bytes of the file. Raises OutputError where it is too large for one."""
        bgr = cv2.cvtColor(self.rgb, cv2.COLOR_RGB2BGR)
        encoded, content = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])
        if not encoded:
            height, width = self.rgb.shape[:2]
            raise OutputError(f"a picture of {width}×{height} pixels cannot be written as PNG")
        return content.tobytes()


def heat_pictures(rgb: Image, explained: Explained) -> list[Picture]:
    """``heat.png`` of the picture, and of a field also ``cells.png``, cell by cell; none of none.

    Args:
        rgb: The picture.
        explained: What was found in it.
    """
    explanation = explained.explanation
    if not explained.windows:
        return []
    voices = [voice.name for voice in explanation.voices]
    what = _WHAT[explanation.method]
    foot = f"{what} {_OF_WINDOWS} {_CAUTION}"
    rows = [_window_row(explained, number) for number in range(len(explained.windows))]
    if explanation.view != "field":
        shown = heat_sheet(["as shown", *voices], rows, panel_inches=_ONE_WINDOW_INCHES, foot=foot)
        return [Picture(HEAT, "What the net is shown, and the heat in it.", shown)]
    field = heat_sheet(
        ["picture", *voices],
        [_field_row(rgb, explained)],
        panel_inches=_FIELD_INCHES,
        foot=f"{what} {_OF_FIELDS} {_CAUTION}",
    )
    cells = heat_sheet(
        ["cell", *voices],
        rows,
        panel_inches=_WINDOW_INCHES,
        foot=foot,
        rows_abreast=max(1, _PANELS_ABREAST // (1 + len(voices))),
    )
    return [
        Picture(HEAT, "The picture with the cells that are explained, and the heat of all.", field),
        Picture(CELLS, "What the net is shown of each cell, and the heat in it.", cells),
    ]


def heat_numbers(explained: Explained) -> bytes:
    """The heat of all windows as the bytes of a ``.npz`` file.

    ``heat`` is float32 of shape (windows, voices, S, S), in nats; ``cells`` says where cells lie,
    (windows, S, S); ``ids`` and ``window_xyxy`` are of the windows, ``members`` of the voices.
    """
    windows = explained.explanation.windows
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        heat=explained.heat,
        cells=explained.cells,
        ids=np.array([window.id for window in windows], np.int64),
        window_xyxy=np.array([window.window_xyxy for window in windows], np.int64).reshape(-1, 4),
        members=np.array([voice.name for voice in explained.explanation.voices]),
    )
    return stream.getvalue()


def activation_pictures(found: Mapping[tuple[str, int], Sequence[Activations]]) -> list[Picture]:
    """A picture for each layer of each net and window.

    Args:
        found: By name of the net and id of the window.
    """
    several_nets = len({name for name, _ in found}) > 1
    several_windows = len({number for _, number in found}) > 1
    pictures = []
    for (net, number), layers in found.items():
        for one in layers:
            layer = one.layer
            parts = ["activations", *([net] if several_nets else []), layer.name]
            parts += [f"cell-{number}"] if several_windows else []
            cell = f", cell {number}" if several_windows else ""
            text = (
                f"{net}{cell}: layer {layer.name} ({layer.kind}), {one.drawn} of {layer.channels} "
                f"channels, those that vary most first, {layer.places_wh[0]} × "
                f"{layer.places_wh[1]} places each, from its least answer (black) to its greatest "
                "(white)."
            )
            name = re.sub(r"[^\w.-]+", "-", "-".join(parts))
            pictures.append(Picture(f"{name}.png", text, one.mosaic, _MOSAIC_PX))
    return pictures


def _field_row(rgb: Image, explained: Explained) -> Row:
    explanation = explained.explanation
    overlays = [
        Overlay(
            _summary_caption(summary),
            field_heat(explained.windows, list(explained.heat[:, number]), rgb.shape[:2]),
        )
        for number, summary in enumerate(explanation.summaries)
    ]
    boxes = [(window.id, window.box_xyxy) for window in explanation.windows]
    return Row(explanation.classes, rgb, overlays, boxes=boxes)


def _window_row(explained: Explained, number: int) -> Row:
    window = explained.explanation.windows[number]
    overlays = [
        Overlay(_caption(window, voice), relative(heat))
        for voice, heat in zip(window.voices, explained.heat[number], strict=True)
    ]
    title = window.explained if len(explained.windows) == 1 else f"{window.id}  {window.explained}"
    if window.label != window.explained:
        title += f"  ({window.label})"
    return Row(title, explained.windows[number].shown, overlays, cells=explained.cells[number])


def _caption(window: WindowExplanation, voice: VoiceHeat) -> str:
    shares = _shares(voice.on_cells, window.cell_area)
    return f"p {voice.probability:.2f} · most {voice.greatest:.2g} nats\non cells {shares}"


def _summary_caption(summary: VoiceSummary) -> str:
    return f"heat on cells, mean: {_shares(summary.on_cells, summary.cell_area)}"


def _shares(on_cells: float | None, area: float | None) -> str:
    if on_cells is None or area is None:
        return "–"
    return f"{on_cells:.0%} (by chance {area:.0%})"
