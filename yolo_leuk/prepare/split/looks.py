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
from yolo_leuk.prepare.white_cells.violet import disc, with_small_holes_filled
from yolo_leuk.records import Image
from yolo_leuk.thumbnail import Thumbnail, thumbnail_of

# Below this, the violet cluster is only the darker half of the red cells (levels of A − B).
_LEAST_CONTRAST = 14

# How far apart file numbers must be to count as one unit of colour distance.
_NUMBERS_PER_UNIT = 15.0
_NUMBER_LIMIT = 2.0

# Linkage needs memory by the square of what it links: of more than this (a power of two),
# neighbours are put together first.
_MOST_LINKED = 2048

_Floats = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.int64]
_Grey = npt.NDArray[np.uint8]


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
    """Measure a picture whose scale bar is already painted out, at about 20 px per red cell."""
    reduced, factor = pixels.reduced_field(image, px_per_rbc)
    lab = np.asarray(cv2.cvtColor(reduced, cv2.COLOR_RGB2LAB), np.uint8)
    lightness = np.ascontiguousarray(lab[..., 0])
    border = sum(_two_means(_histogram(lightness))) / 2
    stained = np.where(lightness < border, 255, 0).astype(np.uint8)
    nuclei = _nuclei(lab, stained, px_per_rbc / factor)
    parts = (~(stained | nuclei), nuclei, stained & ~nuclei)
    whole = np.full_like(stained, 255)
    colours = [_median_colour(lab, part if part.any() else whole) for part in parts]
    grey = np.asarray(cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY), np.uint8)
    return Look(np.concatenate(colours), thumbnail_of(grey))


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


# --- the look of one picture -------------------------------------------------------------------


def _nuclei(lab: _Grey, stained: _Grey, px_per_rbc: float) -> _Grey:
    """255 on nuclei and basophilic cytoplasm, 0 elsewhere.

    Empty where nothing is clearly more violet than the rest of what is stained. The rule is older
    than the mask that finds cells and stays as it is: a better one would move pictures to other
    groups, and with them the splits that models were trained on.
    """
    # Violet is high in A and low in B; red cells and pink smudges are not low in B.
    violet = np.clip(lab[..., 1].astype(np.int16) - lab[..., 2] + 128, 0, 255).astype(np.uint8)
    violet = np.asarray(cv2.GaussianBlur(violet, (0, 0), 0.8), np.uint8)
    low, high = _two_means(_histogram(violet, stained))
    if not high - low >= _LEAST_CONTRAST:
        return np.zeros(stained.shape, np.uint8)
    mask = np.where(violet > (low + high) / 2, 255, 0).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(3)), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(5)), np.uint8)
    return with_small_holes_filled(mask, (0.35 * px_per_rbc) ** 2)


def _median_colour(lab: _Grey, part: _Grey) -> _Floats:
    """Median of each channel over a part of the picture that is not empty, shape (3,)."""
    channels = (np.asarray(channel, np.uint8) for channel in cv2.split(lab))
    return np.array([_median(_histogram(channel, part)) for channel in channels])


def _median(histogram: _Floats) -> float:
    """As ``np.median`` gives it: half-way between the two middle values of an even number."""
    below = np.cumsum(histogram)
    count = int(below[-1])
    low, high = np.searchsorted(below, [(count - 1) // 2, count // 2], side="right")
    return float(low + high) / 2


def _histogram(values: _Grey, part: _Grey | None = None) -> _Floats:
    """How often each value stands in a channel, or where ``part`` is not 0; shape (256,)."""
    counts = cv2.calcHist([values], [0], part, [256], [0, 256])
    return np.asarray(counts, np.float64).reshape(-1)


def _two_means(histogram: _Floats) -> tuple[float, float]:
    """Centres of the two clusters of K-means (k = 2), by Lloyd's iteration from both ends.

    Both are the same where there is one value only, and NaN where there is none.
    """
    counts = np.cumsum(histogram)
    sums = np.cumsum(histogram * np.arange(256))
    present = np.flatnonzero(histogram)
    if not present.size:
        return np.nan, np.nan
    low, high = float(present[0]), float(present[-1])
    for _ in range(100):
        cut = int((low + high) / 2)
        if counts[cut] == counts[-1]:
            break
        moved = (
            float(sums[cut] / counts[cut]),
            float((sums[-1] - sums[cut]) / (counts[-1] - counts[cut])),
        )
        if moved == (low, high):
            break
        low, high = moved
    return low, high
