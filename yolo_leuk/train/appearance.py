"""Another stain, another light, another camera: what of a picture says nothing of its cells.

Light, blur and noise are albumentations', which is imported when the first of them is asked for;
stain and JPEG are of ``pixels.py``. Pictures are RGB uint8.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from yolo_leuk import pixels
from yolo_leuk.errors import ConfigError
from yolo_leuk.records import Image

Range = tuple[float, float]


@dataclass(frozen=True)
class Stain:
    """How the stain is varied, in H&E optical density.

    Attributes:
        probability: Of a change.
        gain: Range of the factor of each of the three stains.
        shift: Added to each density at most, or taken from it.
    """

    probability: float = 0.4
    gain: Range = (0.75, 1.3)
    shift: float = 0.08

    def __post_init__(self) -> None:
        _expect_probabilities(self, "probability")
        _expect_range(self, "gain", 0, 10)


@dataclass(frozen=True)
class Light:
    """How the light is varied. What has the range 1 to 1 stays as it is.

    Attributes:
        probability: Of a change; then of all four, in random order.
        brightness: Range of the factor of all values.
        contrast: Range of the factor by which values are spread around their mean.
        saturation: Range of the factor by which colours are moved away from grey.
        hue_degrees: The hue is turned by this at most, either way.
    """

    probability: float = 0.8
    brightness: Range = (0.6, 1.4)
    contrast: Range = (0.7, 1.3)
    saturation: Range = (0.5, 1.5)
    hue_degrees: float = 24.0

    def __post_init__(self) -> None:
        _expect_probabilities(self, "probability")
        for name in ("brightness", "contrast", "saturation"):
            _expect_range(self, name, 0, 10)
        if not 0 <= self.hue_degrees <= 180:
            raise ConfigError(f"expected hue_degrees from 0 to 180, got {self.hue_degrees}")


@dataclass(frozen=True)
class Camera:
    """How the camera is varied; a probability of 0 leaves a fault out.

    Attributes:
        blur: Probability of a Gaussian blur.
        blur_px: Range of its deviation in pixels.
        noise: Probability of Gaussian noise, on each channel by itself.
        noise_levels: Range of its deviation in grey levels.
        jpeg: Probability of a JPEG.
        jpeg_quality: Range of its quality.
    """

    blur: float = 0.15
    blur_px: Range = (0.4, 1.2)
    noise: float = 0.15
    noise_levels: Range = (2.0, 10.0)
    jpeg: float = 0.15
    jpeg_quality: tuple[int, int] = (40, 95)

    def __post_init__(self) -> None:
        _expect_probabilities(self, "blur", "noise", "jpeg")
        _expect_range(self, "blur_px", 0.1, 20)
        _expect_range(self, "noise_levels", 0, 255)
        _expect_range(self, "jpeg_quality", 1, 100)


def restained(rgb: Image, stain: Stain, generator: np.random.Generator) -> Image:
    """The picture in another stain."""
    if generator.random() >= stain.probability:
        return rgb
    gain = generator.uniform(*stain.gain, 3)
    return pixels.with_stain(rgb, gain, generator.uniform(-stain.shift, stain.shift, 3))


def relit(rgb: Image, light: Light, generator: np.random.Generator) -> Image:
    """The picture in another light."""
    return _applied(_light(light), rgb, generator) if light.probability else rgb


def photographed(rgb: Image, camera: Camera, generator: np.random.Generator) -> Image:
    """The picture by another camera: blurred, noisy, stored as JPEG."""
    if camera.blur or camera.noise:
        rgb = _applied(_blur_and_noise(camera), rgb, generator)
    if generator.random() < camera.jpeg:
        low, high = camera.jpeg_quality
        # albumentations hands an RGB picture to the encoder as BGR: it would keep what is blue
        # less well than what is red.
        rgb = pixels.as_jpeg(rgb, int(generator.integers(low, high + 1)))
    return rgb


@lru_cache(maxsize=8)
def _light(light: Light) -> Any:
    albumentations, hue = _albumentations(), light.hue_degrees / 360
    change = albumentations.ColorJitter(
        brightness=light.brightness,
        contrast=light.contrast,
        saturation=light.saturation,
        hue=(-hue, hue),
        p=light.probability,
    )
    return albumentations.Compose([change])


@lru_cache(maxsize=8)
def _blur_and_noise(camera: Camera) -> Any:
    albumentations = _albumentations()
    low, high = camera.noise_levels
    return albumentations.Compose(
        [
            albumentations.GaussianBlur(blur_limit=0, sigma_limit=camera.blur_px, p=camera.blur),
            albumentations.GaussNoise(std_range=(low / 255, high / 255), p=camera.noise),
        ]
    )


def _albumentations() -> Any:
    # At import it asks the network for a newer version otherwise.
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations

    return albumentations


def _applied(steps: Any, rgb: Image, generator: np.random.Generator) -> Image:
    """The picture after steps that draw from this generator and from nothing else."""
    # Not by set_random_seed, which gives the same seed to every step: then whatever is blurred is
    # noisy too.
    steps.set_random_state(generator, random.Random(int(generator.integers(2**63))))
    return np.asarray(steps(image=rgb)["image"], np.uint8)


def _expect_probabilities(part: Stain | Light | Camera, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(part, name) <= 1:
            raise ConfigError(
                f"expected a probability from 0 to 1 for {name}, got {getattr(part, name)}"
            )


def _expect_range(part: Stain | Light | Camera, name: str, least: float, most: float) -> None:
    low, high = getattr(part, name)
    if not least <= low <= high <= most:
        raise ConfigError(
            f"expected a range within {least} and {most} for {name}, the lower end first, "
            f"got {low} and {high}"
        )
