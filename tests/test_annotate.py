"""The annotated picture: boxes, labels, legend, colours."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_results import cell, picture, result_of
from yolo_leuk.detect.annotate import draw_cells
from yolo_leuk.detect.label_placement import place_labels
from yolo_leuk.detect.legend import add_legend
from yolo_leuk.detect.lettering import Font
from yolo_leuk.detect.palette import class_colours, text_colour_on
from yolo_leuk.geometry import intersection
from yolo_leuk.labels import MATURITY, LabelScheme
from yolo_leuk.records import UNIDENTIFIED

COLOURS = class_colours(MATURITY)

# How colours look without one kind of cone, for linear RGB; severity 1.0.
# Machado, Oliveira, Fernandes. IEEE Trans Vis Comput Graph 2009;15:1291-1298.
COLOUR_VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def has_colour(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.all(pixels == np.array(colour), axis=-1)


# --- boxes ----------------------------------------------------------------------------------------


def test_the_picture_given_is_left_as_it_is():
    rgb = picture(1200, 900)
    before = rgb.copy()
    marked = draw_cells(rgb, [cell(1, (300, 300, 420, 420))], COLOURS)
    assert np.array_equal(rgb, before)
    assert not np.array_equal(marked, before)


def test_a_picture_without_cells_is_shown_unchanged():
    rgb = picture(1200, 900)
    assert np.array_equal(draw_cells(rgb, [], COLOURS), rgb)


@pytest.mark.parametrize(
    ("size_wh", "shown_wh"),
    [((224, 224), (1120, 1120)), ((640, 480), (1280, 960)), ((4000, 3000), (4000, 3000))],
)
def test_small_pictures_are_enlarged_by_a_whole_factor_and_large_ones_are_not(size_wh, shown_wh):
    marked = draw_cells(picture(*size_wh), [cell(1, (50, 60, 120, 140))], COLOURS)
    assert marked.shape[1::-1] == shown_wh


@pytest.mark.parametrize("width", [224, 640, 1600, 4000])
def test_a_box_runs_around_its_cell_in_the_colour_of_its_class(width):
    rgb = np.full((width, width, 3), 255, np.uint8)
    box = (0.40 * width, 0.40 * width, 0.55 * width, 0.55 * width)
    marked = draw_cells(rgb, [cell(1, box, "Pro")], COLOURS)
    factor = marked.shape[1] / width
    x1, y1, x2, y2 = (round(v * factor) for v in box)
    middle = (y1 + y2) // 2
    near = round(0.01 * marked.shape[1]) + 3
    left_side = marked[middle, x1 - near : x1 + 1]
    assert has_colour(left_side, COLOURS["Pro"]).sum() >= 2
    inside = marked[y1 + near : y2 - near, x1 + near : x2 - near]
    assert np.all(inside == 255)


def test_the_box_of_an_unidentified_cell_is_dashed():
    rgb = np.full((1000, 1000, 3), 255, np.uint8)
    box = (300, 300, 700, 700)

    def share_of_left_side(label: str) -> float:
        marked = draw_cells(rgb, [cell(1, box, label)], COLOURS)
        strip = has_colour(marked[310:690, 290:305], COLOURS[label])
        return float(strip.any(axis=1).mean())

    assert share_of_left_side("Other") == 1
    assert 0.3 < share_of_left_side(UNIDENTIFIED) < 0.8


# --- labels ---------------------------------------------------------------------------------------

boxes = st.lists(
    st.tuples(st.floats(-20, 600), st.floats(-20, 440), st.floats(5, 150), st.floats(5, 150)).map(
        lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
    ),
    min_size=1,
    max_size=30,
)


@given(boxes)
@settings(deadline=None)
def test_labels_stay_inside_of_the_picture(corners):
    offers = [[(60.0, 14.0), (20.0, 14.0)]] * len(corners)
    for placement in place_labels(np.array(corners), offers, (640, 480), 2):
        x1, y1, x2, y2 = placement.xyxy
        assert 0 <= x1 < x2 <= 640
        assert 0 <= y1 < y2 <= 480


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
@settings(deadline=None)
def test_where_there_is_room_no_label_covers_a_cell_or_another_label(places):
    """Cells of 60 px on a grid of 120 px leave room for a full label beside each."""
    corners = np.array([(120 * x + 30, 120 * y + 30) for x, y in sorted(places)], np.float64)
    cells = np.hstack([corners, corners + 60])
    placements = place_labels(cells, [[(70.0, 14.0), (20.0, 14.0)]] * len(cells), (620, 620), 2)
    labels = np.array([placement.xyxy for placement in placements])
    assert all(placement.choice == 0 for placement in placements)
    assert intersection(labels, cells).sum() == 0
    assert np.triu(intersection(labels, labels), k=1).sum() == 0


def test_where_there_is_no_room_the_short_label_is_taken():
    crowd = np.array([(x, y, x + 50, y + 50) for x in range(0, 500, 50) for y in range(0, 500, 50)])
    placements = place_labels(crowd, [[(60.0, 14.0), (20.0, 14.0)]] * 100, (500, 500), 2)
    assert {placement.choice for placement in placements} == {1}
    assert len({placement.xyxy for placement in placements}) == 100


def test_a_cell_that_fills_the_picture_has_its_whole_label_in_a_corner():
    whole = np.array([(0.0, 0.0, 640.0, 480.0)])
    (placement,) = place_labels(whole, [[(60.0, 14.0), (20.0, 14.0)]], (640, 480), 2)
    assert placement.choice == 0
    assert placement.xyxy == (0, 0, 60, 14)


def test_a_box_at_the_edge_of_the_picture_is_drawn_whole():
    rgb = np.full((1000, 1000, 3), 255, np.uint8)
    marked = draw_cells(rgb, [cell(1, (0, 0, 1000, 1000), "Pro")], COLOURS)
    for side in (marked[:8], marked[-8:], marked[:, :8], marked[:, -8:]):
        assert has_colour(side, COLOURS["Pro"]).sum() > 1000


def test_labels_are_the_same_in_every_run():
    corners = np.random.default_rng(3).uniform(0, 400, (40, 2))
    crowd = np.hstack([corners, corners + 40])
    first, second = (
        place_labels(crowd, [[(60.0, 14.0), (20.0, 14.0)]] * 40, (460, 460), 2) for _ in range(2)
    )
    assert first == second


def test_a_label_at_the_edge_can_be_seen_whole():
    rgb = np.full((1000, 1000, 3), 255, np.uint8)
    corner = draw_cells(rgb, [cell(1, (0, 0, 80, 80), "Benign")], COLOURS)
    middle = draw_cells(rgb, [cell(1, (400, 400, 480, 480), "Benign")], COLOURS)
    ink = [(marked.max(axis=2) < 80).sum() for marked in (corner, middle)]
    # The same text; the box's own rim is cut off at the edge of the picture.
    assert ink[0] > 0.5 * ink[1]


def test_two_hundred_cells_on_a_large_picture_are_drawn_in_bounded_time():
    import time

    corners = np.random.default_rng(1).uniform(0, (3900, 2900), (200, 2))
    cells = [cell(i + 1, (x, y, x + 90, y + 90)) for i, (x, y) in enumerate(corners.tolist())]
    rgb = np.full((3000, 4000, 3), 230, np.uint8)
    start = time.perf_counter()
    draw_cells(rgb, cells, COLOURS)
    assert time.perf_counter() - start < 5


# --- legend ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_wh", [(1600, 1200), (300, 1200), (4000, 500)])
def test_the_legend_covers_nothing_of_the_picture(size_wh):
    marked = picture(*size_wh)
    sheet = add_legend(marked, result_of([cell(1, (10, 10, 60, 60))]), MATURITY, COLOURS)
    height, width = marked.shape[:2]
    assert np.array_equal(sheet[:height, :width], marked)
    assert sheet.shape[0] > height


def test_the_legend_shows_the_colour_of_every_class():
    result = result_of([cell(1, (10, 10, 60, 60)), cell(2, (90, 10, 140, 60), UNIDENTIFIED)])
    legend = add_legend(picture(1200, 900), result, MATURITY, COLOURS)[900:]
    for name, colour in COLOURS.items():
        assert has_colour(legend, colour).sum() > 20, name


def test_no_line_of_the_legend_runs_out_of_a_narrow_picture():
    result = result_of([cell(1, (10, 10, 60, 60))])
    sheet = add_legend(picture(300, 1500), result, MATURITY, COLOURS)
    assert np.all(sheet[1500:, -5:] == 255)


def test_a_legend_says_something_else_where_there_is_no_blast_fraction():
    with_cells = result_of([cell(1, (10, 10, 60, 60), "Other")])
    without = result_of([])
    sheets = [add_legend(picture(), result, MATURITY, COLOURS) for result in (with_cells, without)]
    assert not np.array_equal(*sheets)


def test_text_is_as_wide_as_it_says():
    font = Font(14)
    canvas = np.zeros((60, 600, 3), np.uint8)
    font.draw(canvas, "Blasts 12.5%", (50, 40), (255, 255, 255))
    columns = np.flatnonzero(canvas.any(axis=(0, 2)))
    rows = np.flatnonzero(canvas.any(axis=(1, 2)))
    assert columns[0] >= 48
    assert columns[-1] <= 50 + font.width("Blasts 12.5%") + 1
    assert 40 - rows[0] == pytest.approx(14, abs=2)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=12), max_size=30))
@settings(deadline=None)
def test_wrapped_text_keeps_its_words_and_its_width(words):
    font = Font(10)
    lines = font.wrap(" ".join(words), 120)
    assert " ".join(lines).split() == words
    assert all(font.width(line) <= 120 or " " not in line for line in lines)


# --- colours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_the_colours_of_the_shipped_classes_differ_with_every_colour_vision(vision):
    srgb = np.array(list(COLOURS.values()), np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ COLOUR_VISION[vision].T, 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = cv2.cvtColor(seen[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    for (a, first), (b, second) in itertools.combinations(zip(COLOURS, lab, strict=True), 2):
        # A difference of 2.3 is just noticeable.
        assert np.linalg.norm(first - second) > 10, f"{a} and {b}"


def test_text_can_be_read_on_every_colour():
    for colour in COLOURS.values():
        channels = np.array([colour, text_colour_on(colour)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        dark, light = sorted(linear @ [0.2126, 0.7152, 0.0722])
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2, level AA


def test_every_class_of_any_scheme_has_a_colour_and_one_blast_has_the_strongest():
    scheme = LabelScheme(tuple("abcdefghij"), frozenset("j"))
    colours = class_colours(scheme)
    assert set(colours) == {*scheme.names, UNIDENTIFIED}
    assert colours["j"] == COLOURS["Pro"]
    assert class_colours(LabelScheme(("x", "y")))["x"] != class_colours(scheme)["j"]
