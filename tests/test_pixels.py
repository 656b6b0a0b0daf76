"""What is done to pixels: the same in training and in use, and nothing besides what it says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.made_fields import BAR_STYLES, with_bar
from yolo_leuk import images, pixels
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.white_cells.crops import cut_crops

RNG_SEED = 20240229

sides = st.integers(1, 90)


def noise(width: int, height: int, seed: int = RNG_SEED):
    """A picture of which no two windows are alike."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def even(width: int, height: int, colour=(236, 228, 232)):
    return np.full((height, width, 3), colour, np.uint8)


# --- the window of training and of use ---------------------------------------------------------


@st.composite
def cells_in_fields(draw):
    """A field's size, a cell's box that may reach over its edge, and a ruler."""
    width, height = draw(st.tuples(st.integers(8, 200), st.integers(8, 200)))
    x, y = draw(st.floats(-5, width, width=32)), draw(st.floats(-5, height, width=32))
    w, h = draw(st.floats(1, 90, width=32)), draw(st.floats(1, 90, width=32))
    px_per_rbc = draw(st.floats(4, 130))
    return (width, height), np.array([[x, y, x + w, y + h]], np.float32), px_per_rbc


@given(cells_in_fields())
# A centre between two pixels of the reduced field: (66 + 99) / 10 rounds up, and the mean of
# 66 / 5 and 99 / 5 in float32 rounds down.
@example(((200, 200), np.array([[66, 40, 99, 80]], np.float32), 100.0))
# A cell that lies wholly beyond the edge.
@example(((40, 40), np.array([[-90, -90, -80, -80]], np.float32), 10.0))
def test_the_window_in_a_stored_crop_is_the_one_that_is_cut_in_use(case):
    size_wh, xyxy, px_per_rbc = case
    image = noise(*size_wh)
    (crop,) = cut_crops(image, xyxy, px_per_rbc)
    stored = pixels.window_of(crop.picture, crop.px_per_rbc)
    field, factor = pixels.reduced_field(image, px_per_rbc)
    in_use = pixels.cell_crop(field, xyxy[0] / factor, px_per_rbc / factor, 32)
    np.testing.assert_array_equal(pixels.classifier_input(stored, 32), in_use)


def test_a_window_is_three_red_cells_wide_and_its_rim_a_quarter_of_that():
    assert pixels.window_side(20.0) == 60
    assert pixels.rim_px(20.0) == 15
    (crop,) = cut_crops(noise(200, 200), np.array([[90, 90, 110, 110]], np.float32), 20.0)
    assert crop.picture.shape == (90, 90, 3)
    assert pixels.window_of(crop.picture, 20.0).shape == (60, 60, 3)


@given(st.floats(0.5, 200))
def test_the_rim_lies_evenly_around_the_window(px_per_rbc):
    side, rim = pixels.window_side(px_per_rbc), pixels.rim_px(px_per_rbc)
    crop = noise(side + 2 * rim, side + 2 * rim)
    np.testing.assert_array_equal(
        pixels.window_of(crop, px_per_rbc), crop[rim : rim + side, rim : rim + side]
    )


@given(st.integers(-40, 80), st.integers(-40, 80), st.integers(1, 50))
def test_a_window_shows_the_image_where_it_is_and_the_fill_beyond_its_edge(x, y, side):
    image, fill = noise(40, 30), (1, 2, 3)
    padded = np.pad(image, ((150, 150), (150, 150), (0, 0)))
    inside = np.pad(np.ones((30, 40), bool), 150)
    padded[~inside] = fill
    left, top = x - side // 2 + 150, y - side // 2 + 150
    np.testing.assert_array_equal(
        pixels.cut_window(image, (x, y), side, fill), padded[top : top + side, left : left + side]
    )


