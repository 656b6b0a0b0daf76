"""What predicts the class although it is no cell: colour, a corner, what is left without cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yolo_leuk.audit.probe import (
    Score,
    Trials,
    linear,
    nearest_neighbour,
    scores_of,
)
from yolo_leuk.audit.regions import CORNERS, REGIONS, STRIPS, without_colour
from yolo_leuk.audit.scan import Clues

# A region stands out when it does this much better than the others of its kind.
_STANDS_OUT = 0.1


@dataclass(frozen=True)
class RegionScore:
    """How well one corner or strip predicts the class.

    Attributes:
        region: Its name.
        scores: One per split.
        others: Median balanced accuracy of the other corners, or strips, in the last split.
        stands_out: Whether it does clearly better than they do, and than chance.
    """

    region: str
    scores: tuple[Score, ...]
    others: float
    stands_out: bool


def colour_only(clues: Sequence[Clues], labels: Sequence[str], trials: Trials) -> tuple[Score, ...]:
    """Nearest neighbour on the eleven colour numbers of the picture."""
    colours = np.stack([clue.colours for clue in clues])
    return scores_of(colours, labels, trials, nearest_neighbour)


def without_cells(
    clues: Sequence[Clues], labels: Sequence[str], trials: Trials
) -> tuple[Score, ...]:
    """The same on what is left when the white cells are painted out."""
    colours = np.stack([clue.colours_without_cells for clue in clues])
    return scores_of(colours, labels, trials, nearest_neighbour)


def region_scores(
    clues: Sequence[Clues], labels: Sequence[str], trials: Trials
) -> tuple[RegionScore, ...]:
    """Linear discriminant analysis on each corner and strip by itself, without its colour."""
    scores = {}
    for position, region in enumerate(REGIONS):
        patches = without_colour(np.stack([clue.regions[position] for clue in clues]))
        scores[region] = scores_of(patches, labels, trials, linear)
    return tuple(_region_score(region, scores) for region in REGIONS)


def _region_score(region: str, scores: dict[str, tuple[Score, ...]]) -> RegionScore:
    kind = CORNERS if region in CORNERS else STRIPS
    last = {name: of_region[-1] for name, of_region in scores.items()}
    others = float(np.median([last[name].balanced_accuracy for name in kind if name != region]))
    ahead = last[region].balanced_accuracy - others
    stands_out = last[region].is_above_chance and ahead > max(_STANDS_OUT, 3 * last[region].noise)
    return RegionScore(region, scores[region], others, stands_out)
