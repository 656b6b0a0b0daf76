"""Pictures that show the same without being the same: other size, other light, turned, moved.

Smears all look alike, and single cells on black even more so, and a perceptual hash of 64 bits
cannot tell them apart. So candidates come from whole spectra, measured against what is usual in
this data set, and each is checked by its detail.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats
from yolo_leuk.thumbnail import (
    HIGHEST,
    TURNS,
    Thumbnail,
    correlation,
    detail_of,
    spectrum_of,
    turned,
    turned_spectrum,
)

# Each picture is compared in detail with so many that look most like it.
CANDIDATES = 5

# Looked at on real pictures: what shows different things stays below 0.41 on fields of many cells
# and below 0.56 where one cell lies in the middle; views of one field begin at 0.59.
LEAST_CORRELATION = 0.55
# A slide is not laid under the microscope turned by 90°: turned copies are made by programs, and
# agree well, while by chance some turn of two pictures reaches 0.68.
LEAST_TURNED_CORRELATION = 0.75
# Smooth round cells on black reach 0.86 with each other.
MOST_CORRELATION = 0.87

_BLOCK = 64  # rows of the table of similarities that are in memory at once
_CHUNK = 256  # pairs that go to a thread at once

# Turns that a spectrum can tell; each stands for itself and for the one that is 180° further.
_SPECTRAL_TURNS = (0, 1, 4, 5)
_HALF_TURN = 3

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
    spectra: Sequence[Floats],
    own: int,
    *,
    workers: int,
    show: Callable[[int, str], None] = lambda _done, _name: None,
) -> NearPairs:
    """Pairs of pictures that show the same, whatever was done to size, file format or light.

    Args:
        thumbnails: Of the data set, followed by those of the one that it is compared with.
        spectra: Of the same pictures.
        own: How many are of the data set; pairs among the others are not looked for.
        workers: Threads.
        show: Told how many pictures are done.

    Returns:
        Pairs of positions in ``thumbnails``. Also found: mirrored and turned pictures, and fields
        that were moved by up to a fifth of their width.
    """
    if not own:
        return NearPairs((), LEAST_CORRELATION, 0)
    candidates = sorted(set(_candidates(_unusual(np.stack(spectra)), own, show)))

    def compared(start: int) -> list[float]:
        # Neighbours in the list share pictures; the details of all pictures would fill the memory.
        detail = functools.cache(lambda position: detail_of(thumbnails[position]))
        return [
            correlation(detail(first), turned(detail(second), turn))
            for first, second, turn in candidates[start : start + _CHUNK]
        ]

    with ThreadPoolExecutor(workers) as pool:  # OpenCV lets other threads run
        parts = pool.map(compared, range(0, len(candidates), _CHUNK))
        found = [value for part in parts for value in part]
    threshold = _threshold(found)
    pairs = [
        NearPair(first, second, round(value, 3), TURNS[turn])
        for (first, second, turn), value in zip(candidates, found, strict=True)
        if value >= max(threshold, LEAST_TURNED_CORRELATION if turn else 0)
    ]
    pairs.sort(key=lambda pair: (-pair.correlation, pair.first, pair.second))
    # What is symmetric is found in more than one turn.
    once = {(pair.first, pair.second): pair for pair in reversed(pairs)}
    return NearPairs(tuple(reversed(once.values())), threshold, len(candidates))


def pairs_across(thumbnails: Sequence[Thumbnail], parts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of pictures of different parts that show the same, neither turned nor mirrored.

    Args:
        thumbnails: Of all pictures.
        parts: Name of the part that each picture is in.

    Returns:
        Pairs of positions in ``thumbnails``.
    """
    looks = _unit(_unusual(np.stack([spectrum_of(thumbnail) for thumbnail in thumbnails])))
    detail = functools.lru_cache(maxsize=_CHUNK)(lambda position: detail_of(thumbnails[position]))
    candidates = list(_candidates_across(looks, np.unique(parts, return_inverse=True)[1]))
    found = [correlation(detail(first), detail(second)) for first, second in candidates]
    threshold = _threshold(found)
    return [pair for pair, value in zip(candidates, found, strict=True) if value >= threshold]


def _candidates_across(looks: Floats, part: npt.NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """For each picture those most like it in later parts."""
    for number in range(part.max()):
        rows, others = np.flatnonzero(part == number), np.flatnonzero(part > number)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            for row, column in _largest(looks[block] @ looks[others].T):
                yield int(block[row]), int(others[column])


def _threshold(found: Sequence[float]) -> float:
    """How alike two pictures of this data set must be to be called the same.

    Most candidates only look alike, so their median and upper quartile tell what that means here.
    """
    if not found:
        return LEAST_CORRELATION
    median, upper = np.quantile(found, [0.5, 0.75])
    usual = median + 6 * (upper - median)
    return round(float(np.clip(usual, LEAST_CORRELATION, MOST_CORRELATION)), 2)


def _unusual(spectra: Floats) -> Floats:
    """Each strength as its deviation from the mean picture, in standard deviations.

    Mean and deviation are over all turns of all pictures, so that a turned picture has the same
    deviations, turned.
    """
    mean = np.mean([turned_spectrum(spectra, t).mean(axis=0) for t in _SPECTRAL_TURNS], axis=0)
    away = spectra - mean.astype(np.float32)
    squares = [np.square(turned_spectrum(away, t)).mean(axis=0) for t in _SPECTRAL_TURNS]
    spread = np.sqrt(np.mean(squares, axis=0)).astype(np.float32)
    return np.asarray(away / (spread + 1e-6), np.float32)


def _candidates(
    looks: Floats, own: int, show: Callable[[int, str], None]
) -> Iterator[tuple[int, int, int]]:
    """For each picture those most like it: (position, larger position, turn of the latter)."""
    rows = _unit(looks[:own])
    turns = [_unit(turned_spectrum(looks, turn)) for turn in _SPECTRAL_TURNS]
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
                for half in (0, _HALF_TURN):
                    how = _SPECTRAL_TURNS[turn[row, column]] ^ half
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
    """Each look as a vector of length 1, shape (n, 231); the rest of a spectrum mirrors this."""
    flat = looks[:, HIGHEST:].reshape(len(looks), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.ascontiguousarray(flat / np.maximum(length, 1e-6), np.float32)
