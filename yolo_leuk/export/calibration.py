"""Pictures of a training split as a net is shown them: what the ranges of INT8 are measured on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np

from yolo_leuk.backends.net import Arrays
from yolo_leuk.dataset import DataSet, read_picture
from yolo_leuk.export.fitting_data import check_fits, samples_of
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Image, Sample
from yolo_leuk.sample_input import sample_input

_BATCH = 16


def batches(data: DataSet, card: ModelCard, samples: int, seed: int) -> Iterator[Image]:
    """Inputs of a net, made of samples of the training split that are drawn by chance.

    Args:
        data: Of the task, level and classes of the net.
        card: Of the net.
        samples: How many are drawn; all, where there are no more.
        seed: Of the draw.

    Returns:
        Batches, uint8 RGB, shape (n, height, width, 3); one at a time is in memory.

    Raises:
        UsageError: The data set is none for this net.
        DataError: It has no training split, or a picture of it is missing.
    """
    check_fits(data, card)
    training = samples_of(data, "train")
    drawn = random.Random(seed).sample(training, min(samples, len(training)))
    if card.task == "detect":
        return _of_fields(data, drawn, card)
    return _of_cells(data, drawn, card)


def _of_cells(data: DataSet, samples: Sequence[Sample], card: ModelCard) -> Iterator[Image]:
    for start in range(0, len(samples), _BATCH):
        some = samples[start : start + _BATCH]
        yield np.stack([sample_input(data.folder, sample, card) for sample in some])


def _of_fields(data: DataSet, samples: Sequence[Sample], card: ModelCard) -> Iterator[Image]:
    for sample in samples:
        shown = _Shown(card)
        FieldDetector(shown).detect(read_picture(data.folder, sample), sample.px_per_rbc)
        yield from shown.batches


class _Shown:
    """A net that finds nothing, and keeps what it is shown."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.batches: list[Image] = []

    def run(self, batch: Image) -> Arrays:
        """No box in any picture."""
        self.batches.append(batch)
        return {"boxes": np.zeros((len(batch), 4 + len(self.card.scheme), 0), np.float32)}
