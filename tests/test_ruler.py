"""How large a red cell is, measured with a net that sees discs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.made_nets import DETECTOR_CARD, BoxesNet, DiscsNet
from yolo_leuk import ruler
from yolo_leuk.field_detector import FieldDetector


def smear_of(diameter: int, columns: int = 8, rows: int = 6, wider: int = 0) -> np.ndarray:
    """A pale field of red discs, whole ones only; every other one is wider by ``wider``."""
    step = round(1.4 * diameter)
    rgb = np.full((rows * step, columns * step, 3), (236, 228, 232), np.uint8)
    for row in range(rows):
        for column in range(columns):
            centre = column * step + step // 2, row * step + step // 2
            radius = (diameter + wider * ((row + column) % 2)) // 2
            cv2.circle(rgb, centre, radius, (206, 90, 100), cv2.FILLED)
    return rgb


def scale_of(rgb: np.ndarray):
    return ruler.measure(rgb, FieldDetector(DiscsNet()))


@pytest.mark.parametrize("diameter", [9, 14, 20, 31, 45, 70, 100, 140])
def test_the_width_of_a_red_cell_is_found_at_every_magnification(diameter):
    scale = scale_of(smear_of(diameter))
    assert scale.px_per_rbc == pytest.approx(diameter, rel=0.12)
    assert scale.source == "auto"
    assert 0.5 < scale.confidence <= 1


def test_many_cells_of_one_width_are_surer_than_few_and_than_uneven_ones():
    many = scale_of(smear_of(40)).confidence
    assert many > scale_of(smear_of(40, columns=3, rows=2)).confidence
    assert many > scale_of(smear_of(40, wider=16)).confidence


def test_one_red_cell_is_a_ruler_of_little_confidence():
    scale = scale_of(smear_of(40, columns=1, rows=1))
    assert scale.px_per_rbc == pytest.approx(40, rel=0.12)
    assert scale.source == "auto"
    assert scale.confidence <= 0.05


def test_many_specks_between_the_cells_do_not_outvote_them():
    rgb = smear_of(100, columns=4, rows=3)
    glass = (rgb[..., 1] > 200).astype(np.uint8)
    far_from_cells = cv2.distanceTransform(glass, cv2.DIST_L2, 5) > 8
    for y in range(10, rgb.shape[0] - 10, 14):
        for x in range(10, rgb.shape[1] - 10, 14):
            if far_from_cells[y, x]:
                cv2.circle(rgb, (x, y), 4, (206, 90, 100), cv2.FILLED)
    assert scale_of(rgb).px_per_rbc == pytest.approx(100, rel=0.12)


def test_an_empty_field_has_no_scale():
    assert scale_of(np.full((300, 400, 3), 230, np.uint8)).px_per_rbc is None


def test_cells_that_the_edge_cuts_are_no_ruler():
    uncut = smear_of(40, columns=4, rows=4)
    cut = uncut[25:-25, 25:-25]  # of sixteen cells only the four in the middle are whole
    few, many = scale_of(cut), scale_of(uncut)
    assert many.px_per_rbc == pytest.approx(40, rel=0.1)
    assert few.confidence == pytest.approx(many.confidence * 4 / 16, rel=0.2)


def test_where_no_red_cell_is_found_a_white_cell_stands_in_without_confidence():
    side = 1.9 * DETECTOR_CARD.px_per_rbc
    net = BoxesNet([(20, 20, 20 + side, 20 + side, 0.9, 0)])
    scale = ruler.measure(np.zeros((300, 300, 3), np.uint8), FieldDetector(net))
    assert scale.source == "auto"
    assert scale.confidence == 0
    assert scale.px_per_rbc > 0


def test_a_speck_in_a_picture_that_a_white_cell_fills_is_not_taken_for_a_red_cell():
    rgb = np.full((300, 300, 3), (236, 228, 232), np.uint8)
    cv2.circle(rgb, (150, 150), 80, (120, 60, 160), cv2.FILLED)
    cv2.circle(rgb, (120, 140), 9, (206, 90, 100), cv2.FILLED)
    assert scale_of(rgb).px_per_rbc == pytest.approx(160 / 1.9, rel=0.2)


def test_platelets_are_no_ruler():
    net = BoxesNet([(x, 100, x + 12, 112, 0.9, 2) for x in (40, 80, 120)])
    assert ruler.measure(np.zeros((300, 300, 3), np.uint8), FieldDetector(net)).px_per_rbc is None


# --- one cell on black -------------------------------------------------------------------------


def on_black(radius: int = 40, size: int = 200, centre=(110, 90)) -> np.ndarray:
    rgb = np.zeros((size, size, 3), np.uint8)
    cv2.circle(rgb, centre, radius, (150, 60, 170), cv2.FILLED)
    return rgb


def test_a_cell_on_black_is_recognised():
    assert ruler.is_cell_on_black(on_black())


def test_a_little_noise_of_jpeg_on_the_black_does_not_hide_it():
    noise = np.random.default_rng(0).integers(0, ruler.BLACK + 1, (200, 200, 1), np.uint8)
    assert ruler.is_cell_on_black(np.maximum(on_black(), noise))


def test_a_field_a_black_picture_and_a_cell_over_the_edge_are_no_cells_on_black():
    assert not ruler.is_cell_on_black(smear_of(20))
    assert not ruler.is_cell_on_black(np.zeros((50, 50, 3), np.uint8))
    assert not ruler.is_cell_on_black(on_black(centre=(10, 100)))


def test_the_bounds_of_a_cell_on_black_are_those_of_what_is_not_black():
    assert ruler.box_on_black(on_black()) == (70, 50, 151, 131)


def test_a_black_picture_is_bounded_by_itself():
    assert ruler.box_on_black(np.zeros((20, 30, 3), np.uint8)) == (0, 0, 30, 20)


def test_the_scale_of_a_single_cell_follows_from_its_width():
    assert ruler.of_single_cell(on_black(radius=40), cell_diameter_rbc=1.6) == pytest.approx(
        80 / 1.6, rel=0.03
    )


def test_black_around_a_cell_becomes_glass_and_the_cell_stays_as_it_is():
    cell = on_black()
    before = cell.copy()
    lit = ruler.on_glass(cell)
    inside = cell.max(axis=2) > ruler.BLACK
    np.testing.assert_array_equal(lit[inside], cell[inside])
    assert lit[~inside].min() > 200
    np.testing.assert_array_equal(cell, before)
    assert not ruler.is_cell_on_black(lit)


def test_real_single_cells_are_recognised_and_real_fields_are_not(real_data):
    from yolo_leuk.images import read_image

    cells = sorted((real_data / "cnmc" / "training_data" / "fold_1").glob("*/*"))[::50]
    fields = sorted((real_data / "txl-pbc" / "images" / "test").glob("*"))[::5]
    assert len(cells) >= 25
    assert len(fields) >= 25
    assert all(ruler.is_cell_on_black(read_image(path)) for path in cells)
    assert not any(ruler.is_cell_on_black(read_image(path)) for path in fields)
