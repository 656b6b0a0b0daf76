"""What a classifier is shown of a prepared sample, and how that becomes its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from yolo_leuk import pixels
from yolo_leuk.dataset import read_picture
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.stress import Condition, others_of, under
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Image
from yolo_leuk.sample_input import as_input


@dataclass(frozen=True)
class Showing:
    """The samples of a split as pictures.

    Attributes:
        held_out: The samples.
    """

    held_out: HeldOut

    def under(self, condition: Condition, numbers: Sequence[int]) -> list[Image]:
        """What is shown of some samples under a condition, RGB, each square.

        Raises:
            ImageError: A picture cannot be read.
            DataError: It is not of the size that the manifest tells.
        """
        others = others_of(len(self.held_out.samples))
        show = partial(self._shown, ruler=condition.ruler)
        return [
            under(
                condition,
                show(number),
                self.held_out.samples[number].px_per_rbc,
                number,
                _later(show, int(others[number])),
            )
            for number in numbers
        ]

    def _shown(self, number: int, ruler: float) -> Image:
        """The window of a cell, or the whole of a picture, by a ruler that is so many times off."""
        sample = self.held_out.samples[number]
        stored = read_picture(self.held_out.data.folder, sample)
        height, width = stored.shape[:2]
        if self.held_out.data.level == "cell":
            side = pixels.window_side(sample.px_per_rbc * ruler)
        else:
            side = max(1, round(max(width, height) * ruler))
        return pixels.cut_window(stored, (width // 2, height // 2), side)


def inputs_of(shown: Sequence[Image], card: ModelCard) -> Image:
    """Inputs of a classifier, shape (n, S, S, 3)."""
    return np.stack([as_input(rgb, card) for rgb in shown])


def _later(show: Callable[[int], Image], number: int) -> Callable[[], Image]:
    return lambda: show(number)
