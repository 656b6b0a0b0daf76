"""Plain text tables."""

from __future__ import annotations

import pytest

from yolo_leuk.cli._table import table


def test_the_first_column_stands_left_and_the_others_right():
    assert table(["image", "cells"], [["a.jpg", "7"], ["longer.jpg", "12"]]) == (
        "image       cells\na.jpg           7\nlonger.jpg     12"
    )


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["1"]])
