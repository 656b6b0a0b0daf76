"""What is done to pixels, once, for training and use alike.

Pure numpy and OpenCV. Pictures are RGB uint8 of shape (height, width, 3) unless said otherwise.
Resampling goes by float32: OpenCV's uint8 and area kernels and the Resize of ONNX differ by up to
20 grey levels, float32 box means and linear interpolation agree everywhere.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError
from yolo_leuk.records import Image

WINDOW_RBC = 3.0
"""Side of a cell's window in red-cell widths: the cell and a rim of what lies around it."""

RIM = 0.25
"""Rim of a stored crop on each side, as a fraction of the window."""

SHARPNESS_PX_PER_RBC = 20.0
"""Every source is reduced to this before a classifier sees it; ALL-4 has no more."""

PAD_VALUE = 114
"""Grey beyond the edge of a field, as Ultralytics pads."""

# Optical density of haematoxylin, eosin and a residual, one row each, RGB columns.
# Ruifrok AC, Johnston DA. Anal Quant Cytol Histol 2001;23:291-299.
_STAINS = np.array(
    [[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]], dtype=np.float32
)
_STAINS_INVERSE = np.linalg.inv(_STAINS).astype(np.float32)

_REFERENCE_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def resample(image: Image, size_wh: tuple[int, int]) -> Image:
    """Resize: float32, box means by a whole factor, then linear, rounded to uint8.

    The box means take care of aliasing; the linear step that follows never shrinks to less than
    half.
    """
    width, height = size_wh
    if width < 1 or height < 1:
        raise DataError(f"expected a size of at least 1×1, got {width}×{height}")
    pixels = image.astype(np.float32)
    pixels = _box_means(pixels, max(1, image.shape[0] // height), max(1, image.shape[1] // width))
    if pixels.shape[:2] != (height, width):
        linear = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
        pixels = np.asarray(linear, np.float32)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _box_means(pixels: npt.NDArray[np.float32], down: int, across: int) -> npt.NDArray[np.float32]:
    """Means over ``down`` × ``across`` boxes; a rest that fills no box is shared at both ends.

    The sums are of whole numbers below 2²⁴, which float32 holds exactly: no order of summation and
    no number of threads can change a pixel.
    """
    if down == across == 1:
        return pixels
    rows, columns = pixels.shape[0] // down, pixels.shape[1] // across
    top = (pixels.shape[0] - rows * down) // 2
    left = (pixels.shape[1] - columns * across) // 2
    low = np.zeros((rows, columns * across, pixels.shape[2]), np.float32)
    for y in range(top, top + down):
        low += pixels[y : y + rows * down : down, left : left + columns * across]
    total = np.zeros((rows, columns, pixels.shape[2]), np.float32)
    for x in range(across):
        total += low[:, x::across]
    return np.asarray(total / np.float32(down * across), np.float32)


def background_colour(image: Image) -> tuple[int, int, int]:
    """Median colour of the most frequent brightness: the glass of a smear, or black around a cell.

    Brightness falls into 16 bins, each joined with the next, so that a peak between two bins is
    found too.
    """
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / 65536)))
    sampled = np.ascontiguousarray(image[::step, ::step])
    brightness = sampled.astype(np.float32) @ _REFERENCE_LUMINANCE
    bin_of = (brightness / 16).astype(np.uint8)
    bins = np.bincount(bin_of.reshape(-1), minlength=17)
    peak = int(np.argmax(bins[:-1] + bins[1:]))
    chosen = (bin_of == peak) | (bin_of == peak + 1)
    red, green, blue = (_median_level(channel, chosen) for channel in cv2.split(sampled))
    return red, green, blue


