"""Ask classifiers about all samples of a split, as they are and under conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from yolo_leuk.evaluate.answers import Answer
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.showing import Showing, inputs_of
from yolo_leuk.evaluate.stress import Condition
from yolo_leuk.evaluate.voters import Voter
from yolo_leuk.probabilities import ProbabilityTable
from yolo_leuk.progress import progress_bar

# Samples that are in memory at once.
_AT_ONCE = 256


def asked(
    models: Sequence[Model],
    held_out: HeldOut,
    conditions: Mapping[str, Condition],
    *,
    progress: bool = False,
) -> dict[str, dict[str, Answer]]:
    """What classifiers say, by condition and model.

    Every picture is read once for each condition, however many models there are.

    Args:
        models: Those that can be asked; tables are left out.
        held_out: The samples.
        conditions: By name.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ImageError: A picture cannot be read.
        DataError: It is not what the manifest says.
        ModelError: A net cannot be run.
    """
    voters = {m.name: m.subject for m in models if isinstance(m.subject, Voter)}
    if not voters:
        return {}
    showing = Showing(held_out)
    with progress_bar(len(conditions), enabled=progress) as show:
        found = {}
        for number, (name, condition) in enumerate(conditions.items()):
            show(number, name)
            found[name] = _asked(voters, showing, condition)
    return found


def answers_of_tables(models: Sequence[Model]) -> dict[str, Answer]:
    """What tables of probabilities say, as they stand there."""
    return {
        model.name: Answer(model.subject.probabilities)
        for model in models
        if isinstance(model.subject, ProbabilityTable)
    }


def _asked(
    voters: Mapping[str, Voter], showing: Showing, condition: Condition
) -> dict[str, Answer]:
    parts: dict[str, list[Answer]] = {name: [] for name in voters}
    count = len(showing.held_out.samples)
    for start in range(0, count, _AT_ONCE):
        shown = showing.under(condition, range(start, min(start + _AT_ONCE, count)))
        inputs: dict[tuple[int, float], npt.NDArray[np.uint8]] = {}
        for name, voter in voters.items():
            card = voter.card
            key = (card.input_px, card.px_per_rbc)
            if key not in inputs:
                inputs[key] = inputs_of(shown, card)
            parts[name].append(voter.answer(inputs[key]))
    return {name: _joined(some) for name, some in parts.items()}


def _joined(parts: Sequence[Answer]) -> Answer:
    called = [part.is_called for part in parts if part.is_called is not None]
    return Answer(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate(called) if called else None,
    )
