"""Pictures that show the same without being the same: other size, other light, turned, moved.

Smears all look alike, and single cells on black even more so. So candidates come from the lowest
frequencies, measured against what is usual in this data set, and each is checked by its detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.audit.thumbnail import TURNS, Thumbnail, correlation, turned, turned_coefficients
from yolo_leuk.records import Floats

# Each picture is compared in detail with so many that look most like it.
CANDIDATES = 5

# On fields and on crops of fields, candidates that show different things stay below 0.53; views
# of the same field, moved or out of focus, begin at 0.5.
LEAST_CORRELATION = 0.55
# Smooth round cells on black reach 0.86 with each other.
MOST_CORRELATION = 0.87

_BLOCK = 64  # rows of the table of similarities that are in memory at once

_INVERSE = {turn: {5: 6, 6: 5}.get(turn, turn) for turn in range(len(TURNS))}


@dataclass(frozen=True)
class NearPair:
    """Two pictures that show the same.

    Attributes:
        first: Position of the one.
        second: Position of the other; larger.
        correlation: Of their detail, up to 1.
        turn: What has to be done to one to get the other; one of TURNS.
    """

    first: int
    second: int
    correlation: float
    turn: str


@dataclass(frozen=True)
class NearPairs:
    """Pairs, the most alike first, and how alike two pictures had to be.

    Attributes:
        pairs: The pairs.
        threshold: Least correlation of a pair.
        compared: Number of pairs that were compared in detail.
    """

    pairs: tuple[NearPair, ...]
    threshold: float
    compared: int


def near_pairs(
    thumbnails: Sequence[Thumbnail],
    coefficients: Sequence[Floats],
    own: int,
    *,
    workers: int,
    show: Callable[[int, str], None] = lambda _done, _name: None,
) -> NearPairs:
    """Pairs of pictures that show the same, whatever was done to size, file format or light.

    Args:
        thumbnails: Of the data set, followed by those of the one that it is compared with.
        coefficients: Of the same pictures.
        own: How many are of the data set; pairs among the others are not looked for.
        workers: Threads.
        show: Told how many pictures are done.

    Returns:
        Pairs of positions in ``thumbnails``. Also found: mirrored and turned pictures, and fields
        that were moved by up to an eighth of their width.
    """
    if not own:
        return NearPairs((), LEAST_CORRELATION, 0)
    candidates = sorted(set(_candidates(_unusual(np.stack(coefficients)), own, show)))

    def compared(candidate: tuple[int, int, int]) -> float:
        first, second, turn = candidate
        return correlation(thumbnails[first], turned(thumbnails[second], turn))

    with ThreadPoolExecutor(workers) as pool:  # OpenCV lets other threads run
        found = list(pool.map(compared, candidates))
    threshold = _threshold(found)
    pairs = [
        NearPair(first, second, round(value, 3), TURNS[turn])
        for (first, second, turn), value in zip(candidates, found, strict=True)
        if value >= threshold
    ]
    pairs.sort(key=lambda pair: (-pair.correlation, pair.first, pair.second))
    return NearPairs(tuple(pairs), threshold, len(candidates))


def _threshold(found: Sequence[float]) -> float:
    """How alike two pictures of this data set must be to be called the same.

    Most candidates only look alike, so their median and upper quartile tell what that means here.
    """
    if not found:
        return LEAST_CORRELATION
    median, upper = np.quantile(found, [0.5, 0.75])
    usual = median + 6 * (upper - median)
    return round(float(np.clip(usual, LEAST_CORRELATION, MOST_CORRELATION)), 2)


def _unusual(coefficients: Floats) -> Floats:
    """Each coefficient as its deviation from the mean picture, in standard deviations.

    Mean and deviation are over all eight turns of all pictures, so that a turned picture has the
    same deviations, turned.
    """
    turns = range(len(TURNS))
    mean = np.mean([turned_coefficients(coefficients, t).mean(axis=0) for t in turns], axis=0)
    away = coefficients - mean.astype(np.float32)
    squares = [np.square(turned_coefficients(away, t)).mean(axis=0) for t in turns]
    spread = np.sqrt(np.mean(squares, axis=0))
    away = away / np.maximum(spread, 1e-3 * spread.max() + 1e-6).astype(np.float32)
    away[:, 0, 0] = 0  # brightness may differ
    return np.asarray(away, np.float32)


def _candidates(
    looks: Floats, own: int, show: Callable[[int, str], None]
) -> Iterator[tuple[int, int, int]]:
    """For each picture those most like it: (position, larger position, turn of the latter)."""
    rows = _unit(looks[:own])
    turns = [_unit(turned_coefficients(looks, turn)) for turn in range(len(TURNS))]
    for start in range(0, own, _BLOCK):
        show(start, "comparing")
        block = rows[start : start + _BLOCK]
        for low, high in ((0, own), (own, len(looks))):
            if high == low:
                continue
            alike = np.stack([block @ turned_rows[low:high].T for turned_rows in turns])
            turn, best = alike.argmax(axis=0), alike.max(axis=0)
            if low == 0:  # a picture is no candidate for itself
                best[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
            for row, column in _largest(best):
                one, other = start + int(row), low + int(column)
                how = int(turn[row, column])
                if one < other:
                    yield one, other, how
                elif one > other:
                    yield other, one, _INVERSE[how]


def _largest(table: Floats) -> npt.NDArray[np.intp]:
    """(row, column) of the CANDIDATES largest values of each row, shape (n, 2)."""
    count = min(CANDIDATES, table.shape[1])
    columns = np.argpartition(-table, count - 1, axis=1)[:, :count]
    return np.stack([np.repeat(np.arange(len(table)), count), columns.reshape(-1)], axis=1)


def _unit(looks: Floats) -> Floats:
    """Each look as a vector of length 1, shape (n, 100); zeros where there is nothing to see."""
    flat = looks.reshape(len(looks), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.ascontiguousarray(flat / np.maximum(length, 1e-6), np.float32)
