"""What a picture looks like: which pictures show the same field, and which seem to be of one slide.

A slide has its own stain and light, and its pictures were numbered one after the other. So
pictures of one class are joined by average linkage on the colours of background, nuclei and red
cells together with their distance in file number. Near-duplicates are always together. This is no
patient identity: figures on such groups stay optimistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels
from yolo_leuk.prepare.white_cells.violet import (
    LEAST_CONTRAST,
    histogram,
    two_means,
    two_means_threshold,
)
from yolo_leuk.records import Image
from yolo_leuk.thumbnail import Thumbnail, thumbnail_of

# How far apart file numbers must be to count as one unit of colour distance.
_NUMBERS_PER_UNIT = 15.0
_NUMBER_LIMIT = 2.0

# Linkage needs memory by the square of what it links: of more than this (a power of two),
# neighbours are put together first.
_MOST_LINKED = 2048

_Floats = npt.NDArray[np.float64]
_Grey = npt.NDArray[np.uint8]
_Part = npt.NDArray[np.bool_]
_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Look:
    """What a picture looks like, for grouping.

    Attributes:
        colours: Median LAB of background, nuclei and red cells, float64, shape (9,).
        thumbnail: Grey, uint8, shape (64, 64).
    """

    colours: _Floats
    thumbnail: Thumbnail


def look_of(image: Image, px_per_rbc: float) -> Look:
    """Measure a picture whose scale bar is already painted out."""
    field, _ = pixels.reduced_field(image, px_per_rbc)
    grey = np.asarray(cv2.cvtColor(field, cv2.COLOR_RGB2GRAY), np.uint8)
    # Medians of colours need no more than 10 px per red cell.
    small = cv2.resize(field, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return Look(_colours(np.asarray(small, np.uint8)), thumbnail_of(grey))


def pieces_of(pairs: Sequence[tuple[int, int]], count: int) -> _Indices:
    """Piece of each of ``count`` pictures, numbered in order of appearance, shape (n,).

    A pair is one piece, and so is a chain of pairs.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return _renumbered(connected_components(graph, directed=False)[1])


def group_by_look(
    looks: Sequence[Look],
    numbers: Sequence[int | None],
    group_count: int,
    pieces: _Indices,
) -> _Indices:
    """Group the pictures of one class.

    Args:
        looks: One per picture.
        numbers: File number of each picture; None where it has none.
        group_count: At most this many groups come out.
        pieces: What must stay together, shape (n,).

    Returns:
        Group number of each picture, counted from 0 in order of appearance, shape (n,).
    """
    pieces = _renumbered(pieces)
    if int(pieces.max()) < group_count:
        return pieces
    spread = _spread(looks)
    spots = _spots(looks, numbers, pieces, spread)
    if len(spots.numbers) > _MOST_LINKED:
        pieces = _neighbourhoods(spots)[pieces]
        spots = _spots(looks, numbers, pieces, spread)
    return _renumbered(_linked(spots, group_count)[pieces])


def join_nearest(
    looks: Sequence[Look],
    numbers: Sequence[int | None],
    groups: Sequence[str | None],
    pieces: _Indices,
) -> list[str]:
    """Group of each picture of one class of which some have theirs already.

    A picture without a group goes along with its piece; a piece of which no picture has one joins
    the group whose centre is the nearest in colour and file number.

    Args:
        looks: One per picture.
        numbers: File number of each picture; None where it has none.
        groups: Group of each picture, or None; at least one of them has one.
        pieces: What must stay together, shape (n,).
    """
    from scipy.spatial.distance import cdist

    pieces = _renumbered(pieces)
    known = [row for row, group in enumerate(groups) if group is not None]
    names, homes = np.unique([str(groups[row]) for row in known], return_inverse=True)
    spread = _spread(looks)
    centres = _spots([looks[r] for r in known], [numbers[r] for r in known], homes, spread)
    spots = _spots(looks, numbers, pieces, spread)
    apart = _apart(
        cdist(spots.colours, centres.colours),
        cdist(spots.numbers[:, None], centres.numbers[:, None]),
    )
    home_of_piece = apart.argmin(axis=1)
    # Backwards, so that of a piece with several groups the first one counts.
    home_of_piece[pieces[known][::-1]] = homes[::-1]
    joined = (str(names[home]) for home in home_of_piece[pieces])
    return [group or other for group, other in zip(groups, joined, strict=True)]


@dataclass(frozen=True)
class _Spots:
    """Where pieces or groups lie.

    Attributes:
        colours: Mean colours in units of their spread, float64, shape (n, 9).
        numbers: Mean file numbers, float64, shape (n,); NaN where there is none.
    """

    colours: _Floats
    numbers: _Floats


