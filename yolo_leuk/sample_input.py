"""From the stored picture of a prepared sample to the input of a classifier, as in use."""

from __future__ import annotations

from pathlib import Path

from yolo_leuk import pixels
from yolo_leuk.dataset import read_picture
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Image, Sample


def sample_input(folder: Path, sample: Sample, card: ModelCard) -> Image:
    """What the net of ``card`` is shown of a sample, uint8 RGB, shape (S, S, 3).

    Args:
        folder: Of the data set.
        sample: One of its samples, of the level of the card.
        card: Of a classifier.

    Raises:
        ImageError: The picture cannot be read.
        DataError: It is not of the size that the manifest tells.
    """
    stored = read_picture(folder, sample)
    if card.level == "cell":
        return as_input(pixels.window_of(stored, sample.px_per_rbc), card)
    return as_input(pixels.squared(stored), card)


def as_input(shown: Image, card: ModelCard) -> Image:
    """The window of a cell, or a whole picture made square, as input of shape (S, S, 3)."""
    if card.level == "cell":
        return pixels.classifier_input(shown, card.input_px, card.px_per_rbc)
    return pixels.picture_input(shown, card.input_px)
