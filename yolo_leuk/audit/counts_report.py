"""The sections of the page that count: classes, formats, boxes, unreadable files."""

from __future__ import annotations

from collections.abc import Sequence

from yolo_leuk.audit.balance import NO_CLASS, NO_SPLIT, Balance
from yolo_leuk.audit.boxes import MEANINGS
from yolo_leuk.audit.findings import percent
from yolo_leuk.audit.formats import Property
from yolo_leuk.audit.page_parts import MOST_ROWS, more, note, table
from yolo_leuk.audit.result import Audit
from yolo_leuk.markup import Html, join

_MOST_NAMES = 3


def balances(audit: Audit) -> Html:
    """How many pictures, and boxes, of each class are in each split."""
    tables = [_balance(audit.pictures, "pictures")]
    if audit.boxes is not None:
        tables.append(_balance(audit.boxes, "boxes"))
    return join(tables)


def _balance(balance: Balance, noun: str) -> Html:
    labels = list(next(iter(balance.counts.values()), {}))
    rows = [
        [split, *(f"{counts[label]:,}" for label in labels), f"{sum(counts.values()):,}"]
        for split, counts in balance.counts.items()
    ]
    return table([noun, *labels, "sum"], rows)


def formats(audit: Audit) -> Html:
    """File formats, sizes and qualities by split and class."""
    alike = [f"{p.name} {value}" for p in audit.formats.properties for value in _only(p)]
    parts = [note(f"The same in all pictures: {', '.join(alike)}.")] if alike else []
    columns = (*audit.data_set.splits, *audit.data_set.classes, NO_CLASS, NO_SPLIT)
    parts += [
        _property(found, columns) for found in audit.formats.properties if len(found.counts) > 1
    ]
    if misnamed := audit.formats.misnamed:
        names = ", ".join(picture.path for picture in misnamed[:_MOST_NAMES])
        parts.append(note(f"Suffix of another format: {names}."))
        parts.append(more(len(misnamed) - _MOST_NAMES))
    return join(parts)


def _only(found: Property) -> list[str]:
    """The value that all pictures share, if they share one."""
    return list(found.counts) if len(found.counts) == 1 else []


def _property(found: Property, columns: Sequence[str]) -> Html:
    present = {other for counts in found.counts.values() for other in counts}
    others = [column for column in columns if column in present]
    rows = [
        [value, *(f"{counts.get(other, 0):,}" for other in others)]
        for value, counts in list(found.counts.items())[:MOST_ROWS]
    ]
    parts = [table([found.name, *others], rows), more(len(found.counts) - MOST_ROWS)]
    if found.scores:
        score = found.scores[-1]
        text = (
            f"By {found.name} alone: balanced {percent(score.balanced_accuracy)} on "
            f"{score.tested_on}, a guess {percent(score.chance)}."
        )
        parts.append(note(text))
    return join(parts)


def labels(audit: Audit) -> Html:
    """What is wrong with boxes, by kind."""
    tables = []
    for kind in audit.labels.counts:
        found = [problem for problem in audit.labels.problems if problem.kind == kind]
        rows = [[problem.file, problem.detail] for problem in found[:MOST_ROWS]]
        tables.append(table([f"{len(found):,} × {MEANINGS[kind]}", ""], rows))
        tables.append(more(len(found) - MOST_ROWS))
    return join(tables)


def unreadable(audit: Audit) -> Html:
    """Files that cannot be read, and why."""
    rows = [
        [f"{found.picture.data_set}/{found.picture.path}", found.reason]
        for found in audit.unreadable[:MOST_ROWS]
    ]
    if not rows:
        return Html()
    return join([table(["file", "why"], rows), more(len(audit.unreadable) - MOST_ROWS)])