def _spots(
    looks: Sequence[Look], numbers: Sequence[int | None], members: _Indices, spread: _Floats
) -> _Spots:
    colours = np.array([look.colours for look in looks])
    number = np.array([np.nan if n is None else float(n) for n in numbers])
    size = np.bincount(members)
    means = [np.bincount(members, channel) / size for channel in colours.T]
    has_number = ~np.isnan(number)
    numbered = np.bincount(members[has_number], minlength=len(size))
    total = np.bincount(members[has_number], number[has_number], minlength=len(size))
    mean = np.divide(total, numbered, out=np.full(len(size), np.nan), where=numbered > 0)
    return _Spots(np.stack(means, axis=1) / spread, mean)


def _spread(looks: Sequence[Look]) -> _Floats:
    """Unit of each colour, shape (9,)."""
    spread = np.array([look.colours for look in looks]).std(axis=0)
    return np.asarray(np.maximum(spread, 1.0), np.float64)


def _apart(colours: _Floats, numbers: _Floats) -> _Floats:
    """Distance from those of colours and of numbers; a missing number is as far as can be."""
    units = np.nan_to_num(numbers / _NUMBERS_PER_UNIT, nan=_NUMBER_LIMIT)
    return np.asarray(colours / np.sqrt(9) + np.minimum(units, _NUMBER_LIMIT), np.float64)


def _linked(spots: _Spots, group_count: int) -> _Indices:
    """Group of each spot by average linkage."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    apart = _apart(pdist(spots.colours), pdist(spots.numbers[:, None]))
    tree = linkage(apart, method="average")
    return np.asarray(fcluster(tree, t=group_count, criterion="maxclust"), np.int64)


def _neighbourhoods(spots: _Spots) -> _Indices:
    """Spots halved at the median of what they differ in most, and again, to ``_MOST_LINKED``."""
    numbers = np.nan_to_num(spots.numbers / _NUMBERS_PER_UNIT)
    points = np.column_stack([spots.colours / np.sqrt(9), numbers])
    boxes = [np.arange(len(points))]
    while len(boxes) < _MOST_LINKED:
        boxes = [half for box in boxes for half in _halves(points, box)]
    neighbourhood = np.zeros(len(points), np.int64)
    for number, box in enumerate(boxes):
        neighbourhood[box] = number
    return neighbourhood


def _halves(points: _Floats, box: _Indices) -> tuple[_Indices, _Indices]:
    widest = int(np.ptp(points[box], axis=0).argmax())
    order = box[np.argsort(points[box, widest], kind="stable")]
    return order[: len(order) // 2], order[len(order) // 2 :]


def _renumbered(groups: _Indices) -> _Indices:
    """The same groups, counted from 0 in order of appearance."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return np.asarray(order[inverse], np.int64)


# --- the colours of one picture ----------------------------------------------------------------


def _colours(image: Image) -> _Floats:
    """Median LAB of background, nuclei and red cells, shape (9,).

    A part that is not there has the median of the whole picture.
    """
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    lightness, a, b = (np.asarray(channel, np.uint8) for channel in cv2.split(lab))
    stained = lightness < two_means_threshold(lightness)
    nuclei = _nuclei(a, b, stained)
    part = np.where(nuclei, np.uint8(1), np.where(stained, np.uint8(2), np.uint8(0)))
    counts = np.stack([_histograms(part, channel) for channel in (lightness, a, b)], axis=1)
    whole = counts.sum(axis=0)
    return np.array(
        [
            _median(channel)
            for of_part in counts
            for channel in (of_part if of_part.any() else whole)
        ]
    )


def _histograms(part: _Grey, channel: _Grey) -> _Indices:
    """How often each value stands in each of the three parts, shape (3, 256)."""
    counts = cv2.calcHist([part, channel], [0, 1], None, [3, 256], [0, 3, 0, 256])
    return np.asarray(counts, np.int64)


def _nuclei(a: _Grey, b: _Grey, stained: _Part) -> _Part:
    """Empty where nothing is clearly more violet than the rest of what is stained."""
    if not stained.any():
        return stained
    # Violet is high in A and low in B; red cells and pink smudges are not low in B.
    violet = np.asarray(cv2.addWeighted(a, 1, b, -1, 128), np.uint8)
    low, high = two_means(histogram(violet, stained))
    return np.asarray((violet > (low + high) / 2) & (high - low >= LEAST_CONTRAST))


def _median(counts: npt.NDArray[np.int64]) -> float:
    """As ``np.median`` gives it: half-way between the two middle values of an even number.

    Args:
        counts: How often each value stands there, shape (256,).
    """
    below = np.cumsum(counts)
    count = int(below[-1])
    low, high = np.searchsorted(below, [(count - 1) // 2, count // 2], side="right")
    return float(low + high) / 2
