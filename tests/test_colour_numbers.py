"""Eleven numbers that hold colour and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_smears import smear
from yolo_leuk.colour_numbers import colour_numbers


def test_the_eleven_numbers_are_those_of_the_pixels():
    pixels = np.array([[value] * 3 for value in range(101)], np.uint8)
    numbers = colour_numbers(pixels)
    assert numbers[:6].tolist() == [95] * 3 + [5] * 3
    assert numbers[6:].tolist() == pytest.approx([5, 25, 50, 75, 95])
    assert colour_numbers(pixels[:0]).tolist() == [0] * 11


def test_the_order_of_pixels_does_not_matter():
    pixels = smear(0).reshape(-1, 3)
    shuffled = np.random.default_rng(0).permutation(pixels)
    assert np.array_equal(colour_numbers(pixels), colour_numbers(shuffled))
