"""Named steps on a picture: what each does to pixels, and that boxes and mask go along."""

from __future__ import annotations

import dataclasses
import itertools

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.made_fields import BAR_STYLES, field_of, with_bar, without_boxes
from yolo_leuk import images, pixels
from yolo_leuk.config import resolve
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.prepare.pictures.black_border import is_on_black, square_around_cell
from yolo_leuk.prepare.pictures.picture import Picture, cut_square, resized, turned
from yolo_leuk.prepare.pictures.steps import STEPS, StepOptions, apply_steps, check_steps

OPTIONS = StepOptions(size_px=96)


def cell_on_black(size_wh=(200, 160), box=(60, 30, 120, 110), seed: int = 0) -> np.ndarray:
    """A noisy violet ellipse that fills its box, on pure black."""
    width, height = size_wh
    x1, y1, x2, y2 = box
    rgb = np.zeros((height, width, 3), np.uint8)
    x, y = np.arange(width)[None] + 0.5, np.arange(height)[:, None] + 0.5
    inside = ((2 * x - x1 - x2) / (x2 - x1)) ** 2 + ((2 * y - y1 - y2) / (y2 - y1)) ** 2 <= 1
    noise = np.random.default_rng(seed).normal(0, 8, (height, width, 3))
    coloured = np.clip(np.array([120, 60, 150]) + noise, 40, 255).astype(np.uint8)
    rgb[inside] = coloured[inside]
    return rgb


def boxed_cell(box=(60, 30, 120, 110), size_wh=(200, 160)) -> Picture:
    rgb = cell_on_black(size_wh, box)
    mask = np.where(rgb.any(axis=2), 255, 0).astype(np.uint8)
    return Picture(rgb, np.array([box], np.float32), ("white",), mask, 20.0)


def bounds(mask) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


# --- a picture and what moves along ------------------------------------------------------------


def test_a_picture_whose_boxes_and_labels_differ_in_number_is_refused():
    with pytest.raises(DataError, match="2 labels"):
        Picture(cell_on_black(), np.zeros((1, 4), np.float32), ("white", "red"), None, 20.0)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(DataError, match="200×160, got one of 160×200"):
        without_boxes(cell_on_black(), 20.0, np.zeros((200, 160), np.uint8))


@given(st.integers(0, 3), st.booleans())
def test_box_and_mask_turn_with_the_picture(quarter_turns, mirrored):
    after = turned(boxed_cell(), quarter_turns, mirrored)
    assert bounds(after.mask) == after.xyxy[0].tolist()
    np.testing.assert_array_equal(after.mask > 0, after.rgb.any(axis=2))


@given(st.integers(0, 3), st.booleans())
def test_a_picture_that_is_turned_and_turned_back_is_what_it_was(quarter_turns, mirrored):
    before = dataclasses.replace(boxed_cell(), painted_xyxy=(150, 140, 199, 160))
    # A mirrored turn is a reflection, and so its own inverse.
    back = quarter_turns if mirrored else -quarter_turns % 4
    after = turned(turned(before, quarter_turns, mirrored), back, mirrored)
    np.testing.assert_array_equal(after.rgb, before.rgb)
    np.testing.assert_array_equal(after.mask, before.mask)
    np.testing.assert_array_equal(after.xyxy, before.xyxy)
    assert after.painted_xyxy == before.painted_xyxy


@given(st.integers(-90, 190), st.integers(-90, 150), st.integers(1, 260))
def test_box_and_mask_are_cut_with_the_picture(left, top, side):
    after = cut_square(boxed_cell(), (left, top), side)
    assert after.size_wh == (side, side)
    np.testing.assert_array_equal(after.mask > 0, after.rgb.any(axis=2))
    # A box may reach into a cut that its ellipse does not.
    if after.mask.any():
        (box,) = after.xyxy
        x1, y1, x2, y2 = bounds(after.mask)
        assert box[0] <= x1 < x2 <= box[2]
        assert box[1] <= y1 < y2 <= box[3]
    assert len(after.labels) == len(after.xyxy)


def test_a_box_that_is_cut_away_takes_its_label_with_it():
    boxes = np.array([[0, 0, 10, 10], [60, 30, 120, 110]], np.float32)
    picture = Picture(cell_on_black(), boxes, ("red", "white"), None, 20.0)
    after = cut_square(picture, (50, 20), 100)
    assert after.labels == ("white",)
    assert after.xyxy.tolist() == [[10, 10, 70, 90]]


def test_box_mask_and_ruler_scale_with_the_picture():
    after = resized(boxed_cell(), (100, 80))
    assert after.px_per_rbc == pytest.approx(10.0)
    assert after.xyxy.tolist() == [[30, 15, 60, 55]]
    assert np.abs(np.array(bounds(after.mask)) - after.xyxy[0]).max() <= 1
    assert set(np.unique(after.mask)) == {0, 255}


