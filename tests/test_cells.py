"""White cells found by their colour, on fields of synthetic discs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_fields import GLASS, VIOLET, field_of
from yolo_leuk import geometry, images, pixels
from yolo_leuk.prepare.white_cells.cells import (
    CellSizes,
    cells_from_mask,
    find_cells,
    separated,
)

PX = 20.0


def red_cells(size: int = 224) -> list[tuple[int, int, int]]:
    return [(x, y, 10) for x in range(16, size, 48) for y in range(16, size, 48)]


def mask_of(*discs, size: int = 200) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    for x, y, radius in discs:
        cv2.circle(mask, (x, y), radius, 255, cv2.FILLED)
    return mask


def expected(discs, size: int = 224) -> np.ndarray:
    boxes = np.array([(x - r, y - r, x + r + 1, y + r + 1) for x, y, r in discs], np.float32)
    return geometry.clip_xyxy(boxes, (size, size))


def assert_found(found, discs, least_iou: float = 0.75) -> None:
    assert len(found.xyxy) == len(discs)
    assert geometry.iou(found.xyxy, expected(discs)).max(axis=1).min() > least_iou


# --- whole fields ------------------------------------------------------------------------------


def test_violet_cells_are_boxed_and_red_cells_are_not():
    white = [(60, 60, 13), (150, 90, 16), (90, 170, 11)]
    assert_found(find_cells(field_of(white, red_cells()), PX), white)


@pytest.mark.parametrize("apart", [18, 20, 22, 24])
def test_two_cells_that_touch_become_two(apart):
    white = [(80, 100, 13), (80 + apart, 104, 13)]
    assert_found(find_cells(field_of(white, red_cells()), PX), white)


def test_a_clump_of_four_becomes_four():
    white = [(90, 90, 13), (114, 92, 13), (92, 114, 13), (116, 116, 13)]
    assert_found(find_cells(field_of(white, red_cells()), PX), white)


def test_an_oval_cell_stays_one():
    rgb = field_of(red=red_cells())
    cv2.ellipse(rgb, (110, 110), (19, 12), 30, 0, 360, VIOLET, cv2.FILLED)
    assert len(find_cells(rgb, PX).xyxy) == 1


def test_the_glass_that_a_ring_of_cells_encloses_is_no_cell():
    angles = np.arange(8) * np.pi / 4
    ring = [(round(112 + 34 * np.cos(a)), round(112 + 34 * np.sin(a)), 13) for a in angles]
    found = find_cells(field_of(ring), PX)
    assert_found(found, ring, least_iou=0.6)
    assert found.labels[112, 112] == 0


def test_the_pale_middle_of_a_nucleus_belongs_to_it():
    rgb = field_of([(100, 100, 15)], red_cells())
    cv2.circle(rgb, (100, 100), 3, GLASS, cv2.FILLED)
    found = find_cells(rgb, PX)
    assert len(found.xyxy) == 1
    assert found.labels[100, 100] == 1


@pytest.mark.parametrize(("radius", "count"), [(3, 0), (5, 0), (8, 1), (25, 1), (33, 0)])
def test_dust_and_clumps_are_no_cells(radius, count):
    white = [(50, 50, 13), (140, 140, radius)]
    assert len(find_cells(field_of(white, red_cells()), PX).xyxy) == 1 + count


def test_sizes_are_measured_in_red_cells():
    white = [(120, 120, 18), (300, 300, 20)]
    red = [(x, y, 20) for x in range(30, 448, 96) for y in range(30, 448, 96)]
    found = find_cells(field_of(white, red, size_wh=(448, 448)), 2 * PX)
    assert len(found.xyxy) == 2
    assert len(find_cells(field_of(white, red, size_wh=(448, 448)), 4 * PX).xyxy) == 0


def test_a_cell_at_the_border_is_found_and_marked():
    found = find_cells(field_of([(4, 100, 13), (110, 110, 13)], red_cells()), PX)
    assert sorted(found.touches_border.tolist()) == [False, True]
    at_border = found.xyxy[found.touches_border][0]
    assert at_border[0] == 0


def test_labels_and_boxes_speak_of_the_same_cells():
    white = [(60, 60, 13), (150, 90, 16), (90, 170, 11)]
    found = find_cells(field_of(white, red_cells()), PX)
    assert found.labels.shape == (224, 224)
    for row, (x1, y1, x2, y2) in enumerate(found.xyxy):
        rows, columns = np.nonzero(found.labels == row + 1)
        assert x1 <= columns.min() <= columns.max() < x2
        assert y1 <= rows.min() <= rows.max() < y2


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((64, 64, 3), GLASS, np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.full((64, 64, 3), 255, np.uint8),
        field_of(red=red_cells()),
    ],
    ids=["glass", "black", "white", "red cells"],
)
def test_a_field_without_violet_has_no_cells(rgb):
    found = find_cells(rgb, PX)
    assert found.xyxy.shape == (0, 4)
    assert not found.labels.any()


def test_finding_cells_leaves_the_field_as_it_was():
    rgb = field_of([(60, 60, 13)], red_cells())
    before = rgb.copy()
    find_cells(rgb, PX)
    np.testing.assert_array_equal(rgb, before)


@pytest.mark.parametrize("label", ["Benign", "Early", "Pre", "Pro"])
def test_real_fields_have_cells_of_a_cells_size(real_data, label):
    files = sorted((real_data / "all4" / "Original" / label).glob("*.jpg"))[::25]
    widths, with_cells = [], 0
    for file in files:
        found = find_cells(pixels.without_scale_bar(images.read_image(file)), PX).xyxy
        with_cells += len(found) > 0
        widths += np.sqrt(geometry.area(found)).tolist()
    assert with_cells >= 0.9 * len(files)
    assert 0.8 * PX < np.median(widths) < 2.5 * PX


# --- parts of the method -----------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(20, 180), st.integers(20, 180), st.integers(8, 18)),
        min_size=1,
        max_size=6,
    )
)
def test_parts_share_out_the_mask_and_never_leave_it(discs):
    mask = mask_of(*discs)
    parts = separated(mask, 11.0)
    assert not parts[mask == 0].any()
    _, components = cv2.connectedComponents(mask)
    for component in range(1, components.max() + 1):
        inside = parts[components == component]
        assert inside.all() or not inside.any()


def test_the_border_between_two_equal_cells_runs_midway():
    parts = separated(mask_of((80, 100, 16), (106, 100, 16)), 11.0)
    assert parts[100, 80] != parts[100, 106]
    columns = np.flatnonzero(np.diff(parts[100, 70:117])) + 70
    assert len(columns) == 1
    assert abs(columns[0] + 0.5 - 93) <= 1


def test_the_border_between_unequal_cells_runs_where_their_outlines_cross():
    large, small = (80, 100, 20), (106, 100, 11)
    parts = separated(mask_of(large, small), 11.0)
    columns = np.flatnonzero(np.diff(parts[100, 70:115])) + 70
    # Both outlines pass through x = 80 + (26² + 20² − 11²) / (2 · 26).
    assert len(columns) == 1
    assert abs(columns[0] + 0.5 - 98.4) <= 1.5


def test_parts_that_do_not_touch_are_never_joined():
    parts = separated(mask_of((60, 60, 14), (140, 140, 14)), 11.0)
    assert set(np.unique(parts)) == {0, parts[60, 60], parts[140, 140]}
    assert parts[60, 60] != parts[140, 140]


def test_a_ragged_piece_is_no_cell():
    mask = np.zeros((200, 200), np.uint8)
    cv2.line(mask, (60, 60), (100, 60), 255, 9)
    cv2.line(mask, (60, 60), (60, 100), 255, 9)
    undivided = CellSizes(least_distance=3.0)
    assert len(cells_from_mask(mask, PX, undivided).xyxy) == 0
    cv2.rectangle(mask, (60, 60), (100, 100), 255, cv2.FILLED)
    assert len(cells_from_mask(mask, PX, undivided).xyxy) == 1
    assert len(cells_from_mask(mask_of((80, 80, 14)), PX, CellSizes()).xyxy) == 1


def test_the_boxes_of_a_mask_frame_its_cells_and_end_at_the_edge():
    inner, outer = cells_from_mask(mask_of((80, 80, 14), (6, 150, 14)), PX).xyxy
    np.testing.assert_allclose(inner, [66, 66, 95, 95], atol=1)
    np.testing.assert_allclose(outer, [0, 136, 21, 165], atol=1)


def test_a_cell_is_one_by_its_outline_though_its_nucleus_has_lobes():
    cell = mask_of((100, 100, 22))
    lobes = mask_of((90, 92, 8), (112, 94, 8), (100, 114, 8))
    assert len(cells_from_mask(cell, PX, nuclei=lobes).xyxy) == 1


def test_cells_that_run_into_each_other_are_two_by_their_nuclei():
    merged = mask_of((85, 100, 15), (109, 100, 15)) | mask_of((97, 92, 12), (97, 108, 12))
    assert len(cells_from_mask(merged, PX).xyxy) == 1
    nuclei = mask_of((85, 100, 11), (109, 100, 11))
    assert len(cells_from_mask(merged, PX, nuclei=nuclei).xyxy) == 2


def test_what_has_hardly_a_nucleus_is_no_cell():
    cell = mask_of((100, 100, 16))
    assert len(cells_from_mask(cell, PX, nuclei=mask_of((100, 100, 12))).xyxy) == 1
    assert len(cells_from_mask(cell, PX, nuclei=mask_of((100, 100, 5))).xyxy) == 0


def test_a_bridge_and_a_streak_belong_to_no_cell():
    mask = mask_of((60, 100, 14), (140, 100, 14))
    cv2.line(mask, (60, 100), (140, 100), 255, 5)
    cv2.line(mask, (140, 100), (140, 190), 255, 7)
    found = cells_from_mask(mask, PX).xyxy
    assert geometry.iou(found, cells_from_mask(mask_of((60, 100, 14), (140, 100, 14)), PX).xyxy)[
        [0, 1], [0, 1]
    ] == pytest.approx(1, abs=0.15)


def test_a_field_of_three_times_the_scale_has_the_same_cells():
    white = [(60, 60, 13), (150, 90, 16), (90, 170, 11)]
    small = find_cells(field_of(white, red_cells()), PX)
    large = cv2.resize(field_of(white, red_cells()), (674, 673), interpolation=cv2.INTER_CUBIC)
    found = find_cells(large, 3 * PX)
    assert found.labels.shape == (673, 674)
    assert geometry.iou(found.xyxy / 3, small.xyxy).max(axis=1).min() > 0.85
    for row, (x1, y1, x2, y2) in enumerate(found.xyxy):
        rows, columns = np.nonzero(found.labels == row + 1)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x1, y1, x2, y2)


@given(
    st.lists(
        st.tuples(st.integers(20, 180), st.integers(20, 180), st.integers(8, 18)),
        min_size=0,
        max_size=6,
    )
)
def test_every_box_is_the_bounds_of_its_label(discs):
    found = cells_from_mask(mask_of(*discs), PX)
    assert set(np.unique(found.labels)) - {0} == set(range(1, len(found.xyxy) + 1))
    for row, box in enumerate(found.xyxy):
        rows, columns = np.nonzero(found.labels == row + 1)
        assert tuple(box) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
