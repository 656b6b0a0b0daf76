"""What is said of an image: ``explanation.json`` and the rows of ``summary.csv``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_leuk.explain.evidence import Voice
from yolo_leuk.records import ImageFacts, Scale

_COLUMNS = (
    *("image", "view", "method", "member", "weight", "cells", "class", "probability"),
    *("heat_on_cells", "area_of_cells"),
)


@dataclass(frozen=True)
class VoiceHeat:
    """What a voice says of a window, and how hot it is.

    Attributes:
        name: Of the voice.
        probability: Of the class that is explained.
        greatest: Heat at its hottest place, in nats of the log-odds.
        on_cells: Share of the heat that lies on cells; None where there is no heat or no cell.
    """

    name: str
    probability: float
    greatest: float
    on_cells: float | None


@dataclass(frozen=True)
class WindowExplanation:
    """One window: a cell with its surroundings, or a picture that is classified whole.

    Attributes:
        id: As in ``result.json`` of ``detect``.
        box_xyxy: Of the cell, in pixels of the image.
        window_xyxy: Of what the net is shown; may reach beyond the image.
        label: What it is called, or ``unidentified``.
        explained: The class that is explained.
        cell_area: Share of the window that cells take, which is the share of heat that chance
            alone would put there; None where no cell was found by colour.
        voices: In order.
    """

    id: int
    box_xyxy: tuple[float, float, float, float]
    window_xyxy: tuple[int, int, int, int]
    label: str
    explained: str
    cell_area: float | None
    voices: tuple[VoiceHeat, ...]

    def to_json(self) -> dict[str, Any]:
        """The window as it stands in ``explanation.json``."""
        return {
            "id": self.id,
            "box_xyxy": [round(v, 1) for v in self.box_xyxy],
            "window_xyxy": list(self.window_xyxy),
            "label": self.label,
            "explained": self.explained,
            "area_of_cells": rounded(self.cell_area),
            "members": [
                {
                    "name": voice.name,
                    "probability": rounded(voice.probability),
                    "greatest_heat": rounded(voice.greatest),
                    "heat_on_cells": rounded(voice.on_cells),
                }
                for voice in self.voices
            ],
        }


@dataclass(frozen=True)
class VoiceSummary:
    """A voice over all windows of an image, each of which counts the same.

    Attributes:
        voice: Who it is.
        probability: Mean of the classes that are explained; None where there is no window.
        on_cells: Mean share of the heat that lies on cells; None where no window has one.
        cell_area: Mean share of the area that cells take in the same windows.
    """

    voice: Voice
    probability: float | None
    on_cells: float | None
    cell_area: float | None


@dataclass(frozen=True)
class Explanation:
    """Everything that is said of an image.

    Attributes:
        image: What it is said of.
        view: What the image was taken for.
        scale: How large a red cell is in it.
        method: ``cam`` or ``occlusion``.
        settings: Of the method.
        model: What was explained.
        voices: Those that are explained.
        windows: One for each cell, or one of the whole picture.
        warnings: What a reader must know.
    """

    image: ImageFacts
    view: str
    scale: Scale
    method: str
    settings: dict[str, Any]
    model: dict[str, Any]
    voices: tuple[Voice, ...]
    windows: tuple[WindowExplanation, ...]
    warnings: tuple[str, ...]

    SCHEMA = "yolo-leuk/explanation/1"

    @property
    def summaries(self) -> tuple[VoiceSummary, ...]:
        """Of each voice."""
        return tuple(
            self._summary(voice, [window.voices[number] for window in self.windows])
            for number, voice in enumerate(self.voices)
        )

    @property
    def classes(self) -> str:
        """The classes that are explained, with how often where there are several windows."""
        counts = Counter(window.explained for window in self.windows)
        if len(self.windows) == 1:
            return self.windows[0].explained
        return ", ".join(f"{name} {count}" for name, count in counts.most_common())

    def to_json(self) -> dict[str, Any]:
        """A JSON object of schema ``yolo-leuk/explanation/1``."""
        return {
            "schema": self.SCHEMA,
            "image": {
                "path": self.image.path,
                "width": self.image.width,
                "height": self.image.height,
                "sha256": self.image.sha256,
            },
            "view": self.view,
            "px_per_rbc": rounded(self.scale.px_per_rbc),
            "method": self.method,
            "settings": self.settings,
            "model": self.model,
            "members": [
                {
                    "name": summary.voice.name,
                    "probability": rounded(summary.probability),
                    "heat_on_cells": rounded(summary.on_cells),
                    "area_of_cells": rounded(summary.cell_area),
                }
                for summary in self.summaries
            ],
            "windows": [window.to_json() for window in self.windows],
            "warnings": list(self.warnings),
        }

    def _summary(self, voice: Voice, heats: Sequence[VoiceHeat]) -> VoiceSummary:
        shares = [
            (heat.on_cells, window.cell_area)
            for heat, window in zip(heats, self.windows, strict=True)
            if heat.on_cells is not None and window.cell_area is not None
        ]
        on_cells, area = (float(v) for v in np.mean(shares, axis=0)) if shares else (None, None)
        mean = float(np.mean([heat.probability for heat in heats])) if heats else None
        return VoiceSummary(voice, mean, on_cells, area)


def summary_csv(explanations: Iterable[Explanation]) -> str:
    """A row for each image and voice."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for explanation in explanations:
        for summary in explanation.summaries:
            writer.writerow(
                [
                    explanation.image.path,
                    explanation.view,
                    explanation.method,
                    summary.voice.name,
                    rounded(summary.voice.weight),
                    len(explanation.windows),
                    explanation.classes,
                    rounded(summary.probability),
                    rounded(summary.on_cells),
                    rounded(summary.cell_area),
                ]
            )
    return stream.getvalue()


def rounded(value: float | None) -> float | None:
    """To four digits after the point."""
    return None if value is None else round(value, 4)