def test_what_was_painted_out_is_known_after_every_move():
    picture = dataclasses.replace(boxed_cell(), painted_xyxy=(150, 140, 199, 160))
    assert resized(picture, (100, 80)).painted_xyxy == (75, 70, 100, 80)
    assert cut_square(picture, (40, 0), 160).painted_xyxy == (110, 140, 159, 160)
    assert turned(picture, 2, False).painted_xyxy == (1, 0, 50, 20)


# --- the black border --------------------------------------------------------------------------


@given(st.integers(0, 150), st.integers(0, 110), st.integers(8, 120), st.integers(8, 120))
def test_no_pixel_of_a_cell_is_cut_with_its_black_border(x, y, width, height):
    box = (x, y, min(x + width, 200), min(y + height, 160))
    picture = without_boxes(cell_on_black(box=box), 20.0)
    assume(is_on_black(picture.rgb))
    after = apply_steps(picture, ["black-border"], OPTIONS)
    assert after.rgb.any(axis=2).sum() == picture.rgb.any(axis=2).sum()
    shown = bounds(after.rgb.any(axis=2))
    side = after.size_wh[0]
    assert after.size_wh == (side, side)
    assert max(shown[2] - shown[0], shown[3] - shown[1]) == side
    # Centred, to the pixel.
    assert abs(shown[0] + shown[2] - side) <= 1
    assert abs(shown[1] + shown[3] - side) <= 1


def test_a_cell_keeps_its_box_when_its_border_is_cut():
    after = apply_steps(boxed_cell(), ["black-border"], OPTIONS)
    assert after.xyxy.tolist() == [[10, 0, 70, 80]]
    assert after.steps == ("black-border: cut to 80 px",)
    assert after.px_per_rbc == 20.0


def test_a_field_has_no_black_border_and_stays():
    picture = without_boxes(field_of([(100, 100, 20)]), 20.0)
    after = apply_steps(picture, ["black-border"], OPTIONS)
    assert after.rgb is picture.rgb
    assert after.steps == ("black-border: none found",)


def test_nothing_but_black_is_left_as_it_is():
    assert square_around_cell(np.zeros((40, 50, 3), np.uint8)) is None


def test_the_border_of_real_cells_is_cut_and_no_cell(real_data):
    files = sorted((real_data / "cnmc" / "training_data").glob("fold_*/*/*"))[::40]
    assert len(files) >= 30
    for file in files:
        rgb = images.read_image(file)
        after = apply_steps(without_boxes(rgb, 140.0), ["black-border"], OPTIONS).rgb
        assert max(after.shape) < 400
        # Faint pixels of the softened outline may go, as dark as the ringing of JPEG.
        assert (after > 16).sum() == (rgb > 16).sum()


def test_real_fields_have_no_black_border(real_data):
    for folder in ("all4/Original/Pre", "txl-pbc/images/test", "bccd/JPEGImages"):
        files = sorted((real_data / folder).iterdir())[::40]
        assert files
        for file in files:
            assert not is_on_black(images.read_image(file)), file


# --- the scale bar -----------------------------------------------------------------------------


@pytest.mark.parametrize("style", BAR_STYLES)
def test_a_scale_bar_is_painted_out_and_its_place_kept(style):
    picture = without_boxes(with_bar(field_of([(60, 60, 14)], [(120, 90, 10)]), style), 20.0)
    after = apply_steps(picture, ["scale-bar"], OPTIONS)
    assert after.steps == ("scale-bar: painted out",)
    assert after.painted_xyxy == pixels.find_scale_bar(picture.rgb)
    np.testing.assert_array_equal(after.rgb, pixels.without_scale_bar(picture.rgb))


def test_a_picture_without_scale_bar_says_so():
    after = apply_steps(without_boxes(field_of(), 20.0), ["scale-bar"], OPTIONS)
    assert after.steps == ("scale-bar: none found",)
    assert after.painted_xyxy is None


# --- contrast ----------------------------------------------------------------------------------


def test_clahe_is_that_of_opencv_on_luma_and_leaves_the_chroma():
    rgb = field_of([(60, 60, 14)], [(120, 90, 10)])
    after = apply_steps(without_boxes(rgb, 20.0), ["clahe"], OPTIONS).rgb
    before, now = (cv2.cvtColor(x, cv2.COLOR_RGB2YCrCb) for x in (rgb, after))
    expected = cv2.createCLAHE(2.0, (8, 8)).apply(np.ascontiguousarray(before[..., 0]))
    unclipped = (after > 0).all(axis=2) & (after < 255).all(axis=2)
    assert np.abs(now[..., 0].astype(int) - expected)[unclipped].max() <= 1
    assert np.abs(now[..., 1:].astype(int) - before[..., 1:])[unclipped].max() <= 1
    assert after.std() > rgb.std()


# --- mask and size -----------------------------------------------------------------------------


def test_masked_leaves_the_cells_and_nothing_else():
    rgb = field_of([(60, 60, 14)])
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.circle(mask, (60, 60), 14, 255, cv2.FILLED)
    after = apply_steps(without_boxes(rgb, 20.0, mask), ["masked"], OPTIONS).rgb
    np.testing.assert_array_equal(after[mask > 0], rgb[mask > 0])
    assert not after[mask == 0].any()


