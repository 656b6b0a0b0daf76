"""What a search makes as large as it can: one figure of the vote, or several blended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk import confusion, ranking
from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.errors import ConfigError

Floats = npt.NDArray[np.float64]

FigureName = Literal["weighted_f1", "macro_f1", "balanced_accuracy", "auroc", "cost"]

AUROC: FigureName = "auroc"
COST: FigureName = "cost"

TITLES: dict[FigureName, str] = {
    "weighted_f1": "weighted F1",
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    AUROC: "AUROC",
    COST: "cost score",
}

_OF_CALLS: dict[FigureName, Callable[[npt.NDArray[np.generic]], Floats]] = {
    "weighted_f1": confusion.weighted_f1,
    "macro_f1": confusion.macro_f1,
    "balanced_accuracy": confusion.balanced_accuracy,
}


@dataclass(frozen=True)
class Fitness:
    """A weighted mean of figures; higher is better.

    The cost is taken as 1 − total ÷ (220 · n / 4): negative, and on the scale of the others.

    Attributes:
        shares: Share of each figure by name, summing to 1.
        classes: Names, in the order of the probabilities.
    """

    shares: Mapping[FigureName, float]
    classes: tuple[str, ...]

    @property
    def title(self) -> str:
        """For people: ``weighted F1``, or ``0.70 weighted F1 + 0.30 AUROC``."""
        if len(self.shares) == 1:
            return TITLES[next(iter(self.shares))]
        return " + ".join(f"{share:.2f} {TITLES[name]}" for name, share in self.shares.items())

    @property
    def needs_calls(self) -> bool:
        """Whether any part follows from the confusion matrix."""
        return any(name != AUROC for name in self.shares)

    @property
    def needs_ranks(self) -> bool:
        """Whether any part needs the probabilities themselves."""
        return AUROC in self.shares

    def of_calls(self, matrices: npt.NDArray[np.generic]) -> Floats:
        """The part that follows from confusion matrices, shape (…, classes, classes) to (…)."""
        values = np.zeros(matrices.shape[:-2])
        for name, share in self.shares.items():
            if name == COST:
                values += share * confusion.misclassification_cost(matrices, self.classes).score
            elif name != AUROC:
                values += share * _OF_CALLS[name](matrices)
        return values

    def of_ranks(self, areas: Floats) -> Floats:
        """The part that follows from areas under ROC curves, shape (…) to (…)."""
        return self.shares.get(AUROC, 0.0) * areas

    def drawn(
        self, votes: Floats, labels: npt.NDArray[np.integer], bootstrap: GroupBootstrap
    ) -> Floats:
        """The fitness of one vote, and of each draw of a bootstrap, shape (1 + draws,).

        Args:
            votes: Shape (n, classes).
            labels: Class ids, shape (n,).
            bootstrap: Over the groups of the same samples.
        """
        values = np.zeros(1)
        size = len(self.classes)
        if self.needs_calls:
            cells = labels * size + votes.argmax(axis=1)
            matrices = bootstrap.tallies(cells, size * size).reshape(-1, size, size)
            values = values + self.of_calls(matrices)
        if self.needs_ranks:
            areas = bootstrap.weighted(partial(ranking.macro_auroc, votes, labels))
            values = values + self.of_ranks(areas)
        return values


def fitness_of(wanted: FigureName | Mapping[FigureName, float], classes: Sequence[str]) -> Fitness:
    """The fitness of a name, or of a blend.

    Args:
        wanted: Name of a figure, or names and their shares, which need not sum to 1.
        classes: Names, in the order of the probabilities.

    Raises:
        ConfigError: A share is below 0 or all are 0, or the cost is wanted of classes other than
            the maturity stages.
    """
    shares: dict[FigureName, float]
    shares = {wanted: 1.0} if isinstance(wanted, str) else dict(wanted)
    total = sum(shares.values())
    if min(shares.values(), default=-1.0) < 0 or total <= 0:
        raise ConfigError(
            f"expected shares of the fitness from 0 up, some of them above, got {shares}"
        )
    missing = [stage for stage in confusion.STAGES if stage not in classes]
    if COST in shares and missing:
        raise ConfigError(
            f"the fitness {COST} is of the maturity stages {', '.join(confusion.STAGES)}; "
            f"the classes are {', '.join(classes)}",
            hint="Choose another with --fitness.",
        )
    return Fitness({k: share / total for k, share in shares.items() if share}, tuple(classes))
