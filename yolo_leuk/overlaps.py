"""Fields that overlap: the stage was moved, by up to most of a field, and some cells are in both.

Dark spots, mostly nuclei, are landmarks. What surrounds a landmark is compared with what surrounds
all others; where two agree, the two pictures are laid over each other by them, and what both show
must agree as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.thumbnail import SIDE_PX, Thumbnail, detail_of

# Looked at on real fields. What agrees by chance agrees the less, the more is shown: there, the
# correlation times the root of the shared part (of 1) stays below 0.325, while that of true
# overlaps begins at 0.33; and large parts that agree to less than 0.5 are merely blurred alike.
LEAST_CORRELATION = 0.5
_LEAST_EVIDENCE = 0.33

# Of a picture's landmarks the darkest: more find little more.
_LANDMARKS = 24
_EDGE_PX = 3
_REACH_PX = 7  # of what surrounds a landmark: 15×15 pixels of a thumbnail
_NUMBERS = 64  # that describe it: its leading principal components
_LEAST_LIKENESS = 0.7
_MOST_ALIKE = 5  # landmarks that one is laid over

# Single cells on black share their outline, and nothing of them is in another picture.
_LEAST_MEDIAN = 40

# Of a thumbnail that must be in both pictures.
_LEAST_OVERLAP = 0.2

# Landmarks lie within a pixel. An overlap that is a pixel off still agrees this much.
_LEAST_A_PIXEL_OFF = 0.3

_LEARNT_FROM = 2000  # pictures, for the principal components

# Rows and columns of the table of likenesses that are in memory at once: they fit the cache.
_ROWS, _COLUMNS = 512, 2048

_Floats = npt.NDArray[np.float32]
_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Overlap:
    """Two pictures that show one place.

    Attributes:
        first: Position of the one.
        second: Position of the other; larger.
        correlation: Of the detail of what both show, up to 1.
        shared: Part of a picture that is in the other one, up to 1.
    """

    first: int
    second: int
    correlation: float
    shared: float


def overlapping(thumbnails: Sequence[Thumbnail]) -> list[Overlap]:
    """Each two pictures of which at least a fifth shows the same, in order.

    Pictures that were turned or mirrored are not found here, nor single cells on black. The work
    grows with the square of the number of pictures: 1,000 take 1 s on one core.
    """
    places = [_landmarks(thumbnail) for thumbnail in thumbnails]
    if not any(len(some) for some in places):
        return []
    owner = np.repeat(np.arange(len(places)), [len(some) for some in places])
    looks = _described(thumbnails, places)
    at = np.concatenate(places)
    # Half the digits are enough, and half the memory.
    details = np.stack([detail_of(thumbnail).astype(np.float16) for thumbnail in thumbnails])
    found: dict[tuple[int, int], Overlap] = {}
    for one, other in _alike(looks, owner):
        pair = int(owner[one]), int(owner[other])
        if pair in found:
            continue
        y, x = (at[one] - at[other]).tolist()
        evident = _evident(details[pair[0]], details[pair[1]], y, x)
        if evident is not None:
            found[pair] = Overlap(*pair, *evident)
    return sorted(found.values())


def _landmarks(thumbnail: Thumbnail) -> _Indices:
    """(y, x) of the darkest spots, the darkest first, shape (n, 2)."""
    if np.median(thumbnail) < _LEAST_MEDIAN:
        return np.zeros((0, 2), np.int64)
    smooth = cv2.GaussianBlur(thumbnail, (0, 0), 2.0)
    is_spot = smooth == cv2.erode(smooth, np.ones((7, 7), np.uint8))
    inside = np.zeros_like(is_spot)
    inside[_EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX] = True
    y, x = np.nonzero(is_spot & inside)
    darkest = np.argsort(np.asarray(smooth)[y, x], kind="stable")[:_LANDMARKS]
    return np.stack([y, x], axis=1)[darkest].astype(np.int64)


def _described(thumbnails: Sequence[Thumbnail], places: Sequence[_Indices]) -> _Floats:
    """What surrounds each landmark, as a vector of length 1, shape (n, 64)."""
    basis = _basis(thumbnails, places)
    looks = np.concatenate(
        [_surroundings(*pair) @ basis for pair in zip(thumbnails, places, strict=True)]
    )
    length = np.linalg.norm(looks, axis=1, keepdims=True)
    return np.asarray(looks / np.maximum(length, 1e-6), np.float32)


def _basis(thumbnails: Sequence[Thumbnail], places: Sequence[_Indices]) -> _Floats:
    """Leading principal components of what surrounds landmarks, shape (225, 64)."""
    every = -(-len(thumbnails) // _LEARNT_FROM)
    learnt = np.concatenate(
        [_surroundings(*pair) for pair in zip(thumbnails[::every], places[::every], strict=True)]
    )
    _, directions = np.linalg.eigh(learnt.T @ learnt)
    return np.asarray(directions[:, -_NUMBERS:], np.float32)


def _surroundings(thumbnail: Thumbnail, places: _Indices) -> _Floats:
    """Detail around each landmark, less its mean, shape (n, 225); 0 beyond the picture."""
    rim = (_REACH_PX,) * 4
    padded = np.asarray(cv2.copyMakeBorder(detail_of(thumbnail), *rim, cv2.BORDER_CONSTANT))
    side = 2 * _REACH_PX + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    around = windows[places[:, 0], places[:, 1]].reshape(len(places), side * side)
    return np.asarray(around - around.mean(axis=1, keepdims=True), np.float32)


def _alike(looks: _Floats, owner: _Indices) -> Iterator[tuple[int, int]]:
    """For each landmark those of later pictures that look most like it, in order."""
    for start in range(0, len(looks), _ROWS):
        found = [_alike_in(looks, start, left) for left in range(start, len(looks), _COLUMNS)]
        rows, columns, likeness = (np.concatenate(parts) for parts in zip(*found, strict=True))
        later = owner[rows] < owner[columns]
        rows, columns, likeness = rows[later], columns[later], likeness[later]
        chosen = _largest_of_each_row(rows, likeness)
        rows, columns = rows[chosen], columns[chosen]
        order = np.lexsort((columns, rows))
        yield from zip(rows[order].tolist(), columns[order].tolist(), strict=True)


def _alike_in(looks: _Floats, start: int, left: int) -> tuple[_Indices, _Indices, _Floats]:
    """Rows and columns of a block of the table that are alike, and how much; each of shape (n,)."""
    likeness = looks[start : start + _ROWS] @ looks[left : left + _COLUMNS].T
    places = np.flatnonzero(likeness > _LEAST_LIKENESS)
    rows, columns = np.divmod(places, likeness.shape[1])
    return rows + start, columns + left, likeness.reshape(-1)[places]


def _largest_of_each_row(rows: _Indices, values: _Floats) -> _Indices:
    """Positions of the _MOST_ALIKE largest values of each row, or of all where there are fewer."""
    order = np.lexsort((-values, rows))
    _, first, inverse = np.unique(rows[order], return_index=True, return_inverse=True)
    rank = np.arange(len(order)) - first[inverse]
    return np.asarray(order[rank < _MOST_ALIKE], np.int64)


def _evident(
    one: npt.NDArray[np.float16], other: npt.NDArray[np.float16], y: int, x: int
) -> tuple[float, float] | None:
    """Correlation and size of what two details share, laid over each other; None if by chance.

    Args:
        one: Shape (64, 64).
        other: Shape (64, 64).
        y: Row of a point of ``one`` less the row of the same point of ``other``.
        x: Likewise, of the columns.
    """
    if _correlation(one, other, y, x) < _LEAST_A_PIXEL_OFF:
        return None
    for down in (0, -1, 1):
        for right in (0, -1, 1):
            correlation = _correlation(one, other, y + down, x + right)
            shared = _shared_part(y + down, x + right)
            evidence = correlation * float(np.sqrt(shared))
            if correlation >= LEAST_CORRELATION and evidence >= _LEAST_EVIDENCE:
                return correlation, shared
    return None


def _shared_part(y: int, x: int) -> float:
    """Of a thumbnail, when another one is laid over it with this shift; up to 1."""
    return max(0, SIDE_PX - abs(y)) * max(0, SIDE_PX - abs(x)) / SIDE_PX**2


def _correlation(
    one: npt.NDArray[np.float16], other: npt.NDArray[np.float16], y: int, x: int
) -> float:
    """Of the part that both show; 0 where it is small, or even."""
    if _shared_part(y, x) < _LEAST_OVERLAP:
        return 0.0
    height, width = SIDE_PX - abs(y), SIDE_PX - abs(x)
    top, left = max(0, y), max(0, x)
    part = one[top : top + height, left : left + width].astype(np.float32)
    top, left = max(0, -y), max(0, -x)
    same = other[top : top + height, left : left + width].astype(np.float32)
    # What mean() gives; it takes longer to call than to count.
    part -= np.add.reduce(part, axis=None) / part.size
    same -= np.add.reduce(same, axis=None) / same.size
    scale = float(np.sqrt(np.vdot(part, part) * np.vdot(same, same)))
    return float(np.vdot(part, same)) / scale if scale > 1.0 else 0.0
