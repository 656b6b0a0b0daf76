"""Masks of white cells where a source has none: by what the stains absorb, or as two studies did.

Our recipe reads colours as optical densities, in which amounts of stain add up (Beer–Lambert law).
Haemoglobin absorbs blue light (its Soret band lies at 415 nm); the dyes of nuclei and of cytoplasm
let most of it through. So each picture's density is split into two parts, along the hue of its own
nuclei and along that of its own red cells, and whatever owes enough of itself to the first belongs
to a white cell, pale cytoplasm included. Two means on the density within a cell give its nucleus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.white_cells.violet import (
    Counts,
    Mask,
    disc,
    histogram,
    two_means,
    two_means_threshold,
    violet_mask,
    with_small_holes_filled,
)
from yolo_leuk.records import Image

Recipe = Literal["stains", "kmeans", "hsv"]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

# Lengths are in red-cell widths, densities in natural logarithms. All were chosen on the odd half
# of cellavision-masks; the figures are of the other half.
_BLUR = 0.04
_STAINED = 0.07
_WHITE_SHARE = 0.32
_OPENING = 0.2
_LARGEST_HOLE = 0.35
_SMALLEST_NUCLEUS = 0.3

# Red cells are looked for beyond a white cell's usual reach around its nucleus, among pixels dense
# enough to have a hue; they must fill some area, and be yellower than nuclei (blue over green)
# where they do not fill much.
_BEYOND_CYTOPLASM = 1.0
_HAS_HUE = 0.1
_RED_CELL_AREA = 0.4
_MUCH_RED_CELL_AREA = 6.0
_YELLOWER = 0.12

# Hue of red cells where a picture shows too few: the median of cellavision-masks (odd half).
_RED_CELL_HUE = (0.40, 0.80, 0.45)

# A cell whose paler part is denser than this share of its darker part is all nucleus, as many
# blasts are: the two means have only split its chromatin.
_ALL_NUCLEUS = 0.5


@dataclass(frozen=True)
class WhiteCells:
    """White cells of a picture; uint8, 255 there and 0 elsewhere, shape (height, width).

    Attributes:
        cells: Nucleus and cytoplasm.
        nuclei: The nuclei alone; a part of ``cells``.
    """

    cells: Mask
    nuclei: Mask


def computed_mask(image: Image, px_per_rbc: float, recipe: Recipe) -> Mask:
    """White cells of a picture: 255 there, 0 elsewhere; shape (height, width).

    Args:
        image: The picture, with no scale bar left in it.
        px_per_rbc: Width of a red cell in pixels; only ``stains`` needs it.
        recipe: ``stains`` is ours, ``kmeans`` and ``hsv`` are those of two studies.

    Raises:
        DataError: The recipe is none of these.
    """
    if recipe == "stains":
        return white_cells(image, px_per_rbc).cells
    published: dict[str, Callable[[Image], Mask]] = {"kmeans": mask_by_kmeans, "hsv": mask_by_hsv}
    if recipe not in published:
        raise DataError(f"expected the recipe stains, kmeans or hsv for masks, got {recipe!r}")
    return published[recipe](image)


def white_cells(image: Image, px_per_rbc: float) -> WhiteCells:
    """White cells of a picture by what their stains absorb.

    Cells are outlined on the reduced field (:func:`pixels.reduced_field`), nuclei at the picture's
    own sharpness. Both are empty where nothing is clearly more violet than the red cells.

    Args:
        image: The picture, with no scale bar left in it.
        px_per_rbc: Width of a red cell in pixels.
    """
    field, factor = pixels.reduced_field(image, px_per_rbc)
    scale = px_per_rbc / factor
    cells = cells_around(violet_mask(field, scale), field, scale)
    if factor > 1:
        cells = _enlarged(cells, factor, image.shape[:2])
    return WhiteCells(cells, _nuclei_in(cells, image, glass_colour(field), px_per_rbc))


def cells_around(violet: Mask, field: Image, px_per_rbc: float) -> Mask:
    """Nuclei grown to whole cells: what is stained like them and hangs together with one.

    Args:
        violet: Nuclei, as :func:`violet_mask` finds them.
        field: The picture, with no scale bar left in it.
        px_per_rbc: Width of a red cell in pixels of ``field``.

    Returns:
        255 there, 0 elsewhere; uint8, shape (height, width).
    """
    if not violet.any():
        return np.zeros(violet.shape, np.uint8)
    density = _optical_density(field, glass_colour(field), _BLUR * px_per_rbc)
    red, green, blue = cv2.split(density)
    both = red + green
    is_stained = both > 2 * _STAINED
    has_hue = both + blue > 3 * _HAS_HUE
    is_white = _white_share(density, violet > 0, has_hue, px_per_rbc) > _WHITE_SHARE
    nuclei = np.where(is_white, violet, np.uint8(0))
    mask = np.where(is_stained & is_white, np.uint8(255), nuclei)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(int(_OPENING * px_per_rbc) | 1))
    whole = np.maximum(np.asarray(opened, np.uint8), nuclei)
    filled = with_small_holes_filled(whole, (_LARGEST_HOLE * px_per_rbc) ** 2)
    count, parts = cv2.connectedComponents(filled)
    nucleus_px = np.bincount(parts[nuclei > 0], minlength=count)
    has_nucleus = nucleus_px >= (_SMALLEST_NUCLEUS * px_per_rbc) ** 2
    return np.where(has_nucleus[parts], filled, np.uint8(0))


def middle_cell(cells: WhiteCells, px_per_rbc: float) -> WhiteCells:
    """Only the cell whose nucleus is nearest to the middle, of a picture that shows one cell.

    Its other nuclei or lobes stay, and so does what touches it.
    """
    height, width = cells.nuclei.shape
    _, _, stats, centres = cv2.connectedComponentsWithStats(cells.nuclei)
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= (_SMALLEST_NUCLEUS * px_per_rbc) ** 2)
    large = large[large > 0]
    if large.size == 0:
        return cells
    from_middle = ((centres[large] - (width / 2, height / 2)) ** 2).sum(axis=1)
    nearest = large[np.argmin(from_middle)]
    _, nuclei = cv2.connectedComponents(cells.nuclei)
    _, parts = cv2.connectedComponents(cells.cells)
    chosen = parts == np.bincount(parts[nuclei == nearest]).argmax()
    return WhiteCells(
        np.where(chosen, cells.cells, 0).astype(np.uint8),
        np.where(chosen, cells.nuclei, 0).astype(np.uint8),
    )


def glass_colour(image: Image) -> tuple[int, int, int]:
    """Median colour of the most frequent brightness in the lightest part of a smear.

    Two means part the nuclei from the rest, and two more the red cells from the glass. Not
    :func:`pixels.background_colour`: where red cells crowd, their brightness is the most frequent.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    lightest = _lighter_cluster(_lighter_cluster(histogram(grey)))
    peak = int(np.argmax(np.convolve(lightest, np.ones(5), "same")))
    near_peak = cv2.inRange(grey, np.array([peak - 4.0]), np.array([peak + 4.0])) > 0
    red, green, blue = (int(v) for v in _median(_some_where(near_peak, image)))
    return red, green, blue


