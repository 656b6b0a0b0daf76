"""White cells in a field without boxes: a mask by colour, touching cells separated, boxes.

Nuclei are the violet part of a Romanowsky stain. K-means with two clusters on the A channel of
LAB (on its 256-bin histogram: the same clusters as on the pixels) finds them, opening and closing
clean the mask, the distance transform and a watershed separate cells that touch.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.records import Image

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CellSizes:
    """What counts as a cell, in red-cell widths; one red cell is about 7.5 µm wide.

    Attributes:
        smallest: Diameter of a circle of the smallest cell's area (a pyknotic nucleus: 4 µm).
        largest: The same for the largest; more is a smudge or a clump.
        least_distance: Between the centres of two cells that touch.
        cytoplasm: How far a box reaches beyond the violet part on each side.
        least_solidity: Area of the cell over area of its convex hull.
    """

    smallest: float = 0.55
    largest: float = 3.0
    least_distance: float = 0.55
    cytoplasm: float = 0.06
    least_solidity: float = 0.8


@dataclass(frozen=True)
class FoundCells:
    """Cells of one field.

    Attributes:
        xyxy: float32, shape (n, 4), in pixels.
        labels: int32, shape (height, width); 0 is background, i + 1 is the cell of row i.
        touches_border: bool, shape (n,).
    """

    xyxy: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    touches_border: npt.NDArray[np.bool_]


def two_means_threshold(values: npt.NDArray[np.uint8]) -> float:
    """Border between the two clusters of K-means (k = 2) on a channel, by its histogram.

    Lloyd's iteration on 256 weighted points is exact and independent of the number of pixels.
    """
    weights = np.bincount(values.reshape(-1), minlength=256).astype(np.float64)
    levels = np.arange(256, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    for _ in range(100):
        border = (low + high) / 2
        below = levels <= border
        if weights[below].sum() == 0 or weights[~below].sum() == 0:
            break
        moved = (
            float(np.average(levels[below], weights=weights[below])),
            float(np.average(levels[~below], weights=weights[~below])),
        )
        if moved == (low, high):
            break
        low, high = moved
    return (low + high) / 2


def violet_mask(image: Image, px_per_rbc: float) -> Mask:
    """Nuclei and basophilic cytoplasm: 255 there, 0 elsewhere; shape (height, width).

    Empty where nothing in the picture is clearly more violet than its red cells.
    """
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    # Violet is high in A and low in B; red cells and pink smudges are not low in B.
    violet = np.clip(lab[..., 1].astype(np.int16) - lab[..., 2] + 128, 0, 255).astype(np.uint8)
    violet = np.asarray(cv2.GaussianBlur(violet, (0, 0), 0.8), np.uint8)
    # Glass covers most of a picture and would be a cluster of its own beside all cells.
    stained = lab[..., 0] < two_means_threshold(lab[..., 0])
    if not stained.any():
        return np.zeros(violet.shape, np.uint8)
    border = two_means_threshold(violet[stained])
    above = violet[stained & (violet > border)]
    if above.size == 0 or above.mean() - violet[stained & (violet <= border)].mean() < 14:
        return np.zeros(violet.shape, np.uint8)
    mask = np.where(violet > border, 255, 0).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(3))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(5))
    return _with_small_holes_filled(np.asarray(closed, np.uint8), (0.35 * px_per_rbc) ** 2)


def find_cells(image: Image, px_per_rbc: float, sizes: CellSizes | None = None) -> FoundCells:
    """White cells of a field by their colour.

    Args:
        image: The field.
        px_per_rbc: Width of a red cell in pixels.
        sizes: What counts as a cell.
    """
    return cells_from_mask(violet_mask(image, px_per_rbc), px_per_rbc, sizes or CellSizes())


def cells_from_mask(mask: Mask, px_per_rbc: float, sizes: CellSizes) -> FoundCells:
    """Boxes of the cells in a binary mask; those that touch are separated first."""
    parts = separated(mask, sizes.least_distance * px_per_rbc)
    labels = np.zeros(mask.shape, np.int32)
    boxes: list[tuple[float, float, float, float]] = []
    border: list[bool] = []
    margin = sizes.cytoplasm * px_per_rbc
    height, width = mask.shape
    for part in range(1, int(parts.max()) + 1):
        rows, columns = np.nonzero(parts == part)
        if rows.size == 0:
            continue
        x1, x2 = int(columns.min()), int(columns.max()) + 1
        y1, y2 = int(rows.min()), int(rows.max()) + 1
        at_border = x1 == 0 or y1 == 0 or x2 == width or y2 == height
        diameter = 2 * np.sqrt(rows.size / np.pi) / px_per_rbc
        smallest = sizes.smallest * (0.7 if at_border else 1.0)
        if not smallest <= diameter <= sizes.largest:
            continue
        if _solidity(parts[y1:y2, x1:x2] == part) < sizes.least_solidity:
            continue
        boxes.append(
            (
                max(x1 - margin, 0.0),
                max(y1 - margin, 0.0),
                min(x2 + margin, float(width)),
                min(y2 + margin, float(height)),
            )
        )
        border.append(at_border)
        labels[rows, columns] = len(boxes)
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return FoundCells(xyxy, labels, np.array(border, bool))


def separated(mask: Mask, least_distance_px: float) -> npt.NDArray[np.int32]:
    """Label the parts of a mask; cells that touch become two parts.

    Seeds are the peaks of the smoothed distance transform at least ``least_distance_px`` apart.
    Within its connected component a pixel goes to the seed with the least power distance
    |p − c|² − r², where r is the radius of the circle inscribed at the seed: for round cells the
    border runs through the two points where their outlines cross, as a watershed's should.
    """
    distance = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 5), np.float32)
    smooth = cv2.GaussianBlur(distance, (0, 0), max(least_distance_px / 8, 0.8))
    reach = 2 * round(least_distance_px / 2) + 1
    is_peak = (smooth >= cv2.dilate(smooth, _disc(reach))) & (mask > 0)
    _, peaks, _, centres = cv2.connectedComponentsWithStats(is_peak.astype(np.uint8))
    _, components = cv2.connectedComponents(mask)
    parts = np.zeros(mask.shape, np.int32)
    for component in range(1, int(components.max()) + 1):
        rows, columns = np.nonzero(components == component)
        seeds = np.unique(peaks[rows, columns])
        seeds = seeds[seeds > 0]
        if seeds.size == 0:
            continue
        x, y = centres[seeds].T
        radius = np.array([distance[peaks == seed].max() for seed in seeds])
        power = (columns[:, None] - x) ** 2 + (rows[:, None] - y) ** 2 - radius**2
        parts[rows, columns] = seeds[np.argmin(power, axis=1)]
    return parts


def _solidity(part: npt.NDArray[np.bool_]) -> float:
    outline, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(outline, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(largest))
    return cv2.contourArea(largest) / hull if hull > 0 else 0.0


def _with_small_holes_filled(mask: Mask, largest_px: float) -> Mask:
    """Fill the pale centre of a nucleus, but not the glass that a ring of cells encloses."""
    filled = mask.copy()
    _, parts, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(mask), connectivity=4)
    for part, row in enumerate(stats):
        if part > 0 and row[cv2.CC_STAT_AREA] <= largest_px:
            filled[parts == part] = 255
    return filled


def _disc(diameter: int) -> Mask:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)
