"""Where windows lie in a picture, and how much of the heat lies on cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_explain import CARD, GLASS
from yolo_leuk import pixels
from yolo_leuk.explain.heat import field_heat, relative, share_on
from yolo_leuk.explain.windows import Window, cell_windows, looked_at, picture_window
from yolo_leuk.records import CellCall


def cell(box, number=1) -> CellCall:
    return CellCall(
        number, tuple(map(float, box)), 0.9, "Early", 0.9, {"Early": 0.9}, 0.9, "called"
    )


def window(corner, side, size=4) -> Window:
    return Window(cell((0, 0, 1, 1)), corner, side, np.zeros((size, size, 3), np.uint8), GLASS)


def test_the_share_on_a_mask_is_that_of_its_heat():
    heat = np.array([[1.0, 3.0], [0.0, 4.0]], np.float32)
    mask = np.array([[False, True], [True, False]])
    assert share_on(mask, heat) == pytest.approx(3 / 8)


def test_even_heat_lies_on_cells_as_much_as_they_take_of_the_area():
    mask = np.zeros((10, 10), bool)
    mask[2:5, 3:9] = True
    assert share_on(mask, np.full((10, 10), 0.3, np.float32)) == pytest.approx(mask.mean())


def test_where_there_is_no_heat_there_is_no_share():
    assert share_on(np.ones((3, 3), bool), np.zeros((3, 3), np.float32)) is None
    assert not relative(np.zeros((3, 3), np.float32)).any()


def test_the_heat_of_windows_lies_where_they_do_and_the_greater_wins():
    hot = np.full((4, 4), 2.0, np.float32)
    ramp = np.repeat(np.array([[1.0, 1.0, 2.0, 2.0]], np.float32), 4, axis=0)
    field = field_heat([window((10, 20), 8), window((14, 20), 8)], [ramp, hot], (40, 50))
    assert field[20:28, 14:22] == pytest.approx(1.0)
    assert field[20:28, 10] == pytest.approx(0.5)
    field[20:28, 10:22] = 0
    assert not field.any()


@given(st.integers(-30, 60), st.integers(-30, 60), st.integers(1, 25))
def test_what_lies_outside_of_the_picture_is_left_out(left, top, side):
    field = field_heat([window((left, top), side)], [np.ones((4, 4), np.float32)], (30, 40))
    inside = np.zeros((30, 40), bool)
    inside[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = True
    assert np.array_equal(field > 0, inside)


@given(st.integers(0, 99), st.integers(0, 79), st.sampled_from([9.0, 14.0, 20.0, 41.0, 60.0, 85.0]))
def test_a_window_shows_the_part_of_the_picture_that_it_names(x, y, px_per_rbc):
    """Its pixels, brought to its size in the picture, are those that lie there."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (4, 5, 3), np.uint8)
    rgb = np.repeat(np.repeat(coarse, 20, axis=0), 20, axis=1)
    (found,) = cell_windows(rgb, [cell((x, y, x + 4, y + 4))], px_per_rbc, CARD)
    fill = pixels.background_colour(pixels.reduced_field(rgb, px_per_rbc)[0])
    padded = np.full((80 + 800, 100 + 800, 3), fill, np.uint8)
    padded[400:480, 400:500] = rgb
    left, top = (400 + value for value in found.corner_xy)
    part = padded[top : top + found.side_px, left : left + found.side_px]
    expected = pixels.resample(part, (CARD.input_px, CARD.input_px))
    apart = np.abs(found.shown.astype(int) - expected).mean()
    assert apart < 12  # of 255: sharpness differs, the place does not


def test_a_whole_picture_is_one_window_that_is_square():
    rgb = np.full((60, 100, 3), GLASS, np.uint8)
    found = picture_window(rgb, cell((0, 0, 100, 60)), CARD)
    assert (found.corner_xy, found.side_px) == ((0, -20), 100)
    assert found.shown.shape == (CARD.input_px, CARD.input_px, 3)


def test_black_around_a_cell_is_replaced_by_glass_as_the_pipeline_does():
    rgb = np.zeros((60, 60, 3), np.uint8)
    rgb[20:40, 20:40] = (90, 50, 140)
    assert looked_at(rgb, "cell")[0, 0].min() > 200
    assert np.array_equal(looked_at(rgb, "cell")[20:40, 20:40], rgb[20:40, 20:40])


def test_no_cells_have_no_windows():
    assert cell_windows(np.zeros((9, 9, 3), np.uint8), [], 20.0, CARD) == []
