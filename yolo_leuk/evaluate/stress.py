"""The conditions under which a model is asked again: other light, stain, camera, scale, colours.

What a picture is made of changes, and what it shows does not. Each condition has one stated
strength, and the same sample is changed in the same way for every model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import pixels
from yolo_leuk.cell_mask import without_cells
from yolo_leuk.colour_transfer import colour_statistics, with_colour_of
from yolo_leuk.records import Image

CLEAN = "clean"
SWAPPED = "swapped"
PAINTED_OUT = "painted_out"

# Not the seed of the swaps that a run chooses its epoch by.
_SEED = 1

_BRIGHTNESS = {"darker": 0.6, "brighter": 1.4}

# More haematoxylin and less eosin than training ever makes of a cell.
_STAIN_GAIN = (1.4, 0.7, 1.0)

# In red-cell widths: 1.5 px where a red cell has 20.
_BLUR_RBC = 0.075
_NOISE = 12.0
_JPEG_QUALITY = 30
_RULER = {"larger": 0.8, "smaller": 1.25}


@dataclass(frozen=True)
class Shown:
    """A picture as a model is shown it.

    Attributes:
        rgb: The picture, or the window of a cell.
        px_per_rbc: Width of a red cell in its pixels.
        other: Gives another one, whose colours it gets where they are swapped.
        generator: For what is random.
    """

    rgb: Image
    px_per_rbc: float
    other: Callable[[], Image]
    generator: np.random.Generator


@dataclass(frozen=True)
class Condition:
    """One change of pictures.

    Attributes:
        text: What is changed, and how much.
        change: Of what is shown.
        ruler: What a red cell's width is taken for, as a multiple of what it is: below 1 the cells
            look larger, above 1 smaller.
    """

    text: str
    change: Callable[[Shown], Image]
    ruler: float = 1.0


def _unchanged(shown: Shown) -> Image:
    return shown.rgb


CONDITIONS: Mapping[str, Condition] = {
    CLEAN: Condition("as they are", _unchanged),
    SWAPPED: Condition(
        "in the colours (LAB mean and covariance) of a random sample of the split, of any class",
        lambda shown: with_colour_of(shown.rgb, colour_statistics(shown.other())),
    ),
    "darker": Condition(
        f"brightness × {_BRIGHTNESS['darker']}",
        lambda shown: pixels.with_brightness(shown.rgb, _BRIGHTNESS["darker"]),
    ),
    "brighter": Condition(
        f"brightness × {_BRIGHTNESS['brighter']}",
        lambda shown: pixels.with_brightness(shown.rgb, _BRIGHTNESS["brighter"]),
    ),
    "stain": Condition(
        f"haematoxylin × {_STAIN_GAIN[0]}, eosin × {_STAIN_GAIN[1]}",
        lambda shown: pixels.with_stain(shown.rgb, _STAIN_GAIN, (0.0, 0.0, 0.0)),
    ),
    "blurred": Condition(
        f"Gaussian blur, deviation {_BLUR_RBC} red-cell widths",
        lambda shown: pixels.blurred(shown.rgb, _BLUR_RBC * shown.px_per_rbc),
    ),
    "noise": Condition(
        f"Gaussian noise, deviation {_NOISE:g} of 255",
        lambda shown: pixels.with_noise(shown.rgb, _NOISE, shown.generator),
    ),
    "jpeg": Condition(
        f"JPEG of quality {_JPEG_QUALITY}",
        lambda shown: pixels.as_jpeg(shown.rgb, _JPEG_QUALITY),
    ),
    "larger": Condition(
        f"the width of a red cell taken for {_RULER['larger']} of what it is",
        _unchanged,
        _RULER["larger"],
    ),
    "smaller": Condition(
        f"the width of a red cell taken for {_RULER['smaller']} of what it is",
        _unchanged,
        _RULER["smaller"],
    ),
}
"""By name, in the order in which they are shown."""

WITHOUT_CELLS = Condition(
    "white cells painted out with the median colour of what is left",
    lambda shown: without_cells(shown.rgb),
)
"""No stress but a check: what a model still says then, it knows from elsewhere."""


def others_of(count: int) -> npt.NDArray[np.int64]:
    """Number of the sample whose colours each of ``count`` samples gets, shape (count,)."""
    return np.random.default_rng(_SEED).integers(count, size=count)


def under(
    condition: Condition, rgb: Image, px_per_rbc: float, number: int, other: Callable[[], Image]
) -> Image:
    """A picture under a condition, the same for every model.

    Args:
        condition: What is changed; its ruler is for the caller to follow.
        rgb: What is shown.
        px_per_rbc: Width of a red cell in its pixels.
        number: Of the sample.
        other: Gives what is shown of the sample that :func:`others_of` names.
    """
    generator = np.random.default_rng([_SEED, number])
    return condition.change(Shown(rgb, px_per_rbc, other, generator))
