"""How well something that is no cell predicts the class, tried on the splits of the data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats

Labels = npt.NDArray[np.str_]
Rows = npt.NDArray[np.int64]

Classifier = Callable[[Any, Labels, Any], Labels]
"""Takes features and labels to learn from and features to call; returns what it calls them."""

_PARTS = 5  # of a data set without splits

# Pictures that the linear classifier learns from, spread evenly; more changes nothing but memory.
_MOST_LEARNT = 5000
OPTIMISTIC = (
    "the data set has no splits: pictures were drawn at random, so that pictures of one patient "
    "are learnt from and called alike, and the figure is optimistic"
)


@dataclass(frozen=True)
class Trial:
    """Rows to learn from and rows to call."""

    name: str
    learn: Rows
    call: Rows


@dataclass(frozen=True)
class Trials:
    """How a classifier is tried.

    Attributes:
        trials: Several of one name are counted together.
        how: In words.
        warning: Why the figure cannot be trusted; empty where nothing is known against it.
    """

    trials: tuple[Trial, ...]
    how: str
    warning: str = ""


@dataclass(frozen=True)
class Score:
    """How well the class was predicted in one split.

    Attributes:
        tested_on: Name of the split.
        pictures: How many were called.
        accuracy: Share of right calls.
        majority: Accuracy of always naming the commonest class.
        balanced_accuracy: Mean over the classes of their share of right calls.
        chance: Balanced accuracy of a guess.
        recall: Share of right calls of each class.
    """

    tested_on: str
    pictures: int
    accuracy: float
    majority: float
    balanced_accuracy: float
    chance: float
    recall: dict[str, float]

    @property
    def noise(self) -> float:
        """Standard error of a balanced accuracy at chance, if pictures were independent."""
        counts = self.pictures / max(1, len(self.recall))
        return float(np.sqrt(self.chance * (1 - self.chance) / counts / max(1, len(self.recall))))

    @property
    def is_above_chance(self) -> bool:
        """Ten points above a guess, and by more than the luck of the draw."""
        return self.balanced_accuracy - self.chance > max(0.1, 3 * self.noise)


def trials_of(
    splits: Sequence[str], labels: Sequence[str], groups: Sequence[str], seed: int
) -> Trials | None:
    """How to try a classifier on a data set; None where it has fewer than two classes to tell.

    What is in train teaches and each other split is called; folds are each called by the others;
    a data set without splits is cut into five parts, by group where it names groups, else at
    random.

    Args:
        splits: Of each picture.
        labels: Of each picture; those without one are left out.
        groups: Of each picture; empty where it has none.
        seed: Of the random parts.
    """
    rows = np.array([row for row, label in enumerate(labels) if label], np.int64)
    if len({labels[row] for row in rows}) < 2:
        return None
    of_row = np.array([splits[row] for row in rows])
    names = sorted(set(of_row))
    if "train" in names and len(names) > 1:
        learn = rows[of_row == "train"]
        others = [name for name in ("val", "test") if name in names]
        others += [name for name in names if name not in ("train", "val", "test")]
        trials = [Trial(name or "no split", learn, rows[of_row == name]) for name in others]
        return Trials(tuple(trials), "learnt on train")
    if len(names) > 1:
        trials = [Trial("all splits", rows[of_row != name], rows[of_row == name]) for name in names]
        return Trials(tuple(trials), "each split called by what was learnt on the others")
    return _parts(rows, labels, groups, seed)


def _parts(rows: Rows, labels: Sequence[str], groups: Sequence[str], seed: int) -> Trials | None:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    truth = [labels[row] for row in rows]
    if min(truth.count(label) for label in set(truth)) < _PARTS:
        return None
    if all(groups[row] for row in rows):
        of_group = [groups[row] for row in rows]
        cutter = StratifiedGroupKFold(_PARTS, shuffle=True, random_state=seed)
        parts = list(cutter.split(truth, truth, of_group))
        name, warning = "parts by group", ""
    else:
        parts = list(StratifiedKFold(_PARTS, shuffle=True, random_state=seed).split(truth, truth))
        name, warning = "random parts", OPTIMISTIC
    trials = tuple(Trial(name, rows[learn], rows[call]) for learn, call in parts)
    how = f"{_PARTS} {name}, each called by what was learnt on the others"
    return Trials(trials, how, warning)


def scores_of(
    features: Any, labels: Sequence[str], trials: Trials, classifier: Classifier
) -> tuple[Score, ...]:
    """One score for each name among the trials.

    Args:
        features: An array with one row per picture.
        labels: Class of each picture.
        trials: How to try.
        classifier: What to try.
    """
    truth = np.asarray(labels)
    calls: dict[str, list[tuple[Labels, Labels]]] = {}
    for trial in trials.trials:
        called = classifier(features[trial.learn], truth[trial.learn], features[trial.call])
        calls.setdefault(trial.name, []).append((truth[trial.call], called))
    return tuple(
        _score(name, np.concatenate([t for t, _ in parts]), np.concatenate([c for _, c in parts]))
        for name, parts in calls.items()
    )


def _score(name: str, truth: Labels, called: Labels) -> Score:
    classes = sorted(set(truth))
    right = truth == called
    recall = {label: float(right[truth == label].mean()) for label in classes}
    return Score(
        tested_on=name,
        pictures=len(truth),
        accuracy=float(right.mean()),
        majority=max(float((truth == label).mean()) for label in classes),
        balanced_accuracy=float(np.mean(list(recall.values()))),
        chance=1 / len(classes),
        recall=recall,
    )


def nearest_neighbour(learn: Floats, labels: Labels, call: Floats) -> Labels:
    """The class of the row that is nearest."""
    from sklearn.neighbors import KNeighborsClassifier

    return np.asarray(KNeighborsClassifier(1).fit(learn, labels).predict(call), np.str_)


def linear(learn: Floats, labels: Labels, call: Floats) -> Labels:
    """Linear discriminant analysis with shrinkage, all classes equally likely.

    Ledoit O, Wolf M. J Multivar Anal 2004;88(2):365-411.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    step = -(-len(learn) // _MOST_LEARNT)
    learn, labels = learn[::step], labels[::step]
    varies = learn.std(axis=0) > 1e-6
    if not varies.any():
        return np.full(len(call), labels[0])
    classes = len(set(labels))
    model = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )
    return np.asarray(model.fit(learn[:, varies], labels).predict(call[:, varies]), np.str_)


def commonest(learn: Labels, labels: Labels, call: Labels) -> Labels:
    """The class that has the largest share of its own pictures at this value.

    Values that were not seen get the commonest class of all.
    """
    names, sizes = np.unique(labels, return_counts=True)
    usual = names[int(np.argmax(sizes))]
    at_value = {}
    for value in np.unique(learn):
        shares = [np.sum(labels[learn == value] == name) for name in names] / sizes
        at_value[value] = names[int(np.argmax(shares))]
    return np.array([at_value.get(value, usual) for value in call], np.str_)