@given(st.integers(5, 20), st.sampled_from([0.0, 0.25, 0.5, 0.75]))
def test_a_window_moves_by_a_pixel_when_its_centre_does(x, part):
    image = noise(40, 30)
    here, there = (pixels.cut_window(image, (c + part, 15.5), 8) for c in (x, x + 1))
    np.testing.assert_array_equal(here[:, 1:], there[:, :-1])


def test_a_window_over_the_edge_is_filled_with_the_background():
    image = even(60, 60, (200, 190, 210))
    cv2.circle(image, (0, 0), 20, (90, 40, 140), cv2.FILLED)
    window = pixels.cut_window(image, (0, 0), 50)
    assert (window[:25, :25] == (200, 190, 210)).all()


def test_cutting_a_window_does_not_change_the_field():
    image = noise(40, 40)
    before = image.copy()
    window = pixels.cut_window(image, (0, 0), 30)
    window[:] = 0
    np.testing.assert_array_equal(image, before)


def test_a_window_without_a_side_is_refused():
    with pytest.raises(DataError, match="window"):
        pixels.cut_window(noise(10, 10), (5, 5), 0)


def test_a_sharper_source_ends_as_blurred_as_one_of_twenty_pixels_per_red_cell():
    fine = noise(240, 240)
    coarse = pixels.resample(fine, (60, 60))
    np.testing.assert_array_equal(
        pixels.classifier_input(fine, 96), pixels.classifier_input(coarse, 96)
    )


def test_a_coarser_source_is_not_sharpened():
    window = noise(36, 36)
    np.testing.assert_array_equal(
        pixels.classifier_input(window, 96), pixels.resample(window, (96, 96))
    )


