"""The sentences that picture and report share."""

from __future__ import annotations

from yolo_leuk.labels import MATURITY, LabelScheme
from yolo_leuk.records import UNIDENTIFIED, BlastFraction, SmearResult

DECISION_SUPPORT_SHORT = "Decision support: yolo-leuk suggests, it does not diagnose."

DECISION_SUPPORT = (
    "Decision support for trained people and research. yolo-leuk locates, counts and suggests; "
    "it does not diagnose. Every call is to be checked at the microscope."
)

SYNTHETIC = "Synthetic image: drawn by a program, not photographed from anybody's smear."


_MEANINGS = {
    "Benign": "hematogones, benign precursors",
    "Early": "early pre-B lymphoblasts",
    "Pre": "pre-B lymphoblasts",
    "Pro": "pro-B lymphoblasts",
    "Other": "all other white cells",
}


def meaning(name: str, labels: LabelScheme) -> str:
    """What a label stands for; empty for the classes of schemes other than the shipped one."""
    if name == UNIDENTIFIED:
        return "white cells too uncertain to be named"
    return _MEANINGS[name] if labels == MATURITY else ""


def counted(number: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def unit(result: SmearResult) -> str:
    """What a result counts: cells, or the one picture that was classified whole."""
    return "picture" if result.view == "image" else "cell"


def percent(share: float) -> str:
    """A share in [0, 1] with one decimal: ``33.7%``."""
    return f"{100 * share:.1f}%"


def probability(value: float) -> str:
    """A probability in whole per cent; never a 0% or 100% that claims certainty."""
    if value >= 0.995:
        return ">99%"
    return "<1%" if value < 0.005 else f"{100 * value:.0f}%"


def blast_count(result: SmearResult, labels: LabelScheme) -> int:
    """Number of cells that were called a blast."""
    return sum(result.counts.get(name, 0) for name in labels.blasts)


def interval(fraction: BlastFraction) -> str:
    """The 95 % interval in words: ``24.9% to 43.8%``."""
    return f"{percent(fraction.low)} to {percent(fraction.high)}"


def blast_sentence(result: SmearResult, labels: LabelScheme) -> str:
    """The blast fraction with its interval and counts, or why there is none."""
    fraction = result.blast_fraction
    if fraction is None:
        return f"No blast fraction: {result.blast_fraction_reason}"
    return (
        f"Blasts {percent(fraction.estimate)} of white cells (95% interval {interval(fraction)}; "
        f"{blast_count(result, labels)} of {fraction.cells} called cells)"
    )
