"""What was found, one sentence for each check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from yolo_leuk.audit.balance import Balance
from yolo_leuk.audit.boxes import MEANINGS
from yolo_leuk.audit.duplicates import Duplicate
from yolo_leuk.audit.probe import Score
from yolo_leuk.audit.result import Audit

Verdict = Literal["leak", "look", "ok", "not known"]

# Twice as many of one class as of another is usual, and class weights make up for it.
_LARGE_RATIO = 3.0


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: Its name.
        verdict: ``leak`` where a test can be known beforehand, ``look`` where somebody must decide
            what it means, ``ok``, or ``not known`` where it could not be measured.
        text: What was found.
    """

    check: str
    verdict: Verdict
    text: str


def findings_of(audit: Audit) -> list[Finding]:
    """All checks in the order in which a person reads them."""
    shortcuts = audit.shortcuts
    return [
        _exact(audit.duplicates.exact),
        _twice("near duplicates", audit.duplicates.near),
        _twice("overlaps", audit.duplicates.overlapping),
        _groups(audit),
        _balance(audit),
        _formats(audit),
        _predicts(audit, "colour alone", shortcuts.colour_only if shortcuts else ()),
        _regions(audit),
        _predicts(audit, "without cells", shortcuts.without_cells if shortcuts else ()),
        _labels(audit),
        _unreadable(audit),
    ]


def percent(share: float) -> str:
    """A share in [0, 1] with one decimal: ``33.7%``."""
    return f"{100 * share:.1f}%"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _exact(duplicates: Sequence[Duplicate]) -> Finding:
    copies = sum(len(d.pictures) - 1 for d in duplicates)
    return _twice("same pixels", duplicates, counted(copies, "exact copy", "exact copies"))


def _twice(check: str, duplicates: Sequence[Duplicate], amount: str = "") -> Finding:
    """Of duplicates of one kind; they are pairs, where no amount is given."""
    if not duplicates:
        return Finding(check, "ok", "none")
    across = {
        "across splits": sum(d.across_splits for d in duplicates),
        "across data sets": sum(d.across_data_sets for d in duplicates),
        "under two classes": sum(d.across_classes for d in duplicates),
    }
    amount = amount or counted(len(duplicates), "pair")
    text = ", ".join([amount, *(f"{n:,} {where}" for where, n in across.items() if n)])
    return Finding(check, "leak" if any(d.leaks for d in duplicates) else "look", text)


def _groups(audit: Audit) -> Finding:
    groups = audit.groups
    if groups.reason:
        return Finding("groups across splits", "not known", groups.reason)
    if not groups.across:
        return Finding("groups across splits", "ok", f"none of {counted(groups.count, 'group')}")
    by_kind = [group.what for group in groups.across]
    text = ", ".join(counted(by_kind.count(what), what) for what in dict.fromkeys(by_kind))
    return Finding("groups across splits", "leak", text)


def _balance(audit: Audit) -> Finding:
    balance, noun = audit.pictures, "pictures"
    if balance.ratio is None and audit.boxes is not None:
        balance, noun = audit.boxes, "boxes"
    if balance.ratio is None:
        return Finding("class balance", "not known", "the data set has no two classes")
    text = f"{balance.ratio:.1f} times as many {noun} of the commonest class as of the rarest"
    if balance.absent:
        text += f"; {_absent(balance)}"
    is_even = balance.ratio <= _LARGE_RATIO and not balance.absent
    return Finding("class balance", "ok" if is_even else "look", text)


def _absent(balance: Balance) -> str:
    return ", ".join(f"no {label} in {split}" for split, label in balance.absent)


def _formats(audit: Audit) -> Finding:
    telling = [
        f"{p.name} predicts the class ({_in_short(p.scores[-1])})"
        for p in audit.formats.properties
        if p.scores and p.scores[-1].is_above_chance
    ]
    misnamed = len(audit.formats.misnamed)
    if misnamed:
        telling.append(f"{counted(misnamed, 'file')} with the suffix of another format")
    if telling:
        return Finding("formats and sizes", "look", "; ".join(telling))
    values = ", ".join(
        f"{len(p.counts)} {p.name}{'' if len(p.counts) == 1 else 's'}"
        for p in audit.formats.properties
        if p.name in ("format", "size")
    )
    return Finding("formats and sizes", "ok", values)


def _predicts(audit: Audit, check: str, scores: Sequence[Score]) -> Finding:
    if not scores:
        return Finding(check, "not known", audit.no_shortcuts)
    text = f"{percent(scores[-1].accuracy)} right ({_in_short(scores[-1])})"
    return Finding(check, "look" if scores[-1].is_above_chance else "ok", text)


def _in_short(score: Score) -> str:
    return (
        f"balanced {percent(score.balanced_accuracy)} on {score.tested_on}, "
        f"a guess {percent(score.chance)}"
    )


def _regions(audit: Audit) -> Finding:
    if audit.shortcuts is None:
        return Finding("corners and strips", "not known", audit.no_shortcuts)
    regions = audit.shortcuts.regions
    stand_out = [region for region in regions if region.stands_out]
    if stand_out:
        text = "; ".join(
            f"{r.region} stands out: balanced {percent(r.scores[-1].balanced_accuracy)}, "
            f"others of its kind {percent(r.others)}"
            for r in stand_out
        )
        return Finding("corners and strips", "look", text)
    best = max(regions, key=lambda region: region.scores[-1].balanced_accuracy)
    text = f"none stands out; the best is {best.region} ({_in_short(best.scores[-1])})"
    return Finding("corners and strips", "look" if best.scores[-1].is_above_chance else "ok", text)


def _labels(audit: Audit) -> Finding:
    labels = audit.labels
    if labels.problems:
        text = ", ".join(f"{number:,} × {MEANINGS[kind]}" for kind, number in labels.counts.items())
        return Finding("labels", "look", text)
    if not labels.files:
        return Finding("labels", "ok", "the data set has no label files")
    boxes = counted(len(labels.boxes), "box", "boxes")
    return Finding("labels", "ok", f"{boxes} in {counted(labels.files, 'file')}")


def _unreadable(audit: Audit) -> Finding:
    if not audit.unreadable:
        return Finding("unreadable files", "ok", "none")
    return Finding("unreadable files", "look", counted(len(audit.unreadable), "file"))