@given(st.integers(0, 3), st.booleans())
def test_what_is_masked_and_turned_is_what_is_turned_with_its_mask_and_masked(turns, mirrored):
    rgb = field_of([(60, 60, 14)], size_wh=(120, 90))
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[20:70, 50:65] = mask[20:30, 50:100] = 255  # an L, which no turn leaves as it is
    picture = without_boxes(rgb, 20.0, mask)
    first = turned(apply_steps(picture, ["masked"], OPTIONS), turns, mirrored)
    last = apply_steps(turned(picture, turns, mirrored), ["masked"], OPTIONS)
    np.testing.assert_array_equal(first.rgb, last.rgb)
    np.testing.assert_array_equal(first.mask, last.mask)


def test_masked_needs_a_mask():
    with pytest.raises(DataError, match="needs a mask"):
        apply_steps(without_boxes(field_of(), 20.0), ["masked"], OPTIONS)


@pytest.mark.parametrize(
    ("size_wh", "after"), [((200, 200), (96, 96)), ((200, 100), (96, 48)), ((10, 40), (24, 96))]
)
def test_resize_brings_the_longer_side_to_size_and_keeps_proportions(size_wh, after):
    picture = without_boxes(field_of(size_wh=size_wh), 20.0)
    found = apply_steps(picture, ["resize"], OPTIONS)
    assert found.size_wh == after
    np.testing.assert_array_equal(found.rgb, pixels.resample(picture.rgb, after))


# --- all of them -------------------------------------------------------------------------------


def test_steps_are_done_and_recorded_in_the_stated_order():
    picture = boxed_cell()
    one = apply_steps(picture, ["black-border", "resize", "clahe"], OPTIONS)
    other = apply_steps(picture, ["resize", "clahe", "black-border"], OPTIONS)
    assert one.steps == (
        "black-border: cut to 80 px",
        "resize: 96×96",
        "clahe: clip 2, 8×8 tiles",
    )
    assert other.steps[0] == "resize: 96×77"
    assert one.size_wh != other.size_wh


def test_no_steps_leave_a_picture_as_it_is():
    picture = boxed_cell()
    assert apply_steps(picture, [], OPTIONS) is picture


@pytest.mark.parametrize("name", sorted(STEPS))
def test_no_step_changes_what_it_was_given(name):
    picture = boxed_cell()
    rgb, mask, xyxy = picture.rgb.copy(), picture.mask.copy(), picture.xyxy.copy()
    apply_steps(picture, [name], OPTIONS)
    np.testing.assert_array_equal(picture.rgb, rgb)
    np.testing.assert_array_equal(picture.mask, mask)
    np.testing.assert_array_equal(picture.xyxy, xyxy)
    assert picture.steps == ()


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_is_recorded_by_its_name(name):
    (step,) = apply_steps(boxed_cell(), [name], OPTIONS).steps
    assert step.split(":")[0] == name


@pytest.mark.parametrize("name", ["clahe", "reinhard", "macenko"])
def test_the_black_around_a_cell_stays_black(name):
    picture = boxed_cell()
    after = apply_steps(picture, [name], OPTIONS).rgb
    assert not after[picture.mask == 0].any()
    assert not np.array_equal(after, picture.rgb)


ONE_COLOUR_STEPS = (
    ("clahe",),
    ("reinhard",),
    ("macenko",),
    ("black-border", "reinhard", "macenko", "resize"),
)


@pytest.mark.parametrize(
    ("names", "level"),
    list(itertools.product(ONE_COLOUR_STEPS, (0, 12, 128, 250, 255))),
)
def test_a_picture_of_one_colour_stays_one(names, level):
    rgb = np.full((60, 80, 3), level, np.uint8)
    after = apply_steps(without_boxes(rgb, 20.0), names, OPTIONS).rgb
    assert len(np.unique(after)) == 1
    if "clahe" not in names:
        assert (after == level).all()


def test_an_unknown_step_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown step 'sharpen'; known are scale-bar, .*resize"):
        check_steps(["clahe", "sharpen"], OPTIONS)


def test_a_step_may_stand_once_only():
    with pytest.raises(ConfigError, match="each step once"):
        check_steps(["clahe", "resize", "clahe"], OPTIONS)


@pytest.mark.parametrize(
    "wrong", [{"size_px": 0}, {"clahe_tiles": 0}, {"clahe_clip": 0.0}, {"clahe_clip": float("nan")}]
)
def test_numbers_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        check_steps(["resize"], dataclasses.replace(OPTIONS, **wrong))


def test_the_targets_can_be_set_by_configuration():
    options = resolve(StepOptions, assignments=["reinhard.mean=[70, 1, -2]", "size_px=64"])
    assert options.reinhard.mean == (70.0, 1.0, -2.0)
    assert options.reinhard.deviation == StepOptions().reinhard.deviation
    assert options.size_px == 64