def _median_level(channel: npt.ArrayLike, chosen: npt.NDArray[np.bool_]) -> int:
    """Median of the chosen pixels of a channel, rounded down; by its histogram."""
    counts = cv2.calcHist(
        [np.asarray(channel, np.uint8)], [0], chosen.view(np.uint8), [256], [0, 256]
    )
    below = np.cumsum(counts, dtype=np.int64)
    middle = [(below[-1] - 1) // 2, below[-1] // 2]
    return int(np.searchsorted(below, middle, side="right").sum()) // 2


def cut_window(
    image: Image,
    centre_xy: tuple[float, float],
    side_px: int,
    fill: tuple[int, int, int] | None = None,
) -> Image:
    """A square window around a point; what lies beyond the image gets the colour ``fill``.

    Args:
        image: The field.
        centre_xy: In pixels; rounded to a whole one.
        side_px: Of the window.
        fill: Colour beyond the edge; the background colour of ``image`` where None.

    Returns:
        Shape (side_px, side_px, 3).
    """
    if side_px < 1:
        raise DataError(f"expected a window of at least 1 px, got {side_px}")
    height, width = image.shape[:2]
    left, top = window_corner(centre_xy, side_px)
    inner_left, inner_top = max(left, 0), max(top, 0)
    inner_right = max(min(left + side_px, width), inner_left)
    inner_bottom = max(min(top + side_px, height), inner_top)
    inner = image[inner_top:inner_bottom, inner_left:inner_right]
    if inner.shape[:2] == (side_px, side_px):
        return np.ascontiguousarray(inner)
    window = np.empty((side_px, side_px, 3), np.uint8)
    window[:] = background_colour(image) if fill is None else fill
    if inner.size:
        y, x = inner_top - top, inner_left - left
        window[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return window


def window_corner(centre_xy: tuple[float, float], side_px: int) -> tuple[int, int]:
    """Upper left corner of a square window around a point; may lie outside of the image."""
    # floor, not round: a window that is wider by the same margin on all sides has the same centre.
    left, top = (int(np.floor(c + 0.5)) - side_px // 2 for c in centre_xy)
    return left, top


def reduced_field(
    image: Image, px_per_rbc: float, target_px_per_rbc: float = SHARPNESS_PX_PER_RBC
) -> tuple[Image, int]:
    """The field reduced by the largest whole factor that leaves ``target_px_per_rbc`` or more.

    Box means, so that the reduced pixels are the same wherever they are made.

    Returns:
        The reduced field, and the factor: a point (x, y) of the image lies at (x, y) / factor.
    """
    if not px_per_rbc > 0:
        raise DataError(f"expected px_per_rbc above 0, got {px_per_rbc}")
    smallest_side = min(image.shape[:2])
    factor = max(1, min(int(px_per_rbc / target_px_per_rbc), smallest_side))
    if factor == 1:
        return image, 1
    rows, columns = (side // factor for side in image.shape[:2])
    whole = image[: rows * factor, : columns * factor].astype(np.float32)
    return np.rint(_box_means(whole, factor, factor)).astype(np.uint8), factor


def centre_of(box_xyxy: npt.ArrayLike) -> tuple[float, float]:
    """Centre of a box in pixels of the reduced field.

    Crops that are stored and crops in use both take it from here: computed in another way it may
    round to the next pixel.
    """
    x1, y1, x2, y2 = np.asarray(box_xyxy, np.float64)
    return float(x1 + x2) / 2, float(y1 + y2) / 2


def window_side(px_per_rbc: float) -> int:
    """Side in pixels of a cell's window in a field of this scale."""
    return max(1, round(WINDOW_RBC * px_per_rbc))


def rim_px(px_per_rbc: float) -> int:
    """Rim around the window of a stored crop, on each side, so that training can turn and zoom."""
    return round(RIM * window_side(px_per_rbc))


def window_of(crop: Image, px_per_rbc: float) -> Image:
    """The window in the middle of a stored crop, pixel by pixel as it is cut from the field."""
    rim = rim_px(px_per_rbc)
    return crop[rim : crop.shape[0] - rim, rim : crop.shape[1] - rim]


def classifier_input(
    window: Image, size_px: int, sharpness_px_per_rbc: float = SHARPNESS_PX_PER_RBC
) -> Image:
    """A cell's window as a classifier sees it: reduced to one sharpness, then brought to one size.

    A window is never enlarged to the sharpness, only reduced to it.

    Args:
        window: Square, :data:`WINDOW_RBC` red-cell widths wide.
        size_px: Side of the result, S.
        sharpness_px_per_rbc: Pixels per red cell that are left.

    Returns:
        uint8, shape (size_px, size_px, 3).
    """
    side = window_side(sharpness_px_per_rbc)
    if side < window.shape[0]:
        window = resample(window, (side, side))
    return resample(window, (size_px, size_px))


def cell_crop(
    field: Image,
    box_xyxy: npt.ArrayLike,
    px_per_rbc: float,
    size_px: int,
    *,
    sharpness_px_per_rbc: float = SHARPNESS_PX_PER_RBC,
    fill: tuple[int, int, int] | None = None,
) -> Image:
    """The picture of one cell as a classifier sees it.

    Args:
        field: As :func:`reduced_field` returns it.
        box_xyxy: Corners of the cell in pixels of ``field``.
        px_per_rbc: Width of a red cell in pixels of ``field``.
        size_px: Side of the result, S.
        sharpness_px_per_rbc: Pixels per red cell that are left.
        fill: Colour beyond the edge; the background colour of ``field`` where None.

    Returns:
        uint8, shape (size_px, size_px, 3).
    """
    window = cut_window(field, centre_of(box_xyxy), window_side(px_per_rbc), fill)
    return classifier_input(window, size_px, sharpness_px_per_rbc)


def squared(image: Image) -> Image:
    """A whole picture made square: it stays in the middle, beside it comes its background colour.

    Nothing is cut off, and round cells stay round. A square picture is returned as it is.
    """
    height, width = image.shape[:2]
    return cut_window(image, (width // 2, height // 2), max(height, width))


def picture_input(picture: Image, size_px: int, reduction: float = 1.0) -> Image:
    """A whole picture as a classifier of whole pictures sees it.

    Args:
        picture: Square, its scale bar painted out.
        size_px: Side of the result, S.
        reduction: It is first reduced to this fraction of its size, in training, so that sharpness
            tells nothing.

    Returns:
        uint8, shape (size_px, size_px, 3).
    """
    if reduction < 1:
        picture = scaled_to(picture, reduction)
    return resample(picture, (size_px, size_px))


def scaled_to(image: Image, factor: float) -> Image:
    """The picture at ``factor`` times its size, at least 1×1."""
    width, height = (max(1, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    return resample(image, (width, height))


# --- the scale bar -----------------------------------------------------------------------------


def find_scale_bar(image: Image) -> tuple[int, int, int, int] | None:
    """Corners (x1, y1, x2, y2) of a scale bar burnt into the lower right corner; None if none.

    Looks there for thin strokes of neutral black on white paper, or of pure red, that together are
    wider than high, as a bar with its number is. A nucleus is neither neutral nor thin, a red cell
    not thin.
    """
    height, width = image.shape[:2]
    top, left = int(height * 0.84), int(width * 0.80)
    corner = image[top:, left:]
    lightest, darkest = corner.max(axis=2), corner.min(axis=2)
    paper = darkest >= 243
    black = (lightest < 90) & (lightest - darkest < 30) & _near(paper)
    box = _ink_box(black)
    if box is not None and paper[box[1] : box[3], box[0] : box[2]].mean() > 0.25:
        x1, y1, x2, y2 = _with_paper(box, paper)
        return left + x1, top + y1, left + x2, top + y2
    redness = _thin_redness(corner, stroke_px=max(5, width // 25))
    # The second condition keeps out the red fringe of a violet nucleus.
    is_red = corner[..., 0] > np.maximum(corner[..., 1], corner[..., 2])
    box = _ink_box((redness > 40) & is_red)
    if box is not None:
        x1, y1, x2, y2 = _with_faint_ends(box, redness > 12)
        return left + x1, top + y1, left + x2, top + y2
    return None


def _near(paper: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return cv2.dilate(paper.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)


def _thin_redness(corner: Image, stroke_px: int) -> npt.NDArray[np.int16]:
    """How much redder each pixel is than what remains when thin strokes are opened away."""
    other = np.maximum(corner[..., 1], corner[..., 2]).astype(np.int16)
    red = corner[..., 0].astype(np.int16) - other
    opened = cv2.morphologyEx(red, cv2.MORPH_OPEN, np.ones((stroke_px, stroke_px), np.uint8))
    return np.asarray(red - opened, np.int16)


def _ink_box(ink: npt.NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Bounds of the ink if they have the shape of a bar with a number, and hold enough of it."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if rows.size == 0:
        return None
    x1, x2 = int(columns[0]), int(columns[-1]) + 1
    y1, y2 = int(rows[0]), int(rows[-1]) + 1
    is_wide = (x2 - x1) >= max(1.2 * (y2 - y1), 0.15 * ink.shape[1])
    is_dense = ink[y1:y2, x1:x2].mean() > 0.12
    return (x1, y1, x2, y2) if is_wide and is_dense and y2 - y1 >= 2 else None


def _with_faint_ends(
    box: tuple[int, int, int, int], faint: npt.NDArray[np.bool_]
) -> tuple[int, int, int, int]:
    """A box grown over the fainter ink at its height (the far tick of the bar), and by 2 px."""
    x1, y1, x2, y2 = box
    height, width = faint.shape
    top, bottom = max(y1 - 2 * (y2 - y1), 0), min(y2 + (y2 - y1), height)
    rows = np.flatnonzero(faint[top:bottom].any(axis=1))
    columns = np.flatnonzero(faint[y1:bottom].any(axis=0))
    return (
        max(min(x1, int(columns[0])) - 2, 0),
        max(min(y1, top + int(rows[0])) - 2, 0),
        min(max(x2, int(columns[-1]) + 1) + 2, width),
        min(max(y2, top + int(rows[-1]) + 1) + 2, height),
    )


def _with_paper(
    box: tuple[int, int, int, int], paper: npt.NDArray[np.bool_]
) -> tuple[int, int, int, int]:
    """A box grown over the white paper that it stands on, and by 2 px for the ringing of JPEG.

    Paper ends within half a box's width; beyond that, white is overexposed glass.
    """
    x1, y1, x2, y2 = box
    height, width = paper.shape
    reach = (x2 - x1) // 2 + 2
    top, left = max(y1 - reach, 0), max(x1 - reach, 0)
    near = paper[top : min(y2 + reach, height), left : min(x2 + reach, width)].astype(np.uint8)
    near[y1 - top : y2 - top, x1 - left : x2 - left] = 1
    _, component = cv2.connectedComponents(near, connectivity=4)
    joined = component == component[y1 - top, x1 - left]
    rows, columns = np.flatnonzero(joined.any(axis=1)), np.flatnonzero(joined.any(axis=0))
    return (
        max(left + int(columns[0]) - 2, 0),
        max(top + int(rows[0]) - 2, 0),
        min(left + int(columns[-1]) + 3, width),
        min(top + int(rows[-1]) + 3, height),
    )


_INPAINT_RADIUS_PX = 3
_INPAINT_REACH_PX = 4 * _INPAINT_RADIUS_PX


def paint_out(image: Image, box_xyxy: tuple[int, int, int, int]) -> Image:
    """A copy whose box is filled from what lies around it (Telea 2004, by OpenCV)."""
    x1, y1, x2, y2 = box_xyxy
    # The filling looks no farther than this, so the rest of the picture need not be gone through.
    left, top = max(x1 - _INPAINT_REACH_PX, 0), max(y1 - _INPAINT_REACH_PX, 0)
    around = np.s_[top : y2 + _INPAINT_REACH_PX, left : x2 + _INPAINT_REACH_PX]
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[y1:y2, x1:x2] = 255
    painted = image.copy()
    painted[around] = cv2.inpaint(
        np.ascontiguousarray(image[around]),
        np.ascontiguousarray(mask[around]),
        _INPAINT_RADIUS_PX,
        cv2.INPAINT_TELEA,
    )
    return painted


def without_scale_bar(image: Image) -> Image:
    """The picture with its scale bar painted out; the same picture where it has none."""
    box = find_scale_bar(image)
    return image if box is None else paint_out(image, box)


# --- colour ------------------------------------------------------------------------------------


def with_stain(image: Image, gain: npt.ArrayLike, shift: npt.ArrayLike) -> Image:
    """The picture with its stains strengthened or weakened in H&E optical density.

    Tellez D et al. Med Image Anal 2019;58:101544, on the stain vectors of Ruifrok and Johnston.

    Args:
        image: The picture.
        gain: Factor of each of the three stains, shape (3,).
        shift: Added to each density after that, shape (3,).
    """
    density = -np.log((image.astype(np.float32) + 1.0) / 256.0)
    stains = density.reshape(-1, 3) @ _STAINS_INVERSE
    stains = stains * np.asarray(gain, np.float32) + np.asarray(shift, np.float32)
    rgb = np.exp(-(stains @ _STAINS)) * 256.0 - 1.0
    return np.asarray(np.clip(np.rint(rgb), 0, 255), np.uint8).reshape(image.shape)


def with_brightness(image: Image, factor: float) -> Image:
    """The picture with all values multiplied and cut off at 255."""
    table = np.clip(np.rint(np.arange(256) * factor), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def with_uneven_light(image: Image, fall_off: float, degrees: float) -> Image:
    """The picture with light that grows evenly across it.

    Args:
        image: The picture.
        fall_off: The values are multiplied by 1 in the middle, and by 1 ± this at the two ends.
        degrees: Direction in which it grows: 0 to the right, 90 downwards. Across the corners it
            grows farther, by up to √2.
    """
    height, width = image.shape[:2]
    across, down = fall_off * np.cos(np.deg2rad(degrees)), fall_off * np.sin(np.deg2rad(degrees))
    columns = np.linspace(1 - across, 1 + across, width, dtype=np.float32)
    rows = np.linspace(-down, down, height, dtype=np.float32)
    light = columns[None, :] + rows[:, None]
    return np.asarray(cv2.multiply(image, cv2.merge([light] * 3), dtype=cv2.CV_8U), np.uint8)


def blurred(image: Image, sigma_px: float) -> Image:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def with_noise(image: Image, deviation: float, generator: np.random.Generator) -> Image:
    """Gaussian noise of this deviation in grey levels, on each channel by itself."""
    noise = generator.standard_normal(image.shape, dtype=np.float32) * np.float32(deviation)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def as_jpeg(image: Image, quality: int) -> Image:
    """The picture after a JPEG of this quality (1–100)."""
    done, buffer = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise DataError(f"a picture of shape {image.shape} could not be written as JPEG")
    decoded = np.asarray(cv2.imdecode(buffer, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def turned(image: Image, quarter_turns: int, mirrored: bool) -> Image:
    """One of the eight flips and right-angle turns: mirrored left to right first, then turned."""
    flipped = image[:, ::-1] if mirrored else image
    return np.ascontiguousarray(np.rot90(flipped, quarter_turns))
