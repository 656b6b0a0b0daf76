"""What ``explain`` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from yolo_leuk import __version__
from yolo_leuk.config import as_plain
from yolo_leuk.errors import ConfigError
from yolo_leuk.images import MAX_PIXELS
from yolo_leuk.pipeline import View

Method = Literal["cam", "occlusion"]


@dataclass(frozen=True)
class OcclusionConfig:
    """How parts of a window are covered.

    Attributes:
        patches: Sides of the patches, as fractions of the window's; maps of all sizes are averaged.
        batch: Windows that are shown to a net at once.

    Raises:
        ConfigError: A value out of its range.
    """

    patches: tuple[float, ...] = (1 / 3, 1 / 6)
    batch: int = 64

    def __post_init__(self) -> None:
        if not self.patches or not all(0 < patch <= 1 for patch in self.patches):
            raise ConfigError(
                f"expected sides of patches above 0 and up to 1, got {list(self.patches)}"
            )
        if self.batch < 1:
            raise ConfigError(f"expected a batch of at least 1, got {self.batch}")


@dataclass(frozen=True)
class CamConfig:
    """Where inside of a net a class activation map is taken.

    Attributes:
        layer: Its name or number; ``auto``: the mean of two, the deepest with six places a side or
            more and the deepest with twelve.
    """

    layer: str | int = "auto"


@dataclass(frozen=True)
class ExplainConfig:
    """What to explain, on what, how, and where the results go.

    Attributes:
        model: A net, an ensemble, a pipeline, or the folder of one or of a run.
        inputs: Image files, and folders of them.
        method: ``cam`` looks into checkpoints, ``occlusion`` covers parts of what any net is shown;
            None: ``cam`` where the checkpoints and the libraries are there.
        layers: Of checkpoints, by name or number: those whose activations are drawn.
        explained: The class to explain; None: of each cell the most probable one.
        out: A new or empty folder; None: ``runs/explain/<first input>``, numbered.
        view: As ``detect`` has it; None: recognised from the picture.
        scale: Width of a red cell in pixels, ``auto`` or ``none``.
        checkpoints: Runs or checkpoints that the nets of an ensemble or a pipeline were exported
            from; told apart by hash.
        most_cells: Of a field with more cells only so many are explained, the surest ones.
        occlusion: Settings of that method.
        cam: Settings of that method.
        max_pixels: Larger pictures are refused.
        trust: Take nets although their hashes differ from their cards.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    model: Path
    inputs: tuple[Path, ...]
    method: Method | None = None
    layers: tuple[str | int, ...] = ()
    explained: str | None = None
    out: Path | None = None
    view: View | None = None
    scale: float | str = "auto"
    checkpoints: tuple[Path, ...] = ()
    most_cells: int = 40
    occlusion: OcclusionConfig = field(default_factory=OcclusionConfig)
    cam: CamConfig = field(default_factory=CamConfig)
    max_pixels: int = MAX_PIXELS
    trust: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        if not self.inputs:
            raise ConfigError("expected at least one image or folder, got none")
        if self.most_cells < 1:
            raise ConfigError(f"expected most_cells of at least 1, got {self.most_cells}")
        if self.max_pixels < 1:
            raise ConfigError(f"expected max_pixels of at least 1, got {self.max_pixels}")

    def to_json(self) -> dict[str, Any]:
        """The configuration with names for paths, as a run writes it."""
        return {
            "schema": "yolo-leuk/explain-config/1",
            "version": __version__,
            **as_plain(self, whole_paths=False),
        }
