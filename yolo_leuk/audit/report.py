"""audit.html: one page that holds everything it shows, for screen and paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from yolo_leuk import __version__
from yolo_leuk.audit import counts_report, duplicates_report, shortcuts_report
from yolo_leuk.audit.findings import Finding, counted, findings_of
from yolo_leuk.audit.page_parts import capital, table
from yolo_leuk.audit.result import Audit
from yolo_leuk.audit.scan import Clues
from yolo_leuk.markup import Html, fill, join, page
from yolo_leuk.near_duplicates import LEAST_TURNED_CORRELATION
from yolo_leuk.overlaps import LEAST_CORRELATION

_SECTION = """<section id="$anchor">
<h2>$title $verdict</h2>
<p class="faint">$meaning</p>
<p>$text</p>
$body</section>
"""
_VERDICT = '<span class="verdict $kind">$text</span>'
_LINK = '<a href="#$anchor">$text</a>'
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
        "exact": lambda: duplicates_report.duplicates(audit.duplicates.exact, examples),
        "near": lambda: duplicates_report.duplicates(audit.duplicates.near, examples),
        "overlapping": lambda: duplicates_report.duplicates(audit.duplicates.overlapping, examples),
        "groups": lambda: duplicates_report.groups(audit),
        "balance": lambda: counts_report.balances(audit),
        "formats": lambda: counts_report.formats(audit),
        "colour": lambda: shortcuts_report.colour(audit, clues),
        "regions": lambda: shortcuts_report.regions(audit),
        "without-cells": lambda: shortcuts_report.without_cells(audit),
        "labels": lambda: counts_report.labels(audit),
        "unreadable": lambda: counts_report.unreadable(audit),
    }
    sections = join(
        fill(
            _SECTION,
            anchor=anchor,
            title=capital(finding.check),
            verdict=_verdict(finding),
            meaning=meaning,
            text=f"{capital(finding.text)}.",
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
    return table(["check", "", "found"], rows)


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