# --- the reduced field -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("px_per_rbc", "factor"), [(12.0, 1), (39.9, 1), (40.0, 2), (59.0, 2), (60.0, 3), (130.0, 6)]
)
def test_a_field_is_reduced_by_whole_factors_down_to_twenty_pixels_or_more(px_per_rbc, factor):
    image = noise(121, 73)
    reduced, found = pixels.reduced_field(image, px_per_rbc)
    assert found == factor
    assert reduced.shape == (73 // factor, 121 // factor, 3)


@given(sides, sides, st.floats(20, 400))
def test_a_pixel_of_a_reduced_field_is_the_mean_of_the_pixels_above_it(width, height, px_per_rbc):
    image = noise(width, height)
    reduced, factor = pixels.reduced_field(image, px_per_rbc)
    for y, x in {(0, 0), (reduced.shape[0] - 1, reduced.shape[1] - 1)}:
        block = image[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
        assert np.abs(block.mean(axis=(0, 1)) - reduced[y, x]).max() <= 0.5001


@pytest.mark.parametrize("px_per_rbc", [0.0, -3.0, float("nan")])
def test_a_ruler_that_is_not_above_zero_is_refused(px_per_rbc):
    with pytest.raises(DataError, match="px_per_rbc"):
        pixels.reduced_field(noise(10, 10), px_per_rbc)


# --- resampling --------------------------------------------------------------------------------


@given(sides, sides)
def test_resampling_to_the_same_size_changes_nothing(width, height):
    image = noise(width, height)
    np.testing.assert_array_equal(pixels.resample(image, (width, height)), image)


@given(sides, sides, sides, sides, st.integers(0, 255))
def test_an_even_picture_stays_even_at_every_size(width, height, new_width, new_height, level):
    resampled = pixels.resample(even(width, height, (level, 7, 255)), (new_width, new_height))
    assert resampled.shape == (new_height, new_width, 3)
    assert (resampled == (level, 7, 255)).all()


@given(sides, sides, sides, sides)
def test_resampling_never_leaves_the_range_of_the_picture(width, height, new_width, new_height):
    image = (noise(width, height) // 3) + 60
    resampled = pixels.resample(image, (new_width, new_height))
    for channel in range(3):
        assert resampled[..., channel].min() >= image[..., channel].min()
        assert resampled[..., channel].max() <= image[..., channel].max()


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 6), st.integers(1, 6))
def test_reducing_by_whole_factors_takes_exact_means(width, height, across, down):
    image = noise(width * across, height * down)
    means = image.reshape(height, down, width, across, 3).astype(np.float64).mean(axis=(1, 3))
    resampled = pixels.resample(image, (width, height))
    # Halves may go either way: float32 holds the sums exactly, but not every quotient.
    assert np.abs(resampled - means).max() <= 0.5 + 1e-5


@given(sides, sides, sides, sides, st.integers(0, 3), st.booleans())
def test_a_turned_picture_resamples_to_the_turned_result(
    width, height, new_width, new_height, turns, mirrored
):
    # Only where no rest falls beside the boxes: an odd rest cannot be shared evenly.
    assume(width % max(1, width // new_width) % 2 == 0)
    assume(height % max(1, height // new_height) % 2 == 0)
    image = noise(width, height)
    size_wh = (new_width, new_height) if turns % 2 == 0 else (new_height, new_width)
    first = pixels.resample(pixels.turned(image, turns, mirrored), size_wh)
    last = pixels.turned(pixels.resample(image, (new_width, new_height)), turns, mirrored)
    assert np.abs(first.astype(int) - last).max() <= 1


def test_a_rest_that_fills_no_box_is_shared_at_both_ends():
    ramp = np.arange(11, dtype=np.uint8)
    across = np.repeat(np.broadcast_to(10 * ramp[:, None], (11, 11))[..., None], 3, axis=2)
    for image in (across, across.transpose(1, 0, 2)):
        reduced = pixels.resample(np.ascontiguousarray(image), (3, 3))
        assert sorted(set(reduced.reshape(-1).tolist())) == [20, 50, 80]


def test_resampling_does_not_depend_on_the_number_of_threads():
    image, before = noise(301, 203), cv2.getNumThreads()
    results = []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            results.append(pixels.resample(image, (96, 96)))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("size_wh", [(0, 5), (5, 0), (-1, -1)])
def test_a_size_below_one_pixel_is_refused(size_wh):
    with pytest.raises(DataError, match="1×1"):
        pixels.resample(noise(10, 10), size_wh)


def test_scaling_goes_by_the_factor_and_never_to_nothing():
    assert pixels.scaled_to(noise(40, 20), 2.5).shape == (50, 100, 3)
    assert pixels.scaled_to(noise(40, 20), 0.001).shape == (1, 1, 3)


# --- the background ----------------------------------------------------------------------------


def test_the_background_is_the_glass_between_the_cells():
    image = even(300, 300)
    for x in range(40, 300, 80):
        cv2.circle(image, (x, 150), 30, (90, 40, 140), cv2.FILLED)
    assert pixels.background_colour(image) == (236, 228, 232)


def test_the_background_of_a_cell_on_black_is_black():
    image = np.zeros((200, 200, 3), np.uint8)
    cv2.circle(image, (100, 100), 60, (150, 60, 160), cv2.FILLED)
    assert pixels.background_colour(image) == (0, 0, 0)


@given(st.integers(0, 255))
def test_the_background_of_an_even_picture_is_its_colour(level):
    assert pixels.background_colour(even(20, 20, (level, level, level))) == (level,) * 3


# --- the scale bar -----------------------------------------------------------------------------


@pytest.fixture
def field():
    """A pale field with red cells and a nucleus, one of them where a bar would be."""
    image = even(224, 224)
    for x, y in ((40, 40), (100, 60), (60, 150), (160, 120), (205, 150)):
        cv2.circle(image, (x, y), 10, (206, 150, 160), cv2.FILLED)
    cv2.circle(image, (196, 214), 12, (96, 60, 140), cv2.FILLED)
    return image


def test_a_field_without_a_bar_is_left_as_it_is(field):
    assert pixels.find_scale_bar(field) is None
    assert pixels.without_scale_bar(field) is field


@pytest.mark.parametrize("style", BAR_STYLES)
def test_a_bar_of_each_style_is_found_whole_and_painted_out(field, style):
    barred = with_bar(field, style)
    x1, y1, x2, y2 = pixels.find_scale_bar(barred)
    rows, columns = np.nonzero((barred != field).any(axis=2))
    assert x1 <= columns.min() <= columns.max() < x2
    assert y1 <= rows.min() <= rows.max() < y2
    clean = pixels.without_scale_bar(barred)
    assert pixels.find_scale_bar(clean) is None
    outside = np.ones(field.shape[:2], bool)
    outside[y1:y2, x1:x2] = False
    np.testing.assert_array_equal(clean[outside], field[outside])


def test_painting_out_leaves_the_given_picture_as_it_was(field):
    barred = with_bar(field, "red")
    before = barred.copy()
    pixels.without_scale_bar(barred)
    np.testing.assert_array_equal(barred, before)


def all4_class(real_data: Path, label: str):
    return sorted((real_data / "all4" / "Original" / label).glob("*.jpg"))


@pytest.mark.parametrize("label", ["Benign", "Early", "Pre", "Pro"])
def test_the_bars_of_real_fields_are_found_and_nothing_of_them_is_left(real_data, label):
    found = still_there = 0
    files = all4_class(real_data, label)[::4]
    for file in files:
        image = images.read_image(file)
        if pixels.find_scale_bar(image) is not None:
            found += 1
            still_there += pixels.find_scale_bar(pixels.without_scale_bar(image)) is not None
    assert found >= 0.99 * len(files)
    assert still_there <= 0.01 * len(files)


def test_real_bars_come_in_three_styles_and_all_three_are_found(real_data):
    by_style = dict.fromkeys(BAR_STYLES, 0)
    for label in ("Benign", "Early"):
        for file in all4_class(real_data, label)[::6]:
            image = images.read_image(file)
            box = pixels.find_scale_bar(image)
            if box is not None:
                by_style[style_of(image, box)] += 1
    assert min(by_style.values()) >= 10, by_style


def style_of(image, box) -> str:
    """Which style a bar has, by the colour of its ink and by its height."""
    x1, y1, x2, y2 = box
    inside = image[y1:y2, x1:x2].astype(int)
    redder = inside[..., 0] - inside[..., 1:].max(axis=2)
    if (redder > 30).mean() > 0.008:
        return "red"
    return "large black on white" if y2 - y1 >= 32 else "small black on white"


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        ("txl-pbc", "images/*/*"),
        ("bccd", "JPEGImages/*.jpg"),
        ("cnmc", "training_data/fold_1/hem/*"),
        ("cellavision-masks", "*.bmp"),
    ],
)
def test_hardly_ever_is_a_bar_seen_where_there_is_none(real_data, source, pattern):
    files = sorted((real_data / source).glob(pattern))
    assert len(files) >= 100
    seen = sum(pixels.find_scale_bar(images.read_image(file)) is not None for file in files)
    assert seen <= 0.01 * len(files)


# --- colour ------------------------------------------------------------------------------------


def lively(seed: int = RNG_SEED, centre=(170, 120, 165), spread=(20, 25, 15)):
    """A blurred picture of this colour and spread, far from black and white."""
    rough = np.random.default_rng(seed).normal(0, 1, (60, 60, 3))
    smooth = cv2.GaussianBlur(rough, (0, 0), 2)
    smooth /= smooth.std(axis=(0, 1))
    return np.clip(smooth * spread + centre, 0, 255).astype(np.uint8)


@given(st.integers(0, 2**32 - 1))
def test_an_unchanged_stain_gives_the_same_picture_within_a_grey_level(seed):
    image = noise(16, 16, seed)
    same = pixels.with_stain(image, gain=(1, 1, 1), shift=(0, 0, 0))
    assert np.abs(same.astype(int) - image).max() <= 1


def test_more_stain_is_darker_and_less_is_paler():
    image = lively()
    stronger = pixels.with_stain(image, gain=(1.3, 1.3, 1.3), shift=(0, 0, 0))
    weaker = pixels.with_stain(image, gain=(0.7, 0.7, 0.7), shift=(0, 0, 0))
    assert weaker.mean() > image.mean() + 5 > stronger.mean() + 10


def test_more_haematoxylin_takes_more_red_light_than_more_eosin_does():
    image = even(8, 8, (180, 150, 200))
    haematoxylin = pixels.with_stain(image, gain=(1, 1, 1), shift=(0.3, 0, 0))[0, 0].astype(int)
    eosin = pixels.with_stain(image, gain=(1, 1, 1), shift=(0, 0.3, 0))[0, 0].astype(int)
    assert haematoxylin[0] < eosin[0] - 20
    assert eosin[1] < haematoxylin[1]


@given(st.floats(0, 4))
def test_brightness_multiplies_and_stops_at_white(factor):
    image = noise(16, 16)
    expected = np.minimum(np.rint(image * factor), 255)
    np.testing.assert_array_equal(pixels.with_brightness(image, factor), expected)


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_light_grows_in_the_direction_that_is_asked_for(degrees, turns):
    lit = pixels.with_uneven_light(even(41, 41, (100, 120, 140)), 0.5, degrees)
    along = np.rot90(lit, -turns)[20].astype(int)
    np.testing.assert_array_equal(along[[0, 20, 40]], np.outer([0.5, 1, 1.5], (100, 120, 140)))
    assert (np.diff(along, axis=0) >= 0).all()


def test_even_light_changes_nothing():
    image = noise(31, 17)
    np.testing.assert_array_equal(pixels.with_uneven_light(image, 0.0, 77.0), image)


def test_blur_takes_detail_and_keeps_the_mean():
    image = noise(80, 80)
    soft = pixels.blurred(image, 2.0)
    assert soft.std() < 0.4 * image.std()
    assert soft.mean() == pytest.approx(image.mean(), abs=1)


def test_noise_has_the_deviation_it_was_asked_for_and_comes_from_the_generator():
    image = even(120, 120, (128, 128, 128))
    noisy = pixels.with_noise(image, 6.0, np.random.default_rng(1))
    assert (noisy.astype(float) - image).std() == pytest.approx(6.0, rel=0.03)
    again = pixels.with_noise(image, 6.0, np.random.default_rng(1))
    np.testing.assert_array_equal(noisy, again)


def test_jpeg_keeps_the_order_of_the_channels():
    image = lively(centre=(200, 120, 60))
    stored = pixels.as_jpeg(image, 90)
    assert np.abs(stored.astype(int) - image).mean() < 4
    assert np.abs(pixels.as_jpeg(image, 10).astype(int) - image).mean() > 4


def test_the_eight_turns_are_all_different_and_four_quarters_are_none():
    image = noise(5, 5)
    views = [pixels.turned(image, turns, mirrored) for turns in range(4) for mirrored in (0, 1)]
    assert len({view.tobytes() for view in views}) == 8
    np.testing.assert_array_equal(pixels.turned(image, 4, mirrored=False), image)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: pixels.resample(image, (7, 9)),
        lambda image: pixels.with_stain(image, (1.2, 1, 1), (0, 0, 0)),
        lambda image: pixels.with_brightness(image, 0.5),
        lambda image: pixels.with_uneven_light(image, 0.4, 30),
        lambda image: pixels.blurred(image, 1.0),
        lambda image: pixels.with_noise(image, 5, np.random.default_rng(0)),
        lambda image: pixels.as_jpeg(image, 50),
        lambda image: pixels.turned(image, 1, mirrored=True),
        lambda image: pixels.paint_out(image, (1, 1, 5, 5)),
    ],
)
def test_no_change_is_made_to_the_picture_that_is_given(change):
    image = noise(24, 18)
    before = image.copy()
    changed = change(image)
    np.testing.assert_array_equal(image, before)
    assert changed.dtype == np.uint8
