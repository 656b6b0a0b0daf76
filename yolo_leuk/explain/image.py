"""One picture explained: its windows found, asked about, and their heat measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.cell_mask import cell_mask
from yolo_leuk.explain.evidence import Voice, answers
from yolo_leuk.explain.explanation import Explanation, VoiceHeat, WindowExplanation
from yolo_leuk.explain.heat import share_on
from yolo_leuk.explain.methods import Explainer
from yolo_leuk.explain.subject import Subject
from yolo_leuk.explain.windows import Window, cell_windows, looked_at, picture_window
from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import LabelScheme
from yolo_leuk.pipeline import View
from yolo_leuk.records import UNIDENTIFIED, CellCall, Floats, SmearResult


@dataclass(frozen=True)
class Asked:
    """What is asked about every picture.

    Attributes:
        view: What it is to be taken for; None: recognised.
        scale: Width of a red cell in pixels, ``auto`` or ``none``.
        explained: The class; None: of each window the most probable one.
        most_cells: Of more the surest are explained.
    """

    view: View | None
    scale: float | str
    explained: str | None
    most_cells: int


@dataclass(frozen=True)
class Explained:
    """A picture that is explained.

    Attributes:
        explanation: In numbers.
        windows: n of them.
        heat: float32, shape (n, voices, S, S), from 0 up, in nats of the log-odds.
        cells: Where cells lie in each window, shape (n, S, S).
    """

    explanation: Explanation
    windows: tuple[Window, ...]
    heat: Floats
    cells: npt.NDArray[np.bool_]


def explain_image(
    loaded: LoadedImage, name: str, subject: Subject, explainer: Explainer, asked: Asked
) -> Explained:
    """Explain a picture.

    Args:
        loaded: The picture.
        name: Its file name, for the result.
        subject: The model.
        explainer: Makes the heat.
        asked: What is asked.

    Raises:
        UsageError: The view or the scale fits neither the model nor the picture.
        ModelError: A net cannot be run.
    """
    result = _found(loaded, name, subject, asked)
    cells = _surest(result.cells, asked.most_cells)
    windows = _windows(loaded, result, cells, subject)
    side = subject.net.card.input_px
    heat = np.zeros((len(windows), len(explainer.voices), side, side), np.float32)
    masks = np.zeros((len(windows), side, side), bool)
    told = []
    for number, window in enumerate(windows):
        class_id = _class_of(window.cell, asked.explained, subject.labels)
        heat[number] = explainer.heat(window, class_id)
        masks[number] = cell_mask(window.shown)
        told.append(
            _explanation_of(window, class_id, subject, explainer, heat[number], masks[number])
        )
    explanation = Explanation(
        image=result.image,
        view=result.view,
        scale=result.scale,
        method=explainer.name,
        settings=explainer.facts(),
        model=_model(subject),
        voices=explainer.voices,
        windows=tuple(told),
        warnings=(*result.warnings, *_warnings(result, cells, masks, asked)),
    )
    return Explained(explanation, tuple(windows), heat, masks)


def _found(loaded: LoadedImage, name: str, subject: Subject, asked: Asked) -> SmearResult:
    whole = subject.net.card.level == "image"
    view = "image" if whole else asked.view
    return subject.pipeline.run(loaded, name, view=view, scale=asked.scale)


def _surest(cells: Sequence[CellCall], most: int) -> list[CellCall]:
    """Those of highest confidence, in their order."""
    ranked = sorted(cells, key=lambda cell: -cell.confidence)[:most]
    return [cell for cell in cells if cell in ranked]


def _windows(
    loaded: LoadedImage, result: SmearResult, cells: Sequence[CellCall], subject: Subject
) -> list[Window]:
    card = subject.net.card
    if result.view == "image":
        return [picture_window(loaded.rgb, cell, card) for cell in cells]
    px_per_rbc = result.scale.px_per_rbc or subject.px_per_rbc
    return cell_windows(looked_at(loaded.rgb, result.view), cells, px_per_rbc, card)


def _class_of(cell: CellCall, explained: str | None, labels: LabelScheme) -> int:
    if explained is not None:
        return labels.id_of(explained)
    return int(np.argmax([cell.probabilities[name] for name in labels.names]))


def _explanation_of(
    window: Window,
    class_id: int,
    subject: Subject,
    explainer: Explainer,
    heat: Floats,
    mask: npt.NDArray[np.bool_],
) -> WindowExplanation:
    (left, top), side = window.corner_xy, window.side_px
    said = answers(subject.net, window.shown[None])[:, 0, class_id]
    probability = dict(zip(subject.voices, map(float, said), strict=True))
    has_cells = bool(mask.any())
    return WindowExplanation(
        id=window.cell.id,
        box_xyxy=window.cell.box_xyxy,
        window_xyxy=(left, top, left + side, top + side),
        label=window.cell.label,
        explained=subject.labels.names[class_id],
        cell_area=float(mask.mean()) if has_cells else None,
        voices=tuple(
            _voice_heat(voice, probability[voice], own, mask if has_cells else None)
            for voice, own in zip(explainer.voices, heat, strict=True)
        ),
    )


def _voice_heat(
    voice: Voice, probability: float, heat: Floats, mask: npt.NDArray[np.bool_] | None
) -> VoiceHeat:
    return VoiceHeat(
        name=voice.name,
        probability=probability,
        greatest=float(heat.max()),
        on_cells=None if mask is None else share_on(mask, heat),
    )


def _model(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.name,
        "kind": subject.kind,
        "sha256": subject.sha256,
        "classes": list(subject.labels.names),
        "members": [
            {
                "name": voice.name,
                "architecture": voice.architecture,
                "sha256": voice.sha256,
                "weight": round(voice.weight, 4),
            }
            for voice in subject.voices
            if not voice.is_vote
        ],
    }


def _warnings(
    result: SmearResult,
    cells: Sequence[CellCall],
    masks: npt.NDArray[np.bool_],
    asked: Asked,
) -> list[str]:
    found = []
    if not cells:
        found.append("no white cell was found, so there is nothing to explain")
    if len(cells) < len(result.cells):
        found.append(
            f"only the {len(cells)} surest of {len(result.cells)} cells are explained "
            "(--set most_cells=…)"
        )
    unsure = [cell.id for cell in cells if cell.status == UNIDENTIFIED]
    if unsure and asked.explained is None:
        found.append(
            f"unidentified, and explained as the most probable class: cell {_numbers(unsure)}"
        )
    without = [cell.id for cell, mask in zip(cells, masks, strict=True) if not mask.any()]
    if without:
        found.append(f"no cell was found by its colour in the window of cell {_numbers(without)}")
    return found


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))
