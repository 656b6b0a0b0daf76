"""Fields that a detector learns from: several prepared pictures on one canvas, at one scale.

Every source has its own size of cell, so pictures are brought to a common number of pixels per red
cell before they share a canvas. Pure numpy and OpenCV; the torch side is in ``field_dataset.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from yolo_leuk import geometry, images, pixels
from yolo_leuk.colour_transfer import ColourStatistics, colour_statistics, with_colour_of
from yolo_leuk.field_detector import STRIDE
from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import Floats, Image, Ints
from yolo_leuk.train.appearance import Camera, Light, Stain, photographed, relit, restained
from yolo_leuk.train.canvas import Canvas, Field
from yolo_leuk.train.specks import with_specks

_STAIN = Stain(probability=0.3)
_LIGHT = Light(
    probability=0.6,
    brightness=(0.65, 1.25),
    contrast=(0.75, 1.25),
    saturation=(0.6, 1.4),
    hue_degrees=15.0,
)
_CAMERA = Camera(blur_px=(0.4, 1.3))


@dataclass(frozen=True)
class FieldRecipe:
    """How training fields are made. Probabilities are per picture, unless said otherwise.

    Attributes:
        size_px: Side of the canvas; in validation at least the largest picture.
        source_power: A source is drawn by this power of its number of pictures: 1 by its size, 0
            all alike.
        px_per_rbc: Range of scales; log-uniform, one per canvas.
        scale_jitter: Each picture is this fraction larger or smaller at most.
        single: Probability of a canvas with one picture on grey, as small images are detected.
        colour_swap: Probability of the colours of another picture.
        stain: How the stain is varied.
        light: How the light is varied.
        camera: How the camera is varied, per canvas.
        turned: Whether it is turned by right angles and mirrored, each of the eight ways alike.
        crowd: Probability that white cells of the same source are pasted into a picture.
        crowd_cells: At most so many.
        specks: Probability that some red cells of a picture get specks, as parasites, refractile
            spots and platelets that lie on them look.
        least_visible: Boxes of which less than this fraction is left are dropped.
    """

    size_px: int = 416
    source_power: float = 0.33
    px_per_rbc: tuple[float, float] = (20.0, 60.0)
    scale_jitter: float = 0.1
    single: float = 0.1
    colour_swap: float = 0.4
    stain: Stain = _STAIN
    light: Light = _LIGHT
    camera: Camera = _CAMERA
    turned: bool = True
    crowd: float = 0.25
    crowd_cells: int = 8
    specks: float = 0.2
    least_visible: float = 0.35


@dataclass(frozen=True)
class FieldPicture:
    """One prepared picture with boxes.

    Attributes:
        path: Of the picture.
        source: Its data set, for pasting cells among pictures that look alike.
        xyxy: Boxes in pixels, float32, shape (n, 4).
        class_id: Class of each box, int64, shape (n,).
        px_per_rbc: Width of a red cell in pixels.
    """

    path: Path
    source: str
    xyxy: Floats
    class_id: Ints
    px_per_rbc: float


# A box of which pasted cells cover more than this fraction is dropped.
_HIDDEN = 0.6


@lru_cache(maxsize=8192)
def _picture(path: Path) -> Image:
    image = images.read_image(path)
    image.flags.writeable = False
    return image


class FieldComposer:
    """Makes training fields at random and validation fields in a fixed way."""

    def __init__(
        self, pictures: Sequence[FieldPicture], recipe: FieldRecipe, scheme: LabelScheme
    ) -> None:
        self._pictures = list(pictures)
        self._recipe = recipe
        self._white_id = scheme.id_of("white")
        self._red_id = scheme.id_of("red") if "red" in scheme.names else None
        self._with_white: dict[str, list[int]] = {}
        of_source: dict[str, list[int]] = {}
        for position, picture in enumerate(self._pictures):
            of_source.setdefault(picture.source, []).append(position)
            if (picture.class_id == self._white_id).any():
                self._with_white.setdefault(picture.source, []).append(position)
        self._sources = [of_source[name] for name in sorted(of_source)]
        shares = np.power([len(positions) for positions in self._sources], recipe.source_power)
        self._source_shares = shares / shares.sum()

    def read_ahead(self, threads: int) -> None:
        """Read all pictures now: processes that are forked from this one then share them."""
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(_picture, [picture.path for picture in self._pictures]):
                pass

    def training_field(self, generator: np.random.Generator) -> Field:
        """A canvas of random pictures, turned, recoloured and crowded at random."""
        recipe = self._recipe
        low, high = np.log(recipe.px_per_rbc)
        scale = float(np.exp(generator.uniform(low, high)))
        canvas = Canvas(recipe.size_px, recipe.least_visible)
        single = generator.random() < recipe.single
        while canvas.has_room():
            picture = self._drawn(generator)
            jitter = 1 + generator.uniform(-recipe.scale_jitter, recipe.scale_jitter)
            canvas.place(self._varied(picture, scale * jitter, generator), generator)
            if single:
                break
        field = canvas.field()
        rgb = photographed(field.rgb, recipe.camera, generator)
        return Field(rgb, field.xyxy, field.class_id)

    def validation_fields(self, px_per_rbc: float) -> list[Field]:
        """All pictures, whole, as many to a canvas as fit; always the same."""
        fields: list[Field] = []
        whole = [_scaled(_picture(p.path), p, px_per_rbc) for p in self._pictures]
        largest = max((side for scaled in whole for side in scaled.rgb.shape[:2]), default=0)
        size_px = self._recipe.size_px
        if largest > size_px:
            size_px = geometry.round_up(largest, STRIDE)
        canvas = Canvas(size_px, self._recipe.least_visible)
        for scaled in whole:
            if not canvas.fits(scaled.rgb):
                fields.append(canvas.field())
                canvas = Canvas(size_px, self._recipe.least_visible)
            canvas.place(scaled, None)
        fields.append(canvas.field())
        return fields

    def _drawn(self, generator: np.random.Generator) -> FieldPicture:
        """A random picture: first its source, then one of that source's pictures."""
        positions = self._sources[generator.choice(len(self._sources), p=self._source_shares)]
        return self._pictures[positions[int(generator.integers(len(positions)))]]

    def _varied(
        self, picture: FieldPicture, px_per_rbc: float, generator: np.random.Generator
    ) -> Field:
        recipe = self._recipe
        field = _scaled(_picture(picture.path), picture, px_per_rbc)
        if generator.random() < recipe.crowd and picture.source in self._with_white:
            field = self._crowded(field, picture.source, px_per_rbc, generator)
        rgb = field.rgb
        if self._red_id is not None and generator.random() < recipe.specks:
            rgb = with_specks(rgb, field.xyxy[field.class_id == self._red_id], generator)
        if generator.random() < recipe.colour_swap:
            rgb = with_colour_of(rgb, _statistics(self._drawn(generator).path))
        rgb = relit(restained(rgb, recipe.stain, generator), recipe.light, generator)
        if not recipe.turned:
            return Field(rgb, field.xyxy, field.class_id)
        turns, mirrored = int(generator.integers(4)), bool(generator.integers(2))
        size_wh = (rgb.shape[1], rgb.shape[0])
        return Field(
            pixels.turned(rgb, turns, mirrored),
            geometry.turned_xyxy(field.xyxy, size_wh, turns, mirrored),
            field.class_id,
        )

    def _crowded(
        self, field: Field, source: str, px_per_rbc: float, generator: np.random.Generator
    ) -> Field:
        """The field with white cells of other pictures of the same source pasted into it."""
        rgb, xyxy, class_id = field.rgb.copy(), field.xyxy, field.class_id
        hidden = np.zeros(len(xyxy))
        for _ in range(int(generator.integers(1, self._recipe.crowd_cells + 1))):
            positions = self._with_white[source]
            donor = self._pictures[positions[int(generator.integers(len(positions)))]]
            cell = _cut_cell(donor, px_per_rbc, self._white_id, generator)
            if cell is None or min(rgb.shape[:2]) <= max(cell.shape[:2]):
                continue
            height, width = cell.shape[:2]
            x = int(generator.integers(rgb.shape[1] - width))
            y = int(generator.integers(rgb.shape[0] - height))
            box = np.array([[x, y, x + width, y + height]], np.float32)
            covered = geometry.intersection_over_smaller(xyxy, box)[:, 0]
            if (covered[class_id == self._white_id] > 0.25).any():
                continue
            _paste(rgb, cell, x, y)
            # Several cells together can hide one that each of them leaves in sight.
            hidden += geometry.intersection(xyxy, box)[:, 0] / np.maximum(geometry.area(xyxy), 1)
            xyxy = np.concatenate([xyxy, box])
            class_id, hidden = np.append(class_id, self._white_id), np.append(hidden, 0)
        seen = hidden < _HIDDEN
        return Field(rgb, xyxy[seen].astype(np.float32), class_id[seen].astype(np.int64))


