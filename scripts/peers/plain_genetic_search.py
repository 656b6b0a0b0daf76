"""The genetic search as its description reads: Python loops, an individual at a time.

Weights that sum to 1; for each place of a parent the fittest of five drawn at random; children half
way between their parents; a mutant has one gene replaced by a random number in [0, 1]; both
normalised. Fitness is the weighted F1 of the soft vote, by scikit-learn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

Floats = npt.NDArray[np.float64]
Individual = list[float]
Score = Callable[[Individual], float]

TOURNAMENT = 5
MUTATION = 0.2


@dataclass(frozen=True)
class Fittest:
    """The best individual that ever lived."""

    weights: Individual
    fitness: float


def search(score: Score, members: int, individuals: int, generations: int, seed: int) -> Fittest:
    """One restart of the search."""
    generator = random.Random(seed)
    population = [
        _normalised([generator.random() for _ in range(members)]) for _ in range(individuals)
    ]
    fitness = [score(individual) for individual in population]
    best = _fittest(population, fitness)
    for _ in range(generations - 1):
        population = [_child(population, fitness, generator) for _ in range(individuals)]
        fitness = [score(individual) for individual in population]
        best = max(best, _fittest(population, fitness), key=lambda one: one.fitness)
    return best


def score_by_loops(
    probabilities: Sequence[Sequence[Sequence[float]]], labels: Sequence[int]
) -> Score:
    """Fitness by a loop over samples, members and classes.

    Args:
        probabilities: By member, sample and class.
        labels: Class ids.
    """

    def score(weights: Individual) -> float:
        called = []
        for number in range(len(labels)):
            votes = [0.0] * len(probabilities[0][0])
            for weight, member in zip(weights, probabilities, strict=True):
                for class_id, probability in enumerate(member[number]):
                    votes[class_id] += weight * probability
            called.append(votes.index(max(votes)))
        return float(f1_score(labels, called, average="weighted"))

    return score


def score_by_numpy(probabilities: Floats, labels: npt.NDArray[np.integer]) -> Score:
    """Fitness by one product of matrices; probabilities have shape (members, n, classes)."""

    def score(weights: Individual) -> float:
        called = np.tensordot(np.array(weights), probabilities, axes=1).argmax(axis=1)
        return float(f1_score(labels, called, average="weighted"))

    return score


def _fittest(population: Sequence[Individual], fitness: Sequence[float]) -> Fittest:
    best = max(range(len(population)), key=lambda number: fitness[number])
    return Fittest(population[best], fitness[best])


def _child(
    population: Sequence[Individual], fitness: Sequence[float], generator: random.Random
) -> Individual:
    mother = _winner(population, fitness, generator)
    father = _winner(population, fitness, generator)
    child = _normalised([(a + b) / 2 for a, b in zip(mother, father, strict=True)])
    if generator.random() < MUTATION:
        child[generator.randrange(len(child))] = generator.random()
        child = _normalised(child)
    return child


def _winner(
    population: Sequence[Individual], fitness: Sequence[float], generator: random.Random
) -> Individual:
    contestants = [generator.randrange(len(population)) for _ in range(TOURNAMENT)]
    return population[max(contestants, key=lambda number: fitness[number])]


def _normalised(genes: Individual) -> Individual:
    total = sum(genes)
    return [gene / total for gene in genes]
