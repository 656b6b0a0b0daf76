"""Stain, light and camera are varied by what is asked for, and by nothing but the generator."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tests.fresh_process import attempts, python, recording
from yolo_leuk.config import resolve
from yolo_leuk.errors import ConfigError
from yolo_leuk.train.appearance import Camera, Light, Stain, photographed, relit, restained
from yolo_leuk.train.run import TrainConfig

STILL = Light(
    probability=1.0,
    brightness=(1.0, 1.0),
    contrast=(1.0, 1.0),
    saturation=(1.0, 1.0),
    hue_degrees=0.0,
)
NO_FAULT = Camera(blur=0.0, noise=0.0, jpeg=0.0)


def smear(seed: int = 0, side: int = 60) -> np.ndarray:
    """A blurred picture, far from black and white."""
    rough = np.random.default_rng(seed).normal(0, 1, (side, side, 3))
    smooth = cv2.GaussianBlur(rough, (0, 0), 2)
    return np.clip(smooth / smooth.std() * 20 + (150, 110, 160), 0, 255).astype(np.uint8)


def seeded(change, rgb, settings, seed: int) -> np.ndarray:
    return change(rgb, settings, np.random.default_rng(seed))


EVERY = [
    (restained, Stain(probability=1.0)),
    (relit, Light(probability=1.0)),
    (photographed, Camera(blur=1.0, noise=0.0, jpeg=0.0)),
    (photographed, Camera(blur=0.0, noise=1.0, jpeg=0.0)),
    (photographed, Camera(blur=0.0, noise=0.0, jpeg=1.0)),
]


# --- drawn from the generator alone --------------------------------------------------------------


@pytest.mark.parametrize(("change", "settings"), EVERY)
def test_the_same_generator_makes_the_same_picture_whatever_was_made_before(change, settings):
    image = smear()
    first = seeded(change, image, settings, 5)
    for seed in range(4):
        seeded(change, smear(seed), settings, seed)
    assert np.array_equal(seeded(change, image, settings, 5), first)
    assert not np.array_equal(seeded(change, image, settings, 6), first)


@pytest.mark.parametrize(("change", "settings"), EVERY)
def test_a_picture_is_changed_but_not_the_one_that_is_given(change, settings):
    image = smear()
    image.flags.writeable = False
    before = image.copy()
    changed = seeded(change, image, settings, 0)
    assert np.array_equal(image, before)
    assert (changed.shape, changed.dtype) == (image.shape, np.uint8)
    assert not np.array_equal(changed, image)


def test_blur_and_noise_and_jpeg_come_independently_of_each_other():
    image = smear(side=24)
    rounds, chance = 1500, 0.5
    noisy_alone = Camera(blur=chance, noise=chance, jpeg=0.0, noise_levels=(60.0, 60.0))
    rough = []
    for seed in range(rounds):
        taken = seeded(photographed, image, noisy_alone, seed)
        sharper = np.abs(np.diff(taken.astype(int), axis=0)).mean()
        rough.append(0 if np.array_equal(taken, image) else 1 if sharper < 30 else 2)
    # Neither, blurred alone, noisy with and without blur.
    shares = np.bincount(rough, minlength=3) / rounds
    np.testing.assert_allclose(shares, [0.25, 0.25, 0.5], atol=0.06)


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (restained, Stain(probability=0.3)),
        (relit, Light(probability=0.3)),
        (photographed, dataclasses.replace(NO_FAULT, blur=0.3)),
        (photographed, dataclasses.replace(NO_FAULT, noise=0.3)),
        (photographed, dataclasses.replace(NO_FAULT, jpeg=0.3)),
    ],
)
def test_a_probability_is_the_share_of_pictures_that_are_changed(change, settings):
    image = smear(side=20)
    changed = [
        not np.array_equal(seeded(change, image, settings, seed), image) for seed in range(600)
    ]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.07)


# --- what each setting does ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (restained, Stain(probability=0.0)),
        (relit, Light(probability=0.0)),
        (relit, STILL),
        (photographed, NO_FAULT),
    ],
)
def test_what_is_switched_off_leaves_every_picture_as_it_is(change, settings):
    image = smear()
    for seed in range(20):
        assert np.array_equal(seeded(change, image, settings, seed), image)


def test_brightness_multiplies_all_values():
    image = smear()
    darker = seeded(relit, image, dataclasses.replace(STILL, brightness=(0.5, 0.5)), 0)
    assert np.abs(darker - image / 2).max() <= 1


def test_contrast_spreads_values_and_leaves_their_mean():
    image = smear()
    stronger = seeded(relit, image, dataclasses.replace(STILL, contrast=(1.3, 1.3)), 0)
    assert stronger.mean() == pytest.approx(
        image.mean() + 0.3 * (image.mean() - _grey(image).mean()), abs=1
    )
    assert stronger.std() == pytest.approx(1.3 * image.std(), rel=0.05)


def test_no_saturation_is_grey():
    grey = seeded(relit, smear(), dataclasses.replace(STILL, saturation=(0.0, 0.0)), 0)
    assert np.ptp(grey.astype(int), axis=2).max() <= 1


def test_hue_turns_by_no_more_than_it_may():
    red = np.full((4, 4, 3), (200, 40, 40), np.uint8)
    turns = [
        _hue_degrees(seeded(relit, red, dataclasses.replace(STILL, hue_degrees=24.0), seed))
        for seed in range(200)
    ]
    assert np.abs(turns).max() <= 25
    assert min(turns) < -18
    assert max(turns) > 18


def test_noise_is_as_loud_as_asked_for():
    image = np.full((100, 100, 3), 128, np.uint8)
    loud = dataclasses.replace(NO_FAULT, noise=1.0, noise_levels=(8.0, 8.0))
    assert seeded(photographed, image, loud, 0).std() == pytest.approx(8, rel=0.05)


def test_blur_is_as_wide_as_asked_for():
    line = np.zeros((41, 41, 3), np.uint8)
    line[:, 20] = 255
    wide = dataclasses.replace(NO_FAULT, blur=1.0, blur_px=(2.0, 2.0))
    spread = seeded(photographed, line, wide, 0)[..., 0].astype(float)
    variance = (spread.sum(axis=0) * np.square(np.arange(41) - 20)).sum() / spread.sum()
    assert np.sqrt(variance) == pytest.approx(2, rel=0.1)


def test_a_lower_quality_of_jpeg_costs_more():
    image = smear()
    good, bad = (
        seeded(photographed, image, dataclasses.replace(NO_FAULT, jpeg=1.0, jpeg_quality=q), 0)
        for q in ((95, 95), (10, 10))
    )
    lost = [np.abs(taken.astype(int) - image).mean() for taken in (good, bad)]
    assert 0 < lost[0] < lost[1]


def _grey(rgb: np.ndarray) -> np.ndarray:
    return rgb @ np.array([0.299, 0.587, 0.114])


def _hue_degrees(rgb: np.ndarray) -> float:
    hue = 2.0 * cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[0, 0, 0]
    return hue - 360 if hue > 180 else hue


# --- settings ------------------------------------------------------------------------------------


def test_each_can_be_set_or_switched_off_and_the_rest_stays_as_it_is():
    config = resolve(
        TrainConfig,
        assignments=[
            "cells.camera.blur=0",
            "cells.light.brightness=[0.9, 1.1]",
            "fields.light.hue_degrees=0",
            "fields.turned=false",
        ],
    )
    usual = TrainConfig()
    assert config.cells.camera == dataclasses.replace(usual.cells.camera, blur=0.0)
    assert config.cells.light == dataclasses.replace(usual.cells.light, brightness=(0.9, 1.1))
    assert config.fields.light == dataclasses.replace(usual.fields.light, hue_degrees=0.0)
    assert config.cells.stain == usual.cells.stain


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("cells.stain.probability=1.5", "expected a probability from 0 to 1 for probability"),
        ("cells.camera.noise=-0.1", "expected a probability from 0 to 1 for noise, got -0.1"),
        ("cells.light.brightness=[1.4, 0.6]", "for brightness, the lower end first, got 1.4 and"),
        ("cells.camera.jpeg_quality=[0, 90]", "expected a range within 1 and 100 for jpeg_quality"),
        ("fields.light.hue_degrees=200", "expected hue_degrees from 0 to 180, got 200"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(assignment, message):
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        resolve(TrainConfig, assignments=[assignment])


# --- albumentations ------------------------------------------------------------------------------

_LOADED = """
import sys
import numpy as np
from yolo_leuk.train.appearance import *
rgb, generator = np.zeros((8, 8, 3), np.uint8), np.random.default_rng(0)
relit(rgb, Light(probability=0.0), generator)
photographed(rgb, Camera(blur=0.0, noise=0.0, jpeg=1.0), generator)
before = "albumentations" in sys.modules
relit(rgb, Light(), generator)
print(before, "albumentations" in sys.modules)
"""


def test_albumentations_is_loaded_when_it_is_first_asked_and_reaches_for_no_network(tmp_path):
    watched = {**recording(tmp_path / "watched"), "NO_ALBUMENTATIONS_UPDATE": ""}
    ended = python("-c", _LOADED, folder=tmp_path, **watched)
    assert ended.stdout.split() == ["False", "True"], ended.stderr
    assert attempts(tmp_path / "watched") == []
