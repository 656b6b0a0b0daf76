"""Cells that a classifier learns from: turned, zoomed and recoloured so that only form is left.

Whole pictures with one class are varied alike; what is shown of a stored picture is in
``views.py``. Pure numpy and OpenCV; the torch side is in ``cell_dataset.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from yolo_leuk import pixels
from yolo_leuk.colour_transfer import ColourStatistics, colour_statistics, with_colour_of
from yolo_leuk.dataset import Level, read_picture
from yolo_leuk.labels import LabelScheme
from yolo_leuk.records import Image, Sample
from yolo_leuk.train.appearance import Camera, Light, Stain, photographed, relit, restained
from yolo_leuk.train.views import CellWindow, View, WholePicture


@dataclass(frozen=True)
class CellRecipe:
    """How training cells are varied. Probabilities are per cell.

    Attributes:
        size_px: S, the side of the net's input, for cells.
        picture_px: S for whole pictures.
        sharpness_px_per_rbc: Range that a cell is reduced to; one value, 20, in use.
        zoom: The window is this fraction wider or narrower at most; whole pictures stay whole.
        shift: The centre moves by this fraction of the window at most; boxes are not exact.
        colour_swap: Probability of the colours of any other cell of any class.
        uneven_light: The light falls off by this fraction at most, from the middle to either side.
        stain: How the stain is varied.
        light: How the light is varied.
        camera: How the camera is varied.
        turned: Whether it is turned by right angles and mirrored, each of the eight ways alike.
    """

    size_px: int = 96
    picture_px: int = 224
    sharpness_px_per_rbc: tuple[float, float] = (12.0, 30.0)
    zoom: float = 0.15
    shift: float = 0.06
    colour_swap: float = 1.0
    uneven_light: float = 0.5
    stain: Stain = field(default_factory=Stain)
    light: Light = field(default_factory=Light)
    camera: Camera = field(default_factory=Camera)
    turned: bool = True

    def view(self, level: Level) -> View:
        """What of the pictures of a data set of this level is shown."""
        if level == "image":
            return WholePicture(self.picture_px)
        return CellWindow(self.size_px, self.zoom, self.shift)


@dataclass(frozen=True)
class CellPicture:
    """One stored picture.

    Attributes:
        sample: Its row of the manifest.
        crop: Window and rim of a cell, or a whole picture; uint8.
        class_id: Position of its label in the scheme.
    """

    sample: Sample
    crop: Image
    class_id: int


def load_cells(folder: Path, samples: Sequence[Sample], scheme: LabelScheme) -> list[CellPicture]:
    """Samples of a classification data set, in memory.

    Raises:
        DataError: A picture is not what its row of the manifest says.
    """
    cells = []
    for sample in samples:
        crop = read_picture(folder, sample)
        cells.append(CellPicture(sample, crop, scheme.id_of(sample.label)))
    return cells


class CellVariation:
    """Makes network inputs of stored cells: varied for training, as in use for validation.

    Args:
        cells: Whose colours may be swapped.
        recipe: How cells are varied.
        level: What the pictures show.
    """

    def __init__(
        self, cells: Sequence[CellPicture], recipe: CellRecipe, level: Level = "cell"
    ) -> None:
        self._recipe = recipe
        self._view = recipe.view(level)
        self._colours = [colour_statistics(self._shown(cell)) for cell in cells]

    def plain(self, cell: CellPicture) -> Image:
        """The cell exactly as ``detect`` would see it, uint8 (S, S, 3)."""
        return self._view.as_input(self._shown(cell), cell.sample.px_per_rbc)

    def swapped(self, cell: CellPicture, generator: np.random.Generator) -> Image:
        """As in use, but in the colours of a random cell of any class and data set."""
        rgb = with_colour_of(self._shown(cell), self._other_colour(generator))
        return self._view.as_input(rgb, cell.sample.px_per_rbc)

    def varied(self, cell: CellPicture, generator: np.random.Generator) -> Image:
        """A training input: turned, zoomed, shifted, recoloured and taken by another camera."""
        recipe, px_per_rbc = self._recipe, cell.sample.px_per_rbc
        shown = self._view.varied(cell.crop, px_per_rbc, generator)
        rgb = self._recoloured(shown, generator)
        if recipe.turned:
            rgb = pixels.turned(rgb, int(generator.integers(4)), bool(generator.integers(2)))
        rgb = photographed(rgb, recipe.camera, generator)
        low, high = recipe.sharpness_px_per_rbc
        return self._view.as_input(rgb, px_per_rbc, generator.uniform(low, high))

    def _shown(self, cell: CellPicture) -> Image:
        return self._view.shown(cell.crop, cell.sample.px_per_rbc)

    def _recoloured(self, rgb: Image, generator: np.random.Generator) -> Image:
        recipe = self._recipe
        if generator.random() < recipe.colour_swap:
            rgb = with_colour_of(rgb, self._other_colour(generator))
        if recipe.uneven_light:
            fall_off, degrees = generator.uniform(0, recipe.uneven_light), generator.uniform(0, 360)
            rgb = pixels.with_uneven_light(rgb, fall_off, degrees)
        return relit(restained(rgb, recipe.stain, generator), recipe.light, generator)

    def _other_colour(self, generator: np.random.Generator) -> ColourStatistics:
        return self._colours[int(generator.integers(len(self._colours)))]
