"""The ways to make heat, behind one question: what speaks for a class, and where?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from yolo_leuk.errors import UsageError
from yolo_leuk.explain.cam import activation_heat, chosen_layers
from yolo_leuk.explain.checkpoints import check_libraries, missing_libraries
from yolo_leuk.explain.config import CamConfig, Method, OcclusionConfig
from yolo_leuk.explain.evidence import Voice, answers, log_odds
from yolo_leuk.explain.inside import Inside
from yolo_leuk.explain.occlusion import occlusion_map
from yolo_leuk.explain.subject import Subject
from yolo_leuk.explain.windows import Window
from yolo_leuk.records import Floats


class Explainer(Protocol):
    """A way to make heat."""

    name: Method

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Those that it can explain."""

    def heat(self, window: Window, class_id: int) -> Floats:
        """What speaks for a class, in nats of its log-odds, from 0 up, shape (voices, S, S)."""

    def facts(self) -> dict[str, Any]:
        """How, for the record."""


class ByOcclusion:
    """Covers parts of a window; every voice of any net."""

    name: Method = "occlusion"

    def __init__(self, subject: Subject, config: OcclusionConfig) -> None:
        self._net = subject.net
        self._config = config
        self.voices = subject.voices

    def heat(self, window: Window, class_id: int) -> Floats:
        """See :func:`yolo_leuk.explain.occlusion.occlusion_map`."""
        lost = occlusion_map(
            lambda batch: log_odds(answers(self._net, batch), class_id),
            window.shown,
            window.background,
            self._config.patches,
            self._config.batch,
        )
        return np.maximum(lost, 0)

    def facts(self) -> dict[str, Any]:
        """Sides of the patches."""
        return {"patches": [round(patch, 4) for patch in self._config.patches]}


class ByActivation:
    """Looks into checkpoints; every net, but not their vote, which has no inside of its own."""

    name: Method = "cam"

    def __init__(
        self, voices: Sequence[Voice], insides: Mapping[str, Inside], config: CamConfig
    ) -> None:
        self.voices = tuple(voice for voice in voices if not voice.is_vote)
        self._inside = [insides[voice.name] for voice in self.voices]
        self._layers = [chosen_layers(inside, config.layer) for inside in self._inside]

    def heat(self, window: Window, class_id: int) -> Floats:
        """See :func:`yolo_leuk.explain.cam.activation_heat`."""
        maps = [
            activation_heat(inside, layers, window.shown, class_id)
            for inside, layers in zip(self._inside, self._layers, strict=True)
        ]
        return np.stack(maps)

    def facts(self) -> dict[str, Any]:
        """Layers of each net."""
        return {
            "layers": {
                inside.name: [layer.name for layer in layers]
                for inside, layers in zip(self._inside, self._layers, strict=True)
            }
        }


def chosen_method(
    asked: Method | None, voices: Sequence[Voice], checkpoints: Mapping[str, Path]
) -> tuple[Method, str]:
    """The method, and why where it was not asked for.

    Raises:
        UsageError: ``cam`` was asked for, and a checkpoint is not at hand.
        MissingExtraError: A library is not.
    """
    without = [v.name for v in voices if not v.is_vote and v.name not in checkpoints]
    if asked == "cam":
        check_checkpoints("--method cam", without)
        check_libraries("--method cam")
    if asked is not None:
        return asked, ""
    if without:
        return "occlusion", f"there is no checkpoint of {', '.join(without)} to look into"
    if missing := missing_libraries():
        return "occlusion", f"{', '.join(missing)} is not installed (train extra)"
    return "cam", "checkpoints are at hand"


def check_checkpoints(purpose: str, without: Sequence[str]) -> None:
    """Raise UsageError where a checkpoint is missing that ``purpose`` needs."""
    if without:
        raise UsageError(
            f"{purpose} looks into checkpoints; there is none of {', '.join(without)}",
            hint="Name the run that it was exported from by --set checkpoints=[RUN], or use "
            "--method occlusion without --layers.",
        )
