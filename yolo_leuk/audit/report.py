"""audit.html: one page that holds everything it shows, for screen and paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from yolo_leuk import __version__
from yolo_leuk.audit.balance import NO_CLASS, NO_SPLIT, Balance
from yolo_leuk.audit.boxes import MEANINGS
from yolo_leuk.audit.duplicates import Duplicate
from yolo_leuk.audit.exhibits import painted_out_uri, picture_uri, region_uri, some_of_each_class
from yolo_leuk.audit.findings import Finding, counted, findings_of, percent
from yolo_leuk.audit.formats import Property
from yolo_leuk.audit.layout import Picture
from yolo_leuk.audit.probe import Score
from yolo_leuk.audit.result import Audit, Shortcuts
from yolo_leuk.audit.scan import Clues
from yolo_leuk.markup import Html, fill, join, page
from yolo_leuk.near_duplicates import LEAST_TURNED_CORRELATION
from yolo_leuk.overlaps import LEAST_CORRELATION

_MOST_ROWS = 10
_MOST_NAMES = 3
_PICTURES_OF_A_DUPLICATE = 4
_PICTURES_OF_A_CLASS = 4

_SECTION = """<section id="$anchor">
<h2>$title $verdict</h2>
<p class="faint">$meaning</p>
<p>$text</p>
$body</section>
"""
_NOTE = '<p class="faint">$text</p>\n'
_WARNING = '<div class="box" role="note">$text</div>\n'
_TABLE = '<div class="scroll"><table>\n<tr>$head</tr>\n$rows</table></div>\n'
_HEAD = '<th scope="col">$text</th>'
_ROW = "<tr>$cells</tr>\n"
_CELL = "<td>$text</td>"
_VERDICT = '<span class="verdict $kind">$text</span>'
_LINK = '<a href="#$anchor">$text</a>'
_FIGURE = '<figure><img src="$uri" alt="$alt"/><figcaption>$caption</figcaption></figure>\n'
_TOGETHER = '<div class="together">$figures<p class="faint">$text</p></div>\n'
_CLASS_ROW = '<h3>$label</h3>\n<div class="strip">$figures</div>\n'
_SWATCH = '<span class="swatch" style="background:rgb($red,$green,$blue)"></span>'
_PLACE = '<div class="place $kind" style="grid-area:$area"><b>$score</b><br/>$name</div>\n'
_FACT = "<dt>$name</dt><dd>$value</dd>\n"

_VERDICTS = {"leak": "leak", "look": "look", "ok": "ok", "not known": "unknown"}

# In the order of the findings.
_MEANINGS = {
    "exact": "The same picture twice. In two splits, it is learnt by heart and then asked.",
    "near": "The same field or cell again: stored anew, brighter, resized, turned or moved a bit.",
    "overlapping": "Fields that share some of their cells: the stage was moved between them.",
    "groups": "A patient, or what stands for one, must be in one split only.",
    "balance": "Pictures and boxes of each class in each split.",
    "formats": "Whether suffix, file format, size or JPEG quality goes with the class.",
    "colour": "How often eleven numbers of colour and brightness, and nothing of any shape, name "
    "the right class. The more, the less a good figure says about cells.",
    "regions": "What is burnt into a picture stands at its edge. Each corner and each strip "
    "between two corners should do about as well as the others.",
    "without-cells": "The same eleven numbers of what is left when white cells are painted out. "
    "What is above a guess comes from glass, red cells, light and stain.",
    "labels": "Boxes that no detector should learn, and files that do not belong together.",
    "unreadable": "Files that are called pictures and cannot be read whole.",
}


def report_page(audit: Audit, clues: Mapping[str, Clues], *, examples: int) -> str:
    """The whole page.

    Args:
        audit: What was found.
        clues: Path to clues of each picture of the data set, where it has classes.
        examples: How many duplicates of each kind are shown.
    """
    findings = findings_of(audit)
    bodies: dict[str, Callable[[], Html]] = {
        "exact": lambda: _duplicates(audit.duplicates.exact, examples),
        "near": lambda: _duplicates(audit.duplicates.near, examples),
        "overlapping": lambda: _duplicates(audit.duplicates.overlapping, examples),
        "groups": lambda: _groups(audit),
        "balance": lambda: _balances(audit),
        "formats": lambda: _formats(audit),
        "colour": lambda: _colour(audit, clues),
        "regions": lambda: _regions(audit),
        "without-cells": lambda: _without_cells(audit),
        "labels": lambda: _labels(audit),
        "unreadable": lambda: _unreadable(audit),
    }
    sections = join(
        fill(
            _SECTION,
            anchor=anchor,
            title=_capital(finding.check),
            verdict=_verdict(finding),
            meaning=meaning,
            text=f"{_capital(finding.text)}.",
            body=bodies[anchor](),
        )
        for (anchor, meaning), finding in zip(_MEANINGS.items(), findings, strict=True)
    )
    return page(
        "yolo_leuk.audit",
        f"Audit: {audit.data_set.name}",
        heading=audit.data_set.name,
        summary=_summary(audit),
        verdict=_leakage(audit),
        overview=_overview(findings),
        sections=sections,
        facts=join(fill(_FACT, name=name, value=value) for name, value in _facts(audit).items()),
    )


# --- the head of the page ------------------------------------------------------------------------


def _summary(audit: Audit) -> str:
    data_set = audit.data_set
    parts = [counted(len(data_set.pictures), "picture"), data_set.layout]
    parts.append(f"splits {', '.join(data_set.splits)}" if data_set.splits else "no splits")
    if audit.against is not None:
        parts.append(
            f"compared with {audit.against.name} "
            f"({counted(len(audit.against.pictures), 'picture')})"
        )
    return " · ".join(parts)


def _leakage(audit: Audit) -> Html:
    if audit.leaks:
        text = "It leaks: what is tested can be known from what is learnt."
        return fill('<p class="purpose leaks">$text</p>', text=text)
    text = (
        "No leakage was found. That is no proof: two pictures of one patient that look different "
        "can only be told by a name."
        if audit.data_set.splits or audit.against
        else "It has no splits, so nothing leaks yet. What is there twice must stay in one split."
    )
    return fill('<p class="purpose">$text</p>', text=text)


def _overview(findings: Sequence[Finding]) -> Html:
    rows = [
        [fill(_LINK, anchor=anchor, text=finding.check), _verdict(finding), finding.text]
        for anchor, finding in zip(_MEANINGS, findings, strict=True)
    ]
    return _table(["check", "", "found"], rows)


def _verdict(finding: Finding) -> Html:
    return fill(_VERDICT, kind=_VERDICTS[finding.verdict], text=finding.verdict)


def _facts(audit: Audit) -> dict[str, str]:
    facts = {
        "program": f"yolo-leuk {__version__}",
        "same pixels": "SHA-256 of the decoded picture, whatever its file format",
        "near duplicates": (
            "the five pictures that look most like each one, in any of eight turns, compared by "
            f"their fine detail: {counted(audit.duplicates.compared, 'pair')}, the same from a "
            f"correlation of {audit.duplicates.threshold:.2f}, turned ones of "
            f"{max(audit.duplicates.threshold, LEAST_TURNED_CORRELATION):.2f}"
        ),
    }
    facts["overlaps"] = (
        "fields of one class that are laid over each other by their nuclei and share a fifth of a "
        "field or more, the same from a correlation of that part of "
        f"{LEAST_CORRELATION:.2f}, small parts of more; single cells are not compared"
    )
    if audit.shortcuts is not None:
        facts["classes predicted"] = audit.shortcuts.trials.how
        facts["by colour"] = (
            "nearest neighbour on the median colour of the brightest and the darkest tenth and "
            "five percentiles of brightness"
        )
        facts["by a corner or strip"] = (
            "linear discriminant analysis on its pixels, without their colour and contrast"
        )
        facts["balanced"] = "the share of right calls of each class, averaged over the classes"
    return facts


# --- duplicates ----------------------------------------------------------------------------------


def _duplicates(duplicates: Sequence[Duplicate], examples: int) -> Html:
    shown = join(_together(duplicate) for duplicate in duplicates[:examples])
    return join([shown, _more(len(duplicates) - examples)])


def _together(duplicate: Duplicate) -> Html:
    pictures = duplicate.pictures[:_PICTURES_OF_A_DUPLICATE]
    figures = join(_figure(picture_uri(picture), picture) for picture in pictures)
    if duplicate.shared is not None:
        text = f"{duplicate.shared:.0%} in both, correlation {duplicate.correlation:.3f}"
    elif duplicate.correlation is not None:
        text = f"correlation {duplicate.correlation:.3f}, {duplicate.turn}"
    else:
        text = "the same file" if duplicate.same_bytes else "the same pixels"
    hidden = len(duplicate.pictures) - len(pictures)
    return fill(_TOGETHER, figures=figures, text=text + (f", and {hidden} more" if hidden else ""))


def _figure(uri: str, picture: Picture) -> Html:
    caption = " · ".join(part for part in (picture.split, picture.label, picture.group) if part)
    name = f"{picture.data_set}/{picture.path}"
    text = join([fill("$name<br/>", name=name), fill("<b>$caption</b>", caption=caption)])
    return fill(_FIGURE, uri=uri, alt=name, caption=text)


def _groups(audit: Audit) -> Html:
    rows = [
        [group.what, group.name, ", ".join(f"{split} {n}" for split, n in group.splits.items())]
        for group in audit.groups.across[:_MOST_ROWS]
    ]
    if not rows:
        return Html()
    table = _table(["", "name", "pictures"], rows)
    return join([table, _more(len(audit.groups.across) - _MOST_ROWS)])


# --- balance and formats -------------------------------------------------------------------------


def _balances(audit: Audit) -> Html:
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
    return _table([noun, *labels, "sum"], rows)


def _formats(audit: Audit) -> Html:
    alike = [f"{p.name} {value}" for p in audit.formats.properties for value in _only(p)]
    parts = [fill(_NOTE, text=f"The same in all pictures: {', '.join(alike)}.")] if alike else []
    columns = (*audit.data_set.splits, *audit.data_set.classes, NO_CLASS, NO_SPLIT)
    parts += [
        _property(found, columns) for found in audit.formats.properties if len(found.counts) > 1
    ]
    if misnamed := audit.formats.misnamed:
        names = ", ".join(picture.path for picture in misnamed[:_MOST_NAMES])
        parts.append(fill(_NOTE, text=f"Suffix of another format: {names}."))
        parts.append(_more(len(misnamed) - _MOST_NAMES))
    return join(parts)


def _only(found: Property) -> list[str]:
    """The value that all pictures share, if they share one."""
    return list(found.counts) if len(found.counts) == 1 else []


def _property(found: Property, columns: Sequence[str]) -> Html:
    present = {other for counts in found.counts.values() for other in counts}
    others = [column for column in columns if column in present]
    rows = [
        [value, *(f"{counts.get(other, 0):,}" for other in others)]
        for value, counts in list(found.counts.items())[:_MOST_ROWS]
    ]
    parts = [_table([found.name, *others], rows), _more(len(found.counts) - _MOST_ROWS)]
    if found.scores:
        score = found.scores[-1]
        text = (
            f"By {found.name} alone: balanced {percent(score.balanced_accuracy)} on "
            f"{score.tested_on}, a guess {percent(score.chance)}."
        )
        parts.append(fill(_NOTE, text=text))
    return join(parts)


# --- what gives the class away -------------------------------------------------------------------


def _warning(shortcuts: Shortcuts) -> Html:
    warning = shortcuts.trials.warning
    return fill(_WARNING, text=f"{_capital(warning)}.") if warning else Html()


def _score_table(scores: Sequence[Score]) -> Html:
    labels = sorted({label for score in scores for label in score.recall})
    rows = [
        [
            score.tested_on,
            f"{score.pictures:,}",
            percent(score.accuracy),
            percent(score.majority),
            percent(score.balanced_accuracy),
            percent(score.chance),
            *(percent(score.recall[label]) if label in score.recall else "–" for label in labels),
        ]
        for score in scores
    ]
    head = ["tried on", "pictures", "right", "commonest class", "balanced", "a guess"]
    return _table([*head, *(f"{label} right" for label in labels)], rows)


def _colour(audit: Audit, clues: Mapping[str, Clues]) -> Html:
    if audit.shortcuts is None:
        return Html()
    return join(
        [
            _warning(audit.shortcuts),
            _score_table(audit.shortcuts.colour_only),
            _colours_of_classes(audit.data_set.pictures, clues),
        ]
    )


def _colours_of_classes(pictures: Sequence[Picture], clues: Mapping[str, Clues]) -> Html:
    """Median of the eleven numbers over the pictures of each class."""
    rows = []
    for label in sorted({picture.label for picture in pictures if picture.label}):
        own = [clues[p.path].colours for p in pictures if p.label == label and p.path in clues]
        if not own:
            continue
        middle = np.median(np.stack(own), axis=0)
        brightness = ", ".join(f"{value:.0f}" for value in middle[6:])
        rows.append([label, _swatch(middle[:3]), _swatch(middle[3:6]), brightness])
    return _table(["class", "brightest tenth", "darkest tenth", "brightness at 5–95 %"], rows)


def _swatch(rgb: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Html:
    red, green, blue = (int(value) for value in rgb)
    shown = fill(_SWATCH, red=red, green=green, blue=blue)
    return join([shown, fill("$red, $green, $blue", red=red, green=green, blue=blue)])


_AREAS = {
    "upper left": "1 / 1",
    "top": "1 / 2",
    "upper right": "1 / 3",
    "left": "2 / 1",
    "right": "2 / 3",
    "lower left": "3 / 1",
    "bottom": "3 / 2",
    "lower right": "3 / 3",
}


def _regions(audit: Audit) -> Html:
    if audit.shortcuts is None:
        return Html()
    regions = audit.shortcuts.regions
    last = {region.region: region.scores[-1] for region in regions}
    stand_out = {region.region for region in regions if region.stands_out}
    places = join(
        fill(
            _PLACE,
            kind="out" if name in stand_out else "",
            area=area,
            score=percent(last[name].balanced_accuracy),
            name=name,
        )
        for name, area in _AREAS.items()
    )
    score = next(iter(last.values()))
    note = f"Balanced accuracy on {score.tested_on} of each region by itself; a guess has "
    parts = [
        fill('<div class="map">$places</div>', places=places),
        fill(_NOTE, text=f"{note}{percent(score.chance)}. Colour and contrast are taken out."),
    ]
    best = max(
        regions, key=lambda region: (region.stands_out, last[region.region].balanced_accuracy)
    )
    if last[best.region].is_above_chance:
        parts.append(_region_examples(audit, best.region))
    return join(parts)


def _region_examples(audit: Audit, region: str) -> Html:
    rows = []
    for label, pictures in _examples(audit).items():
        figures = join(
            fill(
                _FIGURE,
                uri=region_uri(picture, region),
                alt=f"{region} of {picture.path}",
                caption=picture.path.rsplit("/", 1)[-1],
            )
            for picture in pictures
        )
        rows.append(fill(_CLASS_ROW, label=f"{label}, {region}", figures=figures))
    return join(rows)


def _without_cells(audit: Audit) -> Html:
    if audit.shortcuts is None:
        return Html()
    rows = []
    for label, pictures in _examples(audit).items():
        figures = join(
            fill(_FIGURE, uri=uri(picture), alt=f"{what} {picture.path}", caption=what)
            for picture in pictures[:2]
            for uri, what in ((picture_uri, "as it is"), (painted_out_uri, "without cells"))
        )
        rows.append(fill(_CLASS_ROW, label=label, figures=figures))
    return join([_score_table(audit.shortcuts.without_cells), *rows])


def _examples(audit: Audit) -> dict[str, list[Picture]]:
    broken = {unreadable.picture for unreadable in audit.unreadable}
    readable = [picture for picture in audit.data_set.pictures if picture not in broken]
    return some_of_each_class(readable, _PICTURES_OF_A_CLASS)


# --- labels and files ----------------------------------------------------------------------------


def _labels(audit: Audit) -> Html:
    tables = []
    for kind in audit.labels.counts:
        found = [problem for problem in audit.labels.problems if problem.kind == kind]
        rows = [[problem.file, problem.detail] for problem in found[:_MOST_ROWS]]
        tables.append(_table([f"{len(found):,} × {MEANINGS[kind]}", ""], rows))
        tables.append(_more(len(found) - _MOST_ROWS))
    return join(tables)


def _unreadable(audit: Audit) -> Html:
    rows = [
        [f"{found.picture.data_set}/{found.picture.path}", found.reason]
        for found in audit.unreadable[:_MOST_ROWS]
    ]
    if not rows:
        return Html()
    return join([_table(["file", "why"], rows), _more(len(audit.unreadable) - _MOST_ROWS)])


# --- tables --------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    return fill(
        _TABLE,
        head=join(fill(_HEAD, text=text) for text in head),
        rows=join(fill(_ROW, cells=join(fill(_CELL, text=v) for v in row)) for row in rows),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _more(count: int) -> Html:
    return fill(_NOTE, text=f"{count:,} more stand in audit.json.") if count > 0 else Html()