def _lighter_cluster(counts: Counts) -> Counts:
    """A histogram without the darker of its two clusters."""
    border = sum(two_means(counts)) / 2
    return np.where(np.arange(256) >= border, counts, 0)


# --- the recipes of two studies ----------------------------------------------------------------


def mask_by_kmeans(image: Image) -> Mask:
    """K-means (k = 2) on the A channel of LAB, opening 3×3, closing 7×7.

    The clusters are found on the histogram of the channel: the same ones at a quarter of the cost.
    """
    a = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)[..., 1]
    mask = np.where(a > two_means_threshold(a), 255, 0).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    return np.asarray(closed, np.uint8)


def mask_by_hsv(image: Image) -> Mask:
    """Hue 0.7–0.8, saturation at least 0.5, value at least 0.4, each of 0–1."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, saturation, value = hsv[..., 0] / 360, hsv[..., 1], hsv[..., 2]
    inside = (hue >= 0.7) & (hue <= 0.8) & (saturation >= 0.5) & (value >= 0.4)
    return np.where(inside, 255, 0).astype(np.uint8)


# --- steps of our recipe -----------------------------------------------------------------------


def _optical_density(image: Image, glass: tuple[int, int, int], sigma_px: float) -> Floats:
    """−ln(I / I₀) of each channel, 0 on glass; float32, shape (height, width, 3)."""
    levels = np.arange(1, 257, dtype=np.float32)[:, None]
    table = np.log((np.array(glass, np.float32) + 1) / levels)
    density = cv2.LUT(image, table[:, None, :])
    return np.asarray(cv2.GaussianBlur(density, (0, 0), max(sigma_px, 0.5)), np.float32)


def _white_share(density: Floats, violet: Bools, has_hue: Bools, px_per_rbc: float) -> Floats:
    """Which share of a pixel's density lies along the hue of nuclei, not along that of red cells.

    Least squares on two hues: about 1 in nuclei and 0 in red cells, in between in cytoplasm.
    """
    nuclei = _unit(_median(_some_where(violet, density)))
    hues = np.stack([nuclei, _red_cell_hue(density, violet, has_hue, nuclei, px_per_rbc)])
    amounts = cv2.transform(density, np.linalg.pinv(hues).T.astype(np.float32))
    of_nuclei, of_red_cells = cv2.split(amounts)
    return np.asarray(of_nuclei / np.maximum(of_nuclei + of_red_cells, 0.05), np.float32)


def _red_cell_hue(
    density: Floats,
    violet: Bools,
    has_hue: Bools,
    nuclei: npt.NDArray[np.float64],
    px_per_rbc: float,
) -> npt.NDArray[np.float64]:
    """Median hue of what is stained far from all nuclei; a typical one where that is too little."""
    typical = _unit(np.array(_RED_CELL_HUE))
    from_nuclei = cv2.distanceTransform((~violet).astype(np.uint8), cv2.DIST_L2, 3)
    is_stained = has_hue & (from_nuclei > _BEYOND_CYTOPLASM * px_per_rbc)
    stained_px = np.count_nonzero(is_stained)
    if stained_px < _RED_CELL_AREA * px_per_rbc**2:
        return typical
    some = _some_where(is_stained, density)
    hue = _unit(_median(some / np.linalg.norm(some, axis=1, keepdims=True)))
    # Of so little, another white cell's cytoplasm may be all there is.
    is_little = stained_px < _MUCH_RED_CELL_AREA * px_per_rbc**2
    is_yellower = _blue_over_green(hue) - _blue_over_green(nuclei) >= _YELLOWER
    return typical if is_little and not is_yellower else hue


def _blue_over_green(hue: npt.NDArray[np.float64]) -> float:
    return float(hue[2] / max(hue[1], 1e-3))


def _some_where(chosen: Bools, pixels_of: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """At most 4,096 of the chosen pixels, evenly spread, shape (n, 3): enough for a median."""
    places = np.flatnonzero(chosen)
    return pixels_of.reshape(-1, 3)[places[:: len(places) // 4096 + 1]]


def _median(pixels_of: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of each channel, shape (3,); as ``np.median`` gives it, in a third of the time.

    Args:
        pixels_of: Not empty and without NaN, shape (n, 3).
    """
    half = len(pixels_of) // 2
    middle = [half] if len(pixels_of) % 2 else [half - 1, half]
    channels = np.ascontiguousarray(pixels_of.T)
    return np.asarray(np.partition(channels, middle, axis=1)[:, middle].mean(axis=1))


