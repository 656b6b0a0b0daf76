"""White cells in a field without boxes: masks by colour, touching cells separated, boxes.

Nuclei are the violet part of the stain; ``segmentation.py`` grows them to whole cells. The distance
transforms of both masks together say where cells have their middle: a cell with a lobed nucleus is
one by its outline, two cells that run into each other are two by their nuclei.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels
from yolo_leuk.prepare.white_cells.segmentation import cells_around
from yolo_leuk.prepare.white_cells.violet import Mask, disc, violet_mask
from yolo_leuk.records import Image

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class CellSizes:
    """What counts as a cell, in red-cell widths; one red cell is about 7.5 µm wide.

    Attributes:
        smallest: Diameter of a circle of the smallest cell's area (a pyknotic nucleus: 5 µm).
        largest: The same for the largest; more is a smudge or a clump.
        least_distance: Between the centres of two cells that touch.
        narrowest: What is narrower is no part of a cell: a red cell's rim, a bridge, a streak.
        least_solidity: Area of the cell over area of its convex hull.
        least_nucleus: Share of the cell that its nucleus covers; smudges have next to none.
    """

    smallest: float = 0.65
    largest: float = 3.0
    least_distance: float = 0.55
    narrowest: float = 0.5
    least_solidity: float = 0.8
    least_nucleus: float = 0.35


@dataclass(frozen=True)
class FoundCells:
    """Cells of one field.

    Attributes:
        xyxy: float32, shape (n, 4), in pixels.
        labels: int32, shape (height, width); 0 is background, i + 1 is the cell of row i.
        touches_border: bool, shape (n,).
    """

    xyxy: Floats
    labels: Labels
    touches_border: npt.NDArray[np.bool_]


# Between the middles of two cells the way leads through a neck; where it keeps more than this
# share of the lower middle's height, the two are one.
_NECK = 0.93


def find_cells(image: Image, px_per_rbc: float, sizes: CellSizes | None = None) -> FoundCells:
    """White cells of a field by their colour, found on the reduced field.

    Args:
        image: The field, with no scale bar left in it.
        px_per_rbc: Width of a red cell in pixels.
        sizes: What counts as a cell.
    """
    field, factor = pixels.reduced_field(image, px_per_rbc)
    scale = px_per_rbc / factor
    violet = violet_mask(field, scale)
    cells = cells_around(violet, field, scale)
    found = cells_from_mask(cells, scale, sizes, nuclei=violet)
    return found if factor == 1 else _enlarged(found, factor, image.shape[:2])


def cells_from_mask(
    mask: Mask, px_per_rbc: float, sizes: CellSizes | None = None, nuclei: Mask | None = None
) -> FoundCells:
    """Boxes of the cells in a mask; those that touch are separated first.

    Args:
        mask: White cells: not 0 there; shape (height, width).
        px_per_rbc: Width of a red cell in pixels.
        sizes: What counts as a cell.
        nuclei: The same of nuclei alone; None where the mask tells no more than cells.
    """
    sizes = sizes or CellSizes()
    nuclei = mask if nuclei is None else nuclei
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(int(sizes.narrowest * px_per_rbc) | 1))
    parts = separated(np.asarray(opened, np.uint8), sizes.least_distance * px_per_rbc, nuclei)
    labels = np.zeros(mask.shape, np.int32)
    boxes: list[tuple[int, int, int, int]] = []
    for part, x1, y1, x2, y2 in _windows(parts):
        window = np.s_[y1:y2, x1:x2]
        cell = parts[window] == part
        at_border = _touches_border((x1, y1, x2, y2), mask.shape)
        if _is_cell(cell, nuclei[window] > 0, at_border, px_per_rbc, sizes):
            boxes.append((x1, y1, x2, y2))
            labels[window][cell] = len(boxes)
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return FoundCells(xyxy, labels, np.array([_touches_border(b, mask.shape) for b in boxes], bool))


def separated(mask: Mask, least_distance_px: float, nuclei: Mask | None = None) -> Labels:
    """Label the parts of a mask; cells that touch become two parts.

    Seeds are the peaks of the smoothed height at least ``least_distance_px`` apart and with a neck
    between them; the height is how deep a pixel lies in its cell, and again in its nucleus. Within
    its connected component a pixel goes to the seed with the least power distance |p − c|² − r²,
    where r is the radius of the circle inscribed at the seed: for round cells the border runs
    through the two points where their outlines cross, as a watershed's should.
    """
    nuclei = mask if nuclei is None else nuclei
    depth = _depth(mask)
    height = depth + _depth(np.where(mask > 0, nuclei, np.uint8(0)))
    sigma = max(least_distance_px / 8, 0.8)
    smooth = np.asarray(cv2.GaussianBlur(height, (0, 0), sigma), np.float32)
    reach = 2 * round(least_distance_px / 2) + 1
    is_peak = (smooth >= cv2.dilate(smooth, disc(reach))) & (mask > 0)
    count, components, stats, _ = cv2.connectedComponentsWithStats(mask)
    centres, home = _peaks(is_peak, np.asarray(components, np.int32))
    parts = np.zeros(mask.shape, np.int32)
    for component in range(1, count):
        seeds = _with_necks_between(np.flatnonzero(home == component), centres, smooth)
        if seeds.size == 0:
            continue
        x1, y1, width, height_px = stats[component, : cv2.CC_STAT_AREA]
        window = np.s_[y1 : y1 + height_px, x1 : x1 + width]
        inside = components[window] == component
        if seeds.size == 1:
            parts[window][inside] = seeds[0] + 1
            continue
        x, y = (centres[seeds] - (x1, y1)).T
        at = np.rint(centres[seeds]).astype(np.intp)
        radius = depth[at[:, 1], at[:, 0]]
        rows, columns = np.nonzero(inside)
        power = (columns[:, None] - x) ** 2 + (rows[:, None] - y) ** 2 - radius**2
        parts[window][rows, columns] = seeds[np.argmin(power, axis=1)] + 1
    return parts


def _peaks(
    is_peak: npt.NDArray[np.bool_], components: Labels
) -> tuple[npt.NDArray[np.float64], Labels]:
    """Middle (x, y) of each peak, shape (n, 2), and the component that it lies in, shape (n,)."""
    _, labels = cv2.connectedComponents(is_peak.view(np.uint8))
    rows, columns = _places(is_peak)
    peak = labels[rows, columns] - 1
    area = np.bincount(peak)
    home = np.zeros(area.shape, np.int32)
    home[peak] = components[rows, columns]
    sums = np.stack([np.bincount(peak, columns), np.bincount(peak, rows)], axis=1)
    return sums / area[:, None], home


def _with_necks_between(
    seeds: npt.NDArray[np.intp], centres: npt.NDArray[np.float64], height: Floats
) -> npt.NDArray[np.intp]:
    """The seeds, highest first, less those that no neck parts from a higher one."""
    if seeds.size < 2:
        return seeds
    at = np.rint(centres[seeds]).astype(np.intp)
    top = height[at[:, 1], at[:, 0]]
    kept: list[int] = []
    for index in np.argsort(-top, kind="stable"):
        necks = [_lowest_between(centres[seeds[index]], centres[seeds[k]], height) for k in kept]
        if all(neck <= _NECK * top[index] for neck in necks):
            kept.append(int(index))
    return seeds[kept]


def _lowest_between(
    start_xy: npt.NDArray[np.float64], end_xy: npt.NDArray[np.float64], height: Floats
) -> float:
    steps = int(np.abs(end_xy - start_xy).max()) + 2
    x, y = np.rint(np.linspace(start_xy, end_xy, steps)).astype(np.intp).T
    return float(height[y, x].min())


def _is_cell(
    cell: npt.NDArray[np.bool_],
    nuclei: npt.NDArray[np.bool_],
    at_border: bool,
    px_per_rbc: float,
    sizes: CellSizes,
) -> bool:
    area = np.count_nonzero(cell)
    diameter = 2 * np.sqrt(area / np.pi) / px_per_rbc
    smallest = sizes.smallest * (0.7 if at_border else 1.0)
    return bool(
        smallest <= diameter <= sizes.largest
        and np.count_nonzero(nuclei & cell) >= sizes.least_nucleus * area
        and _solidity(cell) >= sizes.least_solidity
    )


def _solidity(part: npt.NDArray[np.bool_]) -> float:
    outline, _ = cv2.findContours(part.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(outline, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(largest))
    return cv2.contourArea(largest) / hull if hull > 0 else 0.0


def _depth(mask: Mask) -> Floats:
    """How far each pixel lies from the edge of a mask; the edge of the picture is none."""
    return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 5), np.float32)


def _windows(parts: Labels) -> list[tuple[int, int, int, int, int]]:
    """Each label with the corners x1, y1, x2, y2 of its pixels."""
    rows, columns = _places(parts > 0)
    of_pixel = parts[rows, columns]
    order = np.argsort(of_pixel, kind="stable")
    labels, starts = np.unique(of_pixel[order], return_index=True)
    if labels.size == 0:
        return []
    low_x, low_y = (np.minimum.reduceat(v[order], starts) for v in (columns, rows))
    high_x, high_y = (np.maximum.reduceat(v[order], starts) + 1 for v in (columns, rows))
    return list(zip(*(v.tolist() for v in (labels, low_x, low_y, high_x, high_y)), strict=True))


def _places(
    part: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns, as ``np.nonzero`` gives them, in a third of the time."""
    rows, columns = np.divmod(np.flatnonzero(part), part.shape[1])
    return rows, columns


def _touches_border(xyxy: tuple[int, int, int, int], shape_hw: tuple[int, ...]) -> bool:
    x1, y1, x2, y2 = xyxy
    return x1 == 0 or y1 == 0 or x2 == shape_hw[1] or y2 == shape_hw[0]


def _enlarged(found: FoundCells, factor: int, shape_hw: tuple[int, int]) -> FoundCells:
    """Cells of a reduced field in the field itself; a rest that filled no pixel has no cell."""
    labels = np.zeros(shape_hw, np.int32)
    large = found.labels.repeat(factor, axis=0).repeat(factor, axis=1)
    labels[: large.shape[0], : large.shape[1]] = large
    return FoundCells(found.xyxy * np.float32(factor), labels, found.touches_border)
