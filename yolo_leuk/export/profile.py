"""For which sizes of its input an engine is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from yolo_leuk.errors import ExportError
from yolo_leuk.field_detector import STRIDE
from yolo_leuk.model_card import ModelCard

Shape = tuple[int, int, int, int]

INPUT = "images"

# TensorRT chooses its kernels for the usual size: about as many cells as a field has white ones,
# and as many tiles as a detector is handed at once.
_USUAL_CELLS = 16
_MOST_TILES = 4


@dataclass(frozen=True)
class Profile:
    """Shapes (n, height, width, 3) of the input.

    Attributes:
        lowest: The smallest.
        usual: What the engine is made fastest for.
        highest: The largest, in each dimension.
    """

    lowest: Shape
    usual: Shape
    highest: Shape

    def to_json(self) -> dict[str, list[int]]:
        """The three shapes by name."""
        return {name: list(shape) for name, shape in asdict(self).items()}

    def trtexec_options(self) -> Iterator[str]:
        """The same as options of trtexec."""
        for option, shape in (
            ("--minShapes", self.lowest),
            ("--optShapes", self.usual),
            ("--maxShapes", self.highest),
        ):
            yield f"{option}={INPUT}:{'x'.join(map(str, shape))}"


def profile_of(card: ModelCard, max_batch: int) -> Profile:
    """The sizes that a net meets in use.

    A classifier sees squares of one side; a detector tiles of any sides up to its largest, in steps
    of its stride.

    Args:
        card: Of the net.
        max_batch: Most cells or pictures at once; of tiles a detector never gets more than four.

    Raises:
        ExportError: No picture could be run at once.
    """
    if max_batch < 1:
        raise ExportError(f"max_batch is {max_batch}; at least 1 is needed")
    side = card.input_px
    if card.task == "detect":
        tiles = min(max_batch, _MOST_TILES)
        return Profile((1, STRIDE, STRIDE, 3), (tiles, side, side, 3), (tiles, side, side, 3))
    return Profile(
        (1, side, side, 3),
        (min(max_batch, _USUAL_CELLS), side, side, 3),
        (max_batch, side, side, 3),
    )