def _scaled(rgb: Image, picture: FieldPicture, px_per_rbc: float) -> Field:
    factor = px_per_rbc / picture.px_per_rbc
    resized = pixels.scaled_to(rgb, factor)
    gain_x, gain_y = resized.shape[1] / rgb.shape[1], resized.shape[0] / rgb.shape[0]
    gain = np.array([gain_x, gain_y, gain_x, gain_y], np.float32)
    return Field(resized, picture.xyxy * gain, picture.class_id)


@lru_cache(maxsize=8192)
def _statistics(path: Path) -> ColourStatistics:
    return colour_statistics(_picture(path))


def _cut_cell(
    donor: FieldPicture, px_per_rbc: float, white_id: int, generator: np.random.Generator
) -> Image | None:
    """A whole white cell of a picture, at this scale and turned at random; None if it has none."""
    rgb = _picture(donor.path)
    limits = np.array([rgb.shape[1], rgb.shape[0]]) - 1
    inside = (donor.xyxy[:, :2] >= 1).all(axis=1) & (donor.xyxy[:, 2:] <= limits).all(axis=1)
    whole = np.flatnonzero(inside & (donor.class_id == white_id))
    if whole.size == 0:
        return None
    x1, y1, x2, y2 = donor.xyxy[whole[int(generator.integers(whole.size))]].astype(int)
    patch = rgb[y1 : y2 + 1, x1 : x2 + 1]
    patch = pixels.scaled_to(np.ascontiguousarray(patch), px_per_rbc / donor.px_per_rbc)
    return pixels.turned(patch, int(generator.integers(4)), bool(generator.integers(2)))


def _paste(rgb: Image, cell: Image, x: int, y: int) -> None:
    """Blend a cell into ``rgb`` in place, inside the ellipse that its box encloses."""
    height, width = cell.shape[:2]
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    columns = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    radius = np.sqrt(rows[:, None] ** 2 + columns[None, :] ** 2)
    # Two pixels of soft edge, whatever the size of the cell.
    alpha = np.clip((1.03 - radius) * min(height, width) / 4, 0, 1)[..., None]
    below = rgb[y : y + height, x : x + width]
    below[:] = np.rint(below * (1 - alpha) + cell * alpha).astype(np.uint8)
