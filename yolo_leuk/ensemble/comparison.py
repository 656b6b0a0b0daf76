"""All methods side by side, on the samples that they searched on and on samples that they did not.

Intervals are over groups, and the differences are paired: both votes are drawn alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_leuk.bootstrap import Figure, GroupBootstrap
from yolo_leuk.ensemble.fitness import Fitness
from yolo_leuk.ensemble.genetic import GeneticSearch, History
from yolo_leuk.ensemble.joined import Joined
from yolo_leuk.ensemble.methods import EQUAL, Weighings, weighings
from yolo_leuk.ensemble.parts import Division, divided
from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.ensemble.search import Floats
from yolo_leuk.probabilities import fit_temperature, softmax, vote


@dataclass(frozen=True)
class Row:
    """One method.

    Attributes:
        method: Its name.
        weights: That it found on all samples, shape (members,).
        searched: Fitness on the samples that it searched on.
        unseen: Fitness by nested cross-validation; None where that was not possible.
        over_equal: How much higher that is than the fitness of equal weights; likewise.
    """

    method: str
    weights: Floats
    searched: Figure
    unseen: Figure | None
    over_equal: Figure | None


@dataclass(frozen=True)
class Comparison:
    """All methods.

    Attributes:
        fitness: What was made large, for people.
        members: Names, in the order of the weights.
        temperatures: Of the members, fitted on all samples, shape (members,).
        rows: One for each method.
        folds: Of the nested cross-validation; 0 where there was none.
        no_unseen: Why there was none.
        history: Of the genetic search on all samples.
    """

    fitness: str
    members: tuple[str, ...]
    temperatures: Floats
    rows: tuple[Row, ...]
    folds: int
    no_unseen: str
    history: History

    def row(self, method: str) -> Row:
        """That of a method by name."""
        return next(row for row in self.rows if row.method == method)

    def to_json(self) -> dict[str, Any]:
        """For ``ensemble.json``."""
        return {
            "fitness": self.fitness,
            "nested_folds": self.folds,
            "no_unseen": self.no_unseen,
            "rows": [
                {
                    "method": row.method,
                    "weights": dict(zip(self.members, row.weights.round(6).tolist(), strict=True)),
                    "searched": row.searched.to_json(),
                    "unseen": None if row.unseen is None else row.unseen.to_json(),
                    "over_equal": None if row.over_equal is None else row.over_equal.to_json(),
                }
                for row in self.rows
            ],
        }


@dataclass(frozen=True)
class Settings:
    """How methods are compared.

    Attributes:
        fitness: What is to be large.
        genetic: Settings of the genetic search.
        folds: Of the nested cross-validation, at most; 0 leaves it out.
        draws: Of the bootstrap.
        seed: Of everything random.
    """

    fitness: Fitness
    genetic: GeneticSearch
    folds: int
    draws: int
    seed: int


def compared(
    data: Joined, settings: Settings, show: Callable[[int, str], None] = lambda *_: None
) -> Comparison:
    """Search the weights by every method, and compare what they found.

    Args:
        data: What the members say of all samples to search on.
        settings: How.
        show: Is told how many searches are done, and of what the next one is.
    """
    division = divided(data, settings.folds, settings.seed)
    show(0, "all samples")
    temperatures = fitted_temperatures(data)
    found = _weighed(data, temperatures, settings)
    return Comparison(
        fitness=settings.fitness.title,
        members=data.members,
        temperatures=temperatures,
        rows=_rows(
            data,
            settings,
            found.weights,
            _votes(data, temperatures, found.weights),
            _unseen_votes(data, division, settings, show),
        ),
        folds=len(division.folds),
        no_unseen=division.reason,
        history=found.history,
    )


def fitted_temperatures(data: Joined) -> Floats:
    """Of each member, on these samples, shape (members,)."""
    return np.array([fit_temperature(logits, data.class_ids) for logits in data.logits])


def _calibrated(data: Joined, temperatures: Floats) -> Floats:
    return np.stack(
        [softmax(own, t) for own, t in zip(data.logits, temperatures.tolist(), strict=True)]
    )


def _weighed(data: Joined, temperatures: Floats, settings: Settings) -> Weighings:
    score = Scorer(_calibrated(data, temperatures), data.class_ids, settings.fitness)
    return weighings(score, data.members, settings.genetic, settings.seed)


def _votes(data: Joined, temperatures: Floats, weights: Mapping[str, Floats]) -> dict[str, Floats]:
    """Votes of each method, shape (n, classes)."""
    members = _calibrated(data, temperatures)
    return {method: vote(members, own) for method, own in weights.items()}


def _unseen_votes(
    data: Joined, division: Division, settings: Settings, show: Callable[[int, str], None]
) -> dict[str, Floats]:
    """Votes of each method on every sample, by what was learnt without its part; {} without parts.

    Temperatures are learnt anew for each part, too.
    """
    votes: dict[str, Floats] = {}
    for number, (learnt, held_out) in enumerate(division.folds, 1):
        show(number, f"all but part {number}")
        without, part = data.part(learnt), data.part(held_out)
        temperatures = fitted_temperatures(without)
        weights = _weighed(without, temperatures, settings).weights
        for method, of_part in _votes(part, temperatures, weights).items():
            votes.setdefault(method, np.zeros(data.logits.shape[1:]))[held_out] = of_part
    return votes


def _rows(
    data: Joined,
    settings: Settings,
    weights: Mapping[str, Floats],
    searched: Mapping[str, Floats],
    unseen: Mapping[str, Floats],
) -> tuple[Row, ...]:
    labels = data.class_ids
    bootstrap = GroupBootstrap(
        data.groups,
        strata=[sample.label for sample in data.samples],
        draws=settings.draws,
        seed=settings.seed,
    )

    def drawn(votes: Mapping[str, Floats]) -> dict[str, Floats]:
        return {
            method: settings.fitness.drawn(own, labels, bootstrap) for method, own in votes.items()
        }

    on_searched, on_unseen = drawn(searched), drawn(unseen)
    return tuple(
        Row(
            method,
            own,
            bootstrap.figure(on_searched[method]),
            bootstrap.figure(on_unseen[method]) if on_unseen else None,
            bootstrap.figure(on_unseen[method] - on_unseen[EQUAL]) if on_unseen else None,
        )
        for method, own in weights.items()
    )
