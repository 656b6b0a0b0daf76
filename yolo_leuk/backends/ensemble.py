"""An ``ensemble.json`` by the graph that lies beside it: several nets that run as one."""

from __future__ import annotations

import math
from pathlib import Path

from yolo_leuk.backends.net import Net
from yolo_leuk.backends.onnx import OnnxNet
from yolo_leuk.ensemble_file import Ensemble, read_ensemble
from yolo_leuk.errors import CardError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.net_file import checked_card

# As far as text and float32 keep a number.
_TOLERANCE = 1e-6


def open_ensemble(path: Path, *, trust: bool = False) -> Net:
    """Open the graph of an ensemble.

    Args:
        path: ``ensemble.json`` or its folder.
        trust: Run nets although their hashes differ.

    Raises:
        CardError: The file breaks its schema, there is no graph, or it is of another ensemble.
        HashError: A net is not the one that is meant.
        ModelError: The graph cannot be run.
    """
    return graph_of(read_ensemble(path, trust=trust), trust=trust)


def graph_of(ensemble: Ensemble, *, trust: bool = False) -> Net:
    """The graph of an ensemble that was read; see :func:`open_ensemble`."""
    if ensemble.graph is None:
        tables = [member.name for member in ensemble.members if member.net is None]
        why = f"{', '.join(tables)} is a table alone" if tables else "it was written without one"
        raise CardError(
            f"the ensemble {ensemble.name} has no graph that could be run: {why}",
            hint="Make it anew from runs or nets: `yolo-leuk ensemble RUN RUN …`.",
        )
    card = checked_card(ensemble.graph, trust=trust)
    _check_same(card, ensemble, ensemble.graph)
    return OnnxNet(ensemble.graph, card)


def _check_same(card: ModelCard, ensemble: Ensemble, graph: Path) -> None:
    """Raise CardError where the graph votes otherwise than ``ensemble.json`` says."""
    told = [(m.name, m.sha256, m.weight, m.temperature) for m in ensemble.members]
    inside = [(m.name, m.sha256, m.weight, m.temperature) for m in card.members]
    names_agree = [row[:2] for row in told] == [row[:2] for row in inside]
    numbers = [
        [value for row in rows for value in row[2:]] + [temperature, thresholds["unidentified"]]
        for rows, temperature, thresholds in (
            (told, ensemble.temperature, ensemble.thresholds),
            (inside, card.temperature, card.thresholds),
        )
    ]
    if (
        not names_agree
        or card.scheme.names != ensemble.scheme.names
        or not all(map(_is_near, *numbers))
    ):
        raise CardError(
            f"{graph} is not the graph of the ensemble {ensemble.name}: members, weights, "
            "temperatures or thresholds differ",
            hint="Neither is to be edited; make the ensemble again with `yolo-leuk ensemble`.",
        )


def _is_near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
