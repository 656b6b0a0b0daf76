"""Pictures that show the same without being the same: other size, other light, turned, moved.

Smears all look alike, and single cells on black even more so, and a perceptual hash of 64 bits
cannot tell them apart. So candidates come from whole spectra, measured against what is usual in
this data set, and each is checked by its detail.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Floats
from yolo_leuk.thumbnail import (
    HIGHEST,
    TURNS,
    Detail,
    Thumbnail,
    correlation,
    detail_of,
    spectra_of,
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
_DETAILS = 4096  # pictures whose detail is in memory at once: 64 MiB

# Turns that a spectrum can tell; each stands for itself and for the one that is 180° further.
_SPECTRAL_TURNS = np.array([0, 1, 4, 5])
_HALF_TURN = 3

_INVERSE = np.array([0, 1, 2, 3, 4, 6, 5, 7])  # of each turn

_Indices = npt.NDArray[np.int64]


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
    spectra: Sequence[Floats] | Floats,
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
    candidates = _candidates(_unusual(np.array(spectra, np.float32)), own, show)
    found = _correlations(thumbnails, candidates, workers)
    threshold = _threshold(found)
    pairs = [
        NearPair(first, second, round(value, 3), TURNS[turn])
        for (first, second, turn), value in zip(candidates.tolist(), found, strict=True)
        if value >= max(threshold, LEAST_TURNED_CORRELATION if turn else 0)
    ]
    pairs.sort(key=lambda pair: (-pair.correlation, pair.first, pair.second))
    # What is symmetric is found in more than one turn.
    once = {(pair.first, pair.second): pair for pair in reversed(pairs)}
    return NearPairs(tuple(reversed(once.values())), threshold, len(candidates))


def pairs_across(
    thumbnails: Sequence[Thumbnail], parts: Sequence[str], *, workers: int = 1
) -> list[tuple[int, int]]:
    """Pairs of pictures of different parts that show the same, neither turned nor mirrored.

    Args:
        thumbnails: Of all pictures.
        parts: Name of the part that each picture is in.
        workers: Threads.

    Returns:
        Pairs of positions in ``thumbnails``.
    """
    looks = _unit(_unusual(spectra_of(thumbnails)))
    candidates = _candidates_across(looks, np.unique(parts, return_inverse=True)[1])
    found = _correlations(thumbnails, np.pad(candidates, ((0, 0), (0, 1))), workers)
    is_same = np.array(found) >= _threshold(found)
    return [(first, second) for first, second in candidates[is_same].tolist()]


def _correlations(
    thumbnails: Sequence[Thumbnail], candidates: _Indices, workers: int
) -> list[float]:
    """Correlation of each two pictures, the second one turned."""
    found = np.zeros(len(candidates))
    block_of = candidates[:, 1] // _DETAILS
    with ThreadPoolExecutor(workers) as pool:  # OpenCV lets other threads run
        for block in np.unique(block_of):
            rows = np.flatnonzero(block_of == block)
            rows = rows[np.argsort(candidates[rows, 0], kind="stable")]
            shown = np.unique(candidates[rows, 1]).tolist()
            made = pool.map(lambda position: detail_of(thumbnails[position]), shown)
            details = dict(zip(shown, made, strict=True))
            parts = np.array_split(rows, workers)
            compare = functools.partial(_compared, thumbnails, details)
            values = pool.map(compare, [candidates[part] for part in parts])
            found[rows] = [value for of_part in values for value in of_part]
    return list(found.tolist())


def _compared(
    thumbnails: Sequence[Thumbnail], details: Mapping[int, Detail], candidates: _Indices
) -> list[float]:
    """Correlations of candidates in the order of their first pictures, whose details are made."""
    detail_of_first = functools.lru_cache(maxsize=1)(lambda first: detail_of(thumbnails[first]))
    return [
        correlation(detail_of_first(first), turned(details[second], turn))
        for first, second, turn in candidates.tolist()
    ]


def _candidates_across(looks: Floats, part: npt.NDArray[np.intp]) -> _Indices:
    """For each picture those most like it in later parts: position and position, shape (n, 2)."""
    found = [np.zeros((0, 2), np.int64)]
    for number in range(part.max()):
        rows, others = np.flatnonzero(part == number), np.flatnonzero(part > number)
        looks_of_others = looks[others].T
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            row, column = _largest(looks[block] @ looks_of_others).T
            found.append(np.stack([block[row], others[column]], axis=1))
    return np.concatenate(found)


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
    """Each strength as its deviation from the mean picture, in standard deviations, in place.

    Mean and deviation are over all turns of all pictures, so that a turned picture has the same
    deviations, turned.
    """
    spectra -= _over_all_turns(spectra.mean(axis=0))
    squares = np.einsum("nij,nij->ij", spectra, spectra) / len(spectra)
    spectra /= np.sqrt(_over_all_turns(squares)) + np.float32(1e-6)
    return spectra


def _over_all_turns(spectrum: Floats) -> Floats:
    """Mean of a spectrum, shape (21, 21), and its turns."""
    turns = [turned_spectrum(spectrum[None], turn)[0] for turn in _SPECTRAL_TURNS]
    return np.asarray(np.mean(turns, axis=0), np.float32)


def _candidates(looks: Floats, own: int, show: Callable[[int, str], None]) -> _Indices:
    """For each picture those most like it: two positions and a turn of the larger one, (n, 3)."""
    rows = _unit(looks[:own])
    turns = [_unit(turned_spectrum(looks, turn)) for turn in _SPECTRAL_TURNS.tolist()]
    found = []
    for start in range(0, own, _BLOCK):
        show(start, "comparing")
        block = rows[start : start + _BLOCK]
        for low, high in ((0, own), (own, len(looks))):
            if high == low:
                continue
            alike = np.stack([block @ turned_rows[low:high].T for turned_rows in turns])
            best = alike.max(axis=0)
            if low == 0:  # a picture is no candidate for itself
                best[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
            row, column = _largest(best).T
            turn = _SPECTRAL_TURNS[alike[:, row, column].argmax(axis=0)]
            found.append(np.stack([start + row, low + column, turn], axis=1))
    candidates = np.concatenate(found)
    one, other, turn = np.concatenate([candidates, candidates ^ (0, 0, _HALF_TURN)]).T
    turn = np.where(one < other, turn, _INVERSE[turn])
    pairs = np.stack([np.minimum(one, other), np.maximum(one, other), turn], axis=1)
    return np.unique(pairs[one != other], axis=0)


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
