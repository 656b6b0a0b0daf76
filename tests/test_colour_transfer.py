"""A picture takes the colours of another one, all of them, and keeps its form."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from yolo_leuk.colour_transfer import (
    ColourStatistics,
    colour_map,
    colour_statistics,
    with_colour_of,
)


def lively(seed: int, centre=(170, 120, 165), spread=(20, 25, 15), mixing=None):
    """A blurred picture of this colour and spread, far from black and white."""
    rough = np.random.default_rng(seed).normal(0, 1, (60, 60, 3))
    smooth = cv2.GaussianBlur(rough, (0, 0), 2)
    smooth /= smooth.std(axis=(0, 1))
    mixed = smooth if mixing is None else smooth @ mixing
    return np.clip(mixed * spread + centre, 0, 255).astype(np.uint8)


def covariances():
    """Symmetric matrices with eigenvalues between 4 and 900, whatever their directions."""
    return st.builds(
        lambda seed, deviations: _turned(seed, np.square(deviations)),
        st.integers(0, 2**32 - 1),
        st.tuples(*[st.floats(2, 30)] * 3),
    )


def _turned(seed: int, eigenvalues) -> np.ndarray:
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return (axes * np.asarray(eigenvalues)) @ axes.T


means = st.tuples(*[st.floats(60, 200)] * 3).map(np.array)
statistics = st.builds(ColourStatistics, means, covariances())


# --- statistics ----------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1))
def test_statistics_are_those_of_numpy(seed):
    image = lively(seed % 1000)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    found = colour_statistics(image)
    np.testing.assert_allclose(found.mean, lab.mean(axis=0))
    np.testing.assert_allclose(found.covariance, np.cov(lab.T, bias=True))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_an_even_picture_has_a_covariance_that_can_be_inverted(colour):
    even = np.full((9, 9, 3), colour, np.uint8)
    np.testing.assert_allclose(colour_statistics(even).covariance, np.eye(3), atol=1e-9)


# --- the map -------------------------------------------------------------------------------------


@given(own=statistics, other=statistics)
def test_the_map_gives_the_mean_and_the_covariance_of_the_other(own, other):
    change = colour_map(own, other)
    gains = np.linalg.eigvalsh(change.gain)
    assume(gains[0] > 1 / 3 + 1e-9 and gains[-1] < 3 - 1e-9)
    np.testing.assert_allclose(change.gain @ own.mean + change.offset, other.mean, atol=1e-6)
    covariance = change.gain @ own.covariance @ change.gain.T
    np.testing.assert_allclose(covariance, other.covariance, atol=1e-6)


@given(own=statistics, other=statistics)
def test_the_map_is_the_one_of_the_paper(own, other):
    change = colour_map(own, other)
    root = np.real(sqrtm(own.covariance))
    middle = np.real(sqrtm(root @ other.covariance @ root))
    expected = np.linalg.inv(root) @ middle @ np.linalg.inv(root)
    gains = np.linalg.eigvalsh(expected)
    assume(gains[0] > 1 / 3 and gains[-1] < 3)
    np.testing.assert_allclose(change.gain, expected, atol=1e-6)


@given(own=statistics, other=statistics)
def test_no_colour_is_stretched_or_pressed_more_than_threefold(own, other):
    gain = colour_map(own, other).gain
    np.testing.assert_allclose(gain, gain.T, atol=1e-9)
    gains = np.linalg.eigvalsh(gain)
    assert gains[0] > 1 / 3 - 1e-9
    assert gains[-1] < 3 + 1e-9


@given(own=statistics)
def test_the_map_to_ones_own_colours_changes_nothing(own):
    change = colour_map(own, own)
    np.testing.assert_allclose(change.gain, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(change.offset, 0, atol=1e-4)


# --- pictures ------------------------------------------------------------------------------------


def test_a_picture_reaches_the_mean_and_the_covariance_of_the_other():
    mixing = np.array([[1, 0.5, 0], [0, 1, 0.4], [0.3, 0, 1]])
    image, other = lively(1), lively(2, centre=(190, 150, 180), spread=(11, 14, 9), mixing=mixing)
    wanted = colour_statistics(other)
    reached = colour_statistics(with_colour_of(image, wanted))
    scale = np.sqrt(np.outer(np.diag(wanted.covariance), np.diag(wanted.covariance)))
    assert np.abs(reached.mean - wanted.mean).max() < 1
    assert (np.abs(reached.covariance - wanted.covariance) / scale).max() < 0.1


def test_a_picture_given_its_own_colours_stays_as_it_is():
    image = lively(3)
    swapped = with_colour_of(image, colour_statistics(image))
    there_and_back = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), cv2.COLOR_LAB2RGB)
    assert np.abs(swapped.astype(int) - there_and_back).max() <= 3


@given(level=st.integers(0, 255), other=st.integers(0, 1000))
def test_an_even_picture_becomes_an_even_one(level, other):
    even = np.full((20, 20, 3), level, np.uint8)
    swapped = with_colour_of(even, colour_statistics(lively(other)))
    assert (swapped == swapped[0, 0]).all()


def test_an_almost_even_picture_does_not_become_noise():
    faint = np.random.default_rng(0).integers(150, 153, (60, 60, 3)).astype(np.uint8)
    loud = np.random.default_rng(1).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    swapped = with_colour_of(faint, colour_statistics(loud))
    assert swapped.std(axis=(0, 1)).max() < 4 * faint.std(axis=(0, 1)).max() + 1


def test_the_picture_that_is_given_is_not_changed():
    image = lively(4)
    before = image.copy()
    changed = with_colour_of(image, colour_statistics(lively(5)))
    np.testing.assert_array_equal(image, before)
    assert changed.dtype == np.uint8
