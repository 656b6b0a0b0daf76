"""The genetic search for weights, of Baldi and Cioffo: operators, and the search made of them.

An individual is a point of the simplex: a weight for each member, none below 0, summing to 1. The
operators are pure functions of a generator that is handed in, and work over leading dimensions, so
that all restarts take their steps at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.ensemble.scorer import Scorer
from yolo_leuk.ensemble.search import Found, best_of
from yolo_leuk.errors import ConfigError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GeneticSearch:
    """Settings of the search.

    Attributes:
        individuals: In a population.
        generations: Including the first, random one.
        restarts: Populations that know nothing of each other; the best of all is kept.
        tournament: How many compete for each place of a parent.
        mutation: Probability that a child has one gene replaced.

    Raises:
        ConfigError: A value out of its range.
    """

    individuals: int = 100
    generations: int = 100
    restarts: int = 10
    tournament: int = 5
    mutation: float = 0.2

    def __post_init__(self) -> None:
        for name in ("individuals", "generations", "restarts", "tournament"):
            if getattr(self, name) < 1:
                raise ConfigError(f"genetic.{name} is {getattr(self, name)}; expected 1 or more")
        if not 0 <= self.mutation <= 1:
            raise ConfigError(f"genetic.mutation is {self.mutation}; expected 0 to 1")


@dataclass(frozen=True)
class History:
    """How the populations grew.

    Attributes:
        best: Highest fitness in each generation, shape (restarts, generations).
        mean: Mean fitness, same shape.
    """

    best: Floats
    mean: Floats


def search(
    score: Scorer, settings: GeneticSearch, generator: np.random.Generator
) -> tuple[Found, History]:
    """The fittest individual that ever lived in any of the populations, and how they grew."""
    best: Found | None = None
    highest, mean = [], []
    for population, fitness in _generations(score, settings, generator):
        best = best_of(population.reshape(-1, score.members), fitness.ravel(), best)
        highest.append(fitness.max(axis=1))
        mean.append(fitness.mean(axis=1))
    if best is None:
        raise ConfigError("expected at least one generation, got none")
    return best, History(np.stack(highest, axis=1), np.stack(mean, axis=1))


def _generations(
    score: Scorer, settings: GeneticSearch, generator: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """Populations, shape (restarts, individuals, members), with the fitness of each individual."""
    shape = (settings.restarts, settings.individuals, score.members)
    population = normalised(generator.random(shape))
    fitness = score(population)
    yield population, fitness
    for _ in range(settings.generations - 1):
        mothers = winners(population, fitness, settings.tournament, generator)
        fathers = winners(population, fitness, settings.tournament, generator)
        population = mutated(crossed(mothers, fathers), settings.mutation, generator)
        fitness = score(population)
        yield population, fitness


# --- operators; shapes are (…, individuals, members) ---------------------------------------------


def normalised(genes: Floats) -> Floats:
    """Genes divided by their sum, so that they sum to 1; equal ones where all are 0."""
    total = genes.sum(axis=-1, keepdims=True)
    equal = np.full_like(genes, 1 / genes.shape[-1])
    return np.asarray(np.divide(genes, total, out=equal, where=total > 0))


def winners(
    population: Floats, fitness: Floats, contestants: int, generator: np.random.Generator
) -> Floats:
    """As many parents as there are individuals, each the fittest of some drawn at random.

    Args:
        population: Shape (…, individuals, members).
        fitness: Shape (…, individuals).
        contestants: How many are drawn for each place; one may be drawn twice.
        generator: Draws them.
    """
    drawn = generator.integers(fitness.shape[-1], size=(contestants, *fitness.shape))
    place = np.take_along_axis(fitness[None], drawn, axis=-1).argmax(axis=0)
    chosen = np.take_along_axis(drawn, place[None], axis=0)[0]
    return np.asarray(np.take_along_axis(population, chosen[..., None], axis=-2))


def crossed(mothers: Floats, fathers: Floats) -> Floats:
    """Children: the mean of both parents, normalised."""
    return normalised((mothers + fathers) / 2)


def mutated(population: Floats, rate: float, generator: np.random.Generator) -> Floats:
    """Individuals of which some have one gene replaced by a random number in [0, 1], normalised.

    Args:
        population: Shape (…, individuals, members).
        rate: Probability that an individual has one replaced.
        generator: Draws the individuals, the genes and the numbers.
    """
    *leading, members = population.shape
    is_mutant = generator.random((*leading, 1)) < rate
    is_gene = np.arange(members) == generator.integers(members, size=(*leading, 1))
    return normalised(np.where(is_mutant & is_gene, generator.random((*leading, 1)), population))
