"""Stain normalisation against calculations of its own, and on pictures that say too little."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_fields import field_of
from yolo_leuk import images, pixels
from yolo_leuk.prepare.pictures import stain
from yolo_leuk.prepare.pictures.black_border import black_pixels
from yolo_leuk.prepare.pictures.stain import LabTarget, StainTarget, macenko, reinhard
from yolo_leuk.prepare.pictures.steps import StepOptions

OPTIONS = StepOptions()

NUCLEI = np.array([0.50, 0.85, 0.16])
OTHERS = np.array([0.30, 0.62, 0.72])
GLASS = np.array([226.0, 214.0, 204.0])


def unit(vector):
    return np.asarray(vector) / np.linalg.norm(vector)


def concentrations(side: int = 120, seed: int = 0) -> np.ndarray:
    """Concentration of two stains: a fifth of the pixels pure, a tenth glass, the rest mixed."""
    rng = np.random.default_rng(seed)
    amount = rng.uniform(0.3, 1.2, (side * side, 2))
    kind = rng.permutation(side * side) % 10
    amount[kind == 0, 1] = 0
    amount[kind == 1, 0] = 0
    amount[kind == 2] = 0
    return amount


def smear(amount, nuclei=NUCLEI, others=OTHERS, glass=GLASS) -> np.ndarray:
    """A picture of what Beer and Lambert let through, as float64 in 0–255."""
    side = round(len(amount) ** 0.5)
    density = amount @ np.array([unit(nuclei), unit(others)])
    return (np.exp(-density) * (glass + 1) - 1).reshape(side, side, 3)


def whole(picture) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def lab_statistics(rgb) -> LabTarget:
    """What reinhard measures on a picture."""
    return stain._statistics(stain._lab(rgb), ~black_pixels(rgb))


def stain_statistics(rgb) -> StainTarget | None:
    """What macenko measures on a picture."""
    light = stain._light(rgb)
    return stain._stains(stain._stained(stain._density(rgb, light), black_pixels(rgb)), light)


def cielab(rgb) -> np.ndarray:
    """CIELAB of sRGB under D65 by its definition (IEC 61966-2-1, CIE 15)."""
    c = rgb.astype(np.float64) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
    xyz = linear @ np.array(to_xyz).T / [0.950456, 1.0, 1.088754]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


# --- Reinhard ----------------------------------------------------------------------------------


def test_statistics_are_those_of_cielab_by_its_definition():
    rgb = whole(smear(concentrations()))
    lab, found = cielab(rgb).reshape(-1, 3), lab_statistics(rgb)
    np.testing.assert_allclose(found.mean, lab.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(found.deviation, lab.std(axis=0), atol=0.1)


def test_reinhard_gives_every_channel_the_mean_and_deviation_of_the_target():
    rgb = whole(smear(concentrations()))
    target = dataclasses.replace(OPTIONS.reinhard, mean=(60, 20, -10), deviation=(12, 6, 8))
    moved = cielab(reinhard(rgb, target)).reshape(-1, 3)
    np.testing.assert_allclose(moved.mean(axis=0), target.mean, atol=0.3)
    np.testing.assert_allclose(moved.std(axis=0), target.deviation, atol=0.3)


def test_reinhard_moves_every_pixel_by_the_formula_of_the_paper():
    rgb = whole(smear(concentrations()))
    target = dataclasses.replace(OPTIONS.reinhard, mean=(60, 20, -10), deviation=(12, 6, 8))
    lab = cielab(rgb)
    own = lab.reshape(-1, 3)
    expected = (lab - own.mean(axis=0)) / own.std(axis=0) * target.deviation + target.mean
    assert np.abs(cielab(reinhard(rgb, target)) - expected).max() < 1.5


def test_reinhard_leaves_a_picture_that_is_where_it_should_be():
    rgb = whole(smear(concentrations()))
    after = reinhard(rgb, lab_statistics(rgb))
    assert np.abs(after.astype(int) - rgb).max() <= 1


# --- Macenko -----------------------------------------------------------------------------------


def test_the_stains_of_a_picture_are_found_with_their_strength_and_light():
    amount = concentrations()
    found = stain_statistics(whole(smear(amount)))
    assert found.nuclei @ unit(NUCLEI) > 0.999
    assert found.others @ unit(OTHERS) > 0.999
    stained = amount[amount.sum(axis=1) > 0]
    np.testing.assert_allclose(found.strongest, np.percentile(stained, 99, axis=0), rtol=0.03)
    np.testing.assert_allclose(found.light, GLASS, atol=1)


def test_macenko_paints_the_same_amounts_in_the_stains_and_the_light_of_the_target():
    amount = concentrations()
    target = StainTarget(
        tuple(unit([0.6, 0.75, 0.25])), tuple(unit([0.2, 0.8, 0.5])), (1.4, 0.9), (240, 236, 230)
    )
    stained = amount[amount.sum(axis=1) > 0]
    gain = target.strongest / np.percentile(stained, 99, axis=0)
    expected = smear(amount * gain, target.nuclei, target.others, np.array(target.light))
    moved = macenko(whole(smear(amount)), target)
    assert np.abs(moved - expected).mean() < 1.0
    assert np.abs(moved - expected).max() < 6.0


def test_two_lamps_and_two_strengths_of_stain_come_out_alike():
    amount = concentrations()
    pale = smear(0.7 * amount, glass=np.array([180.0, 200.0, 150.0]))
    one, other = (macenko(whole(x), OPTIONS.macenko) for x in (smear(amount), pale))
    assert np.abs(whole(smear(amount)).astype(int) - whole(pale)).mean() > 15
    assert np.abs(one.astype(int) - other).mean() < 2


def test_the_first_stain_is_violet_whichever_is_stronger():
    amount = concentrations()
    for strength in ((1.0, 0.3), (0.3, 1.0)):
        found = stain_statistics(whole(smear(amount * strength)))
        assert found.nuclei @ unit(NUCLEI) > 0.99


def test_macenko_leaves_a_picture_that_is_where_it_should_be():
    rgb = whole(smear(concentrations()))
    after = macenko(rgb, stain_statistics(rgb))
    assert np.abs(after.astype(int) - rgb).max() <= 3


def test_a_picture_in_one_stain_is_left_to_macenko_as_it_is():
    amount = concentrations() * [1.0, 0.0]
    rgb = whole(smear(amount))
    assert stain_statistics(rgb) is None
    assert macenko(rgb, OPTIONS.macenko) is rgb


# --- both --------------------------------------------------------------------------------------


def normalised(rgb) -> tuple[np.ndarray, np.ndarray]:
    return reinhard(rgb, OPTIONS.reinhard), macenko(rgb, OPTIONS.macenko)


def cell_on_black() -> np.ndarray:
    rgb = whole(smear(concentrations()))
    inside = np.zeros(rgb.shape[:2], np.uint8)
    cv2.circle(inside, (60, 60), 50, 1, cv2.FILLED)
    rgb[inside == 0] = 0
    return rgb


def test_the_black_around_a_cell_neither_changes_nor_counts():
    tight = cell_on_black()
    wide = np.pad(tight, ((90, 40), (10, 120), (0, 0)))
    assert lab_statistics(wide) == lab_statistics(tight)
    for one, other in zip(normalised(tight), normalised(wide), strict=True):
        np.testing.assert_array_equal(other[90:210, 10:130], one)
        assert not other[~wide.any(axis=2)].any()
        assert not np.array_equal(one, tight)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_picture_of_one_colour_is_left_as_it_is(colour):
    rgb = np.full((30, 40, 3), colour, np.uint8)
    assert all(after is rgb for after in normalised(rgb))


def test_bare_glass_is_left_as_it_is():
    rng = np.random.default_rng(0)
    rgb = np.clip(251 + rng.normal(0, 1.2, (80, 90, 3)), 0, 255).astype(np.uint8)
    assert all(after is rgb for after in normalised(rgb))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 255), st.integers(0, 255))
def test_whatever_comes_in_a_picture_of_the_same_size_comes_out(width, height, low, high):
    low, high = sorted((low, high))
    rng = np.random.default_rng(width * 41 + height)
    rgb = rng.integers(low, high + 1, (height, width, 3)).astype(np.uint8)
    with np.errstate(all="raise"):
        for after in normalised(rgb):
            assert after.shape == rgb.shape
            assert after.dtype == np.uint8


def test_an_almost_even_picture_does_not_become_noise():
    rng = np.random.default_rng(0)
    rgb = whole(200 + rng.normal(0, 4, (100, 100, 3)))
    for after in normalised(rgb):
        assert after.std() < 6 * rgb.std()


@pytest.mark.parametrize(("turns", "mirrored"), [(1, False), (2, True)])
def test_a_turned_picture_is_normalised_alike(turns, mirrored):
    rgb = field_of([(60, 60, 14)], [(120, 90, 10)])
    for one, other in zip(
        normalised(rgb), normalised(pixels.turned(rgb, turns, mirrored)), strict=True
    ):
        assert np.abs(pixels.turned(one, turns, mirrored).astype(int) - other).max() <= 1


def test_the_number_of_threads_changes_no_pixel():
    rgb, before = whole(smear(concentrations(300))), cv2.getNumThreads()
    results = []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            results.append(normalised(rgb))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*results)


# --- the targets -------------------------------------------------------------------------------


def flat(target) -> list[float]:
    return [value for part in dataclasses.astuple(target) for value in part]


def medians(pictures, statistics) -> np.ndarray:
    found = [statistics(rgb) for rgb in pictures]
    return np.median([flat(target) for target in found if target is not None], axis=0)


def test_the_targets_of_fields_are_the_medians_of_real_fields(real_data):
    files = [
        file
        for label in ("Benign", "Early", "Pre", "Pro")
        for file in sorted((real_data / "all4" / "Original" / label).glob("*.jpg"))[::30]
    ]
    fields = [pixels.without_scale_bar(images.read_image(file)) for file in files]
    assert len(fields) > 100
    np.testing.assert_allclose(medians(fields, lab_statistics), flat(OPTIONS.reinhard), atol=2.0)
    stains = medians(fields, stain_statistics)
    np.testing.assert_allclose(stains[:8], flat(OPTIONS.macenko)[:8], atol=0.1)
    np.testing.assert_allclose(stains[8:], OPTIONS.macenko.light, atol=4)


def test_the_targets_of_cells_on_black_are_the_medians_of_real_cells(real_data):
    files = sorted((real_data / "cnmc" / "training_data").glob("fold_*/*/*"))[::20]
    cells = [images.read_image(file) for file in files]
    assert len(cells) > 70
    np.testing.assert_allclose(
        medians(cells, lab_statistics), flat(OPTIONS.reinhard_on_black), atol=1.5
    )
    np.testing.assert_allclose(
        medians(cells, stain_statistics), flat(OPTIONS.macenko_on_black), atol=0.25
    )


def test_real_fields_of_many_laboratories_end_on_the_same_glass(real_data):
    files = sorted((real_data / "txl-pbc" / "images" / "train").iterdir())[::60]
    fields = [images.read_image(file) for file in files]
    before, after = (
        [np.percentile(rgb.reshape(-1, 3), 90, axis=0) for rgb in pictures]
        for pictures in (fields, [macenko(rgb, OPTIONS.macenko) for rgb in fields])
    )
    assert np.ptp(before, axis=0).min() > 40
    assert np.ptp(after, axis=0).max() < 15
