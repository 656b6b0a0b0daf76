"""Images in, cells out: what ``yolo-leuk detect`` does."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from yolo_leuk import __version__
from yolo_leuk.artifacts import write_bytes, write_json, write_text
from yolo_leuk.detect.annotate import annotate
from yolo_leuk.detect.cells_csv import cells_csv
from yolo_leuk.detect.geojson import cells_geojson
from yolo_leuk.detect.inputs import Failure, display_name, is_synthetic, list_images
from yolo_leuk.detect.jpeg import encode_jpeg
from yolo_leuk.detect.palette import class_colours
from yolo_leuk.detect.progress import with_progress
from yolo_leuk.detect.report import ReportSection, picture_side_px, report_page, report_section
from yolo_leuk.detect.run_folder import RunFolder, open_run_folder
from yolo_leuk.detect.wording import SYNTHETIC, counted
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.images import MAX_PIXELS, load_image
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.records import Image, SmearResult

View = Literal["field", "cell", "image"]

_ANNOTATED_QUALITY = 92


@dataclass(frozen=True)
class DetectConfig:
    """What to look at, with what, and where the results go.

    Attributes:
        inputs: Image files, and folders of them.
        out: A new or empty folder; None: ``runs/detect/<first input>``, numbered.
        model: A pipeline file; None: the one that is shipped.
        view: ``field`` finds cells and classifies each, ``cell`` takes a picture for one cell,
            ``image`` classifies it whole; None: recognised from the picture.
        scale: Width of a red cell in pixels, ``auto`` or ``none``.
        max_pixels: Larger pictures are refused.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    inputs: tuple[Path, ...]
    out: Path | None = None
    model: Path | None = None
    view: View | None = None
    scale: str | float = "auto"
    max_pixels: int = MAX_PIXELS
    progress: bool = True

    def __post_init__(self) -> None:
        if not self.inputs:
            raise ConfigError("expected at least one image or folder, got none")
        if self.view not in (None, "field", "cell", "image"):
            raise ConfigError(f"expected field, cell or image to look at, got {self.view!r}")
        if not _is_scale(self.scale):
            raise ConfigError(
                f"expected the width of a red cell in pixels, auto or none, got {self.scale!r}"
            )
        if self.max_pixels < 1:
            raise ConfigError(f"expected max_pixels of at least 1, got {self.max_pixels}")

    def to_json(self) -> dict[str, Any]:
        """The configuration with names for paths, as a run writes it."""
        return {
            "schema": "yolo-leuk/detect-config/1",
            "version": __version__,
            "inputs": [display_name(path) for path in self.inputs],
            "out": None if self.out is None else display_name(self.out),
            "model": None if self.model is None else display_name(self.model),
            "view": self.view,
            "scale": self.scale,
            "max_pixels": self.max_pixels,
        }


@dataclass(frozen=True)
class DetectOutcome:
    """What came of a run.

    Attributes:
        folder: Folder of the results; None where no image could be used, and none was left.
        report: The report in it.
        results: Image and result of each that could be used.
        failures: The others, each with its error.
    """

    folder: Path | None
    report: Path | None
    results: tuple[tuple[Path, SmearResult], ...]
    failures: tuple[Failure, ...]


def run(config: DetectConfig) -> DetectOutcome:
    """Look at all images and write what was found.

    An image that cannot be used does not keep the others from being done: it is listed among the
    failures. Where none can be used, nothing is left behind.

    Raises:
        OutputError: The results cannot be written; found before the work begins if possible.
        ModelError: The pipeline cannot be loaded or run.
    """
    images, failures = list_images(config.inputs)
    if not images:
        return DetectOutcome(None, None, (), tuple(failures))
    folder = open_run_folder(config.out, _stem(config.inputs[0]))
    writer = None
    try:
        write_json(folder.path / "config.json", config.to_json())
        writer = _Writer(folder, Pipeline.load(config.model), picture_side_px(len(images)))
        results = []
        for path in with_progress(images, enabled=config.progress):
            try:
                results.append((path, _look_at(path, config, writer)))
            except DataError as error:
                failures.append((path, error))
        ...
    finally:
        if writer is None or not writer.sections:
            folder.discard()
