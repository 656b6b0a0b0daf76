"""Pictures that an export is compared on: of a data set, or made of the sample smear."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from yolo_leuk import artifacts, images, pixels
from yolo_leuk.cell_classifier import cell_crops
from yolo_leuk.dataset import DataSet, read_picture
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.fitting_data import samples_of
from yolo_leuk.export.tiles import tiles_of
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Floats, Image, Sample
from yolo_leuk.sample_input import sample_input
from yolo_leuk.shipped import samples_folder

_BATCH = 16
_SMEAR_SCHEMA = "yolo-leuk/sample-smear/1"


def inputs(card: ModelCard, config: ExportConfig, data: DataSet | None = None) -> list[Image]:
    """Inputs of a net.

    Args:
        card: Of the net.
        config: How many crops or fields, and the seed.
        data: Of the task, level and classes of the net; its validation split is shown. None, and
            where it has too few: the sample smear and pictures made of it, turned, stained and lit
            otherwise.

    Returns:
        Batches, uint8 RGB, shape (n, height, width, 3).

    Raises:
        DataError: The validation split is empty, or a picture of it cannot be read.
    """
    generator = np.random.default_rng(config.seed)
    if card.task == "detect":
        fields = [] if data is None else list(_fields(data, config))
        fields += _own_fields(card, config.fields - len(fields), generator)
        return [tiles for rgb, px in fields for tiles in tiles_of(rgb, px, card)]
    crops = [] if data is None else list(_crops(data, card, config))
    crops += _own_crops(card, config.crops - len(crops), generator)
    return list(_batched(crops))


def _batched(crops: Iterable[Image]) -> Iterator[Image]:
    rest = iter(crops)
    while some := list(itertools.islice(rest, _BATCH)):
        yield np.stack(some)


# --- of a data set -------------------------------------------------------------------------------


def _fields(data: DataSet, config: ExportConfig) -> Iterator[tuple[Image, float]]:
    for sample in _drawn(data, config.fields, config.seed):
        yield read_picture(data.folder, sample), sample.px_per_rbc


def _crops(data: DataSet, card: ModelCard, config: ExportConfig) -> Iterator[Image]:
    for sample in _drawn(data, config.crops, config.seed):
        yield sample_input(data.folder, sample, card)


def _drawn(data: DataSet, count: int, seed: int) -> Sequence[Sample]:
    found = samples_of(data, "val")
    return random.Random(seed).sample(found, min(count, len(found)))


# --- of the sample smear -------------------------------------------------------------------------


def _own_fields(
    card: ModelCard, count: int, generator: np.random.Generator
) -> Iterator[tuple[Image, float]]:
    """The smear at the detector's scale, and then others made of it."""
    whole, px_per_rbc, _ = _sample_smear()
    rgb = pixels.scaled_to(whole, card.px_per_rbc / px_per_rbc)
    for number in range(count):
        yield _varied(rgb, generator) if number else rgb, card.px_per_rbc


def _own_crops(card: ModelCard, count: int, generator: np.random.Generator) -> Iterator[Image]:
    """White cells of the smear, or square parts of it, and then others made of them."""
    rgb, px_per_rbc, boxes = _sample_smear()
    if card.level == "cell":
        originals = list(cell_crops(rgb, boxes, px_per_rbc, card))
    else:
        originals = [pixels.picture_input(part, card.input_px) for part in _parts(rgb)]
    yield from originals[:count]
    for number in range(len(originals), count):
        yield _varied(originals[number % len(originals)], generator)


def _sample_smear() -> tuple[Image, float, Floats]:
    """The picture, the width of a red cell in it, and the boxes of its white cells."""
    folder = samples_folder()
    truth = artifacts.read_json(folder / "smear.json", schema=_SMEAR_SCHEMA)
    white = [cell["box_xyxy"] for cell in truth["cells"] if cell["label"] == "white"]
    rgb = images.read_image(folder / truth["image"]["path"])
    return rgb, float(truth["px_per_rbc"]), np.array(white, np.float32)


def _parts(rgb: Image) -> list[Image]:
    """Squares half as high as the picture."""
    side = rgb.shape[0] // 2
    corners = itertools.product(range(0, rgb.shape[0], side), range(0, rgb.shape[1], side))
    found = [rgb[y : y + side, x : x + side] for y, x in corners]
    return [part for part in found if part.shape[:2] == (side, side)]


def _varied(rgb: Image, generator: np.random.Generator) -> Image:
    """Another picture of the same kind: turned, mirrored, in another stain, light and noise."""
    turned = pixels.turned(rgb, int(generator.integers(4)), mirrored=bool(generator.integers(2)))
    gain, shift = generator.uniform(0.7, 1.3, 3), generator.uniform(-0.05, 0.05, 3)
    lit = pixels.with_brightness(
        pixels.with_stain(turned, gain, shift), generator.uniform(0.7, 1.2)
    )
    return pixels.with_noise(lit, float(generator.uniform(0, 8)), generator)
