"""Which weights are kept: the searched ones only where they are shown to be better than equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from yolo_leuk.bootstrap import Figure
from yolo_leuk.ensemble.comparison import Comparison
from yolo_leuk.ensemble.methods import EQUAL, GENETIC

Pick = Literal["safe", "genetic"]


@dataclass(frozen=True)
class Decision:
    """What is kept.

    Attributes:
        method: Whose weights.
        is_better: Whether the genetic weights are better than equal ones on unseen data, beyond
            what chance would do: the interval of the difference lies above 0.
        reason: In a sentence.
    """

    method: str
    is_better: bool
    reason: str


def decided(comparison: Comparison, pick: Pick) -> Decision:
    """Choose between the weights of the genetic search and equal ones.

    Args:
        comparison: Of all methods.
        pick: ``safe`` keeps equal weights unless the genetic ones are better on unseen data;
            ``genetic`` keeps the genetic ones in any case.
    """
    over_equal = comparison.row(GENETIC).over_equal
    is_better = over_equal is not None and over_equal.low > 0
    method = GENETIC if is_better or pick == "genetic" else EQUAL
    told = _told(over_equal, is_better, comparison)
    if is_better:
        kept = "they are kept"
    elif pick == "genetic":
        kept = "they are kept because --pick genetic asks for it"
    else:
        kept = "equal weights are kept (--pick genetic keeps the searched ones)"
    return Decision(method, is_better, f"{told}; {kept}")


def _told(over_equal: Figure | None, is_better: bool, comparison: Comparison) -> str:
    if over_equal is None:
        return (
            "genetic and equal weights were not compared on unseen data, because "
            f"{comparison.no_unseen}"
        )
    return (
        f"genetic weights are {'' if is_better else 'not '}better than equal ones on unseen data: "
        f"{over_equal.value:+.4f} [{over_equal.low:+.4f}, {over_equal.high:+.4f}] "
        f"{comparison.fitness}"
    )
