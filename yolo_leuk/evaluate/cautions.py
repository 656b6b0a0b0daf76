"""What a reader of the figures must know before believing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yolo_leuk.bootstrap import Figure
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.models import Model
from yolo_leuk.evaluate.voters import Voter
from yolo_leuk.probabilities import ProbabilityTable

NO_PATIENTS = "no patient identity in this data: the figure is optimistic"
CLEAN_ALONE = (
    "colours are as they are, and in this kind of data colour can give the class away; "
    "with --stress they are swapped too, and that is the figure to go by"
)

LEAST_GROUPS = 30
WIDEST = 0.1

_MOST_NAMED = 6


def cautions_of(
    held_out: HeldOut,
    models: Sequence[Model],
    figures: Mapping[str, Mapping[str, Figure]],
    *,
    stress: bool,
) -> tuple[str, ...]:
    """All of them, each once.

    Args:
        held_out: The samples.
        models: That were measured.
        figures: By model, then by title: those that lie between 0 and 1.
        stress: Whether it was measured under conditions too.
    """
    return tuple(
        dict.fromkeys(
            [
                *_of_patients(held_out),
                *held_out.data.warnings,
                *_of_groups(held_out),
                *_of_classes(held_out),
                *(warning for model in models for warning in model.warnings),
                *_of_tables(models),
                *_of_colour(models, stress),
                *(text for name, found in figures.items() for text in _of_intervals(name, found)),
            ]
        )
    )


def _of_patients(held_out: HeldOut) -> list[str]:
    return [NO_PATIENTS] if any(not sample.subject for sample in held_out.samples) else []


def _of_groups(held_out: HeldOut) -> list[str]:
    groups = len({sample.group for sample in held_out.samples})
    if groups >= LEAST_GROUPS:
        return []
    return [f"only {groups} groups: intervals over fewer than {LEAST_GROUPS} are rough"]


def _of_classes(held_out: HeldOut) -> list[str]:
    """Groups are drawn within their class; where that has one alone, it is in every draw."""
    if held_out.data.task != "classify":
        return []
    groups: dict[str, set[str]] = {}
    for sample in held_out.samples:
        groups.setdefault(sample.label, set()).add(sample.group)
    return [
        f"all of {label} is of one group: what another one would give is not in the intervals"
        for label, own in sorted(groups.items())
        if len(own) == 1
    ]


def _of_tables(models: Sequence[Model]) -> list[str]:
    return [
        f"{model.name}: probabilities as in the table, without a temperature of their own"
        for model in models
        if isinstance(model.subject, ProbabilityTable)
    ]


def _of_colour(models: Sequence[Model], stress: bool) -> list[str]:
    """Of classifiers that could have been asked in other colours, and were not."""
    can_be_asked = any(isinstance(model.subject, Voter) for model in models)
    return [CLEAN_ALONE] if can_be_asked and not stress else []


def _of_intervals(name: str, figures: Mapping[str, Figure]) -> list[str]:
    wide = [f"{title} ({one.width:.2f})" for title, one in figures.items() if one.width > WIDEST]
    if not wide:
        return []
    more = f" and {len(wide) - _MOST_NAMED} more" if len(wide) > _MOST_NAMED else ""
    named = ", ".join(wide[:_MOST_NAMED])
    return [f"{name}: intervals wider than {WIDEST:g}: {named}{more}"]