def _unit(direction: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return np.asarray(direction / max(float(np.linalg.norm(direction)), 1e-6), np.float64)


def _nuclei_in(cells: Mask, image: Image, glass: tuple[int, int, int], px_per_rbc: float) -> Mask:
    """The nuclei in a mask of cells, each cell by its own threshold."""
    density = _optical_density(image, glass, _BLUR / 2 * px_per_rbc)
    # What absorbs blue too is granules and red cells that shine through.
    dye = (density[..., 0] + density[..., 1] - density[..., 2]) / 2
    levels = np.clip(100 * dye, 0, 255).astype(np.uint8)
    nuclei = np.zeros(cells.shape, np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(cells)
    for part in range(1, count):
        x, y, width, height = stats[part, : cv2.CC_STAT_AREA]
        window = np.s_[y : y + height, x : x + width]
        nuclei[window][_nucleus(levels[window], parts[window] == part)] = 255
    filled = with_small_holes_filled(nuclei, (_SMALLEST_NUCLEUS * px_per_rbc) ** 2)
    return np.asarray(filled & cells, np.uint8)


def _enlarged(mask: Mask, factor: int, shape_hw: tuple[int, int]) -> Mask:
    """A mask of the reduced field; rows and columns that filled no whole pixel repeat the last."""
    size_wh = (mask.shape[1] * factor, mask.shape[0] * factor)
    large = cv2.resize(mask, size_wh, interpolation=cv2.INTER_LINEAR)
    below, right = shape_hw[0] - size_wh[1], shape_hw[1] - size_wh[0]
    whole = cv2.copyMakeBorder(large, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.where(np.asarray(whole) > 127, 255, 0).astype(np.uint8)


def _nucleus(levels: npt.NDArray[np.uint8], cell: Bools) -> Bools:
    """The darker of two clusters in a cell, or all of it where the two are nearly alike."""
    inside = levels[cell]
    border = two_means_threshold(inside)
    is_dark = inside > border
    if not is_dark.any() or is_dark.all():
        return cell
    if inside[~is_dark].mean() > _ALL_NUCLEUS * inside[is_dark].mean():
        return cell
    return cell & (levels > border)
