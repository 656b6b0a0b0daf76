"""Images in, cells out: what ``yolo-leuk detect`` does."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from yolo_leuk import __version__
from yolo_leuk.artifacts import write_bytes, write_json, write_text
from yolo_leuk.detect.annotate import draw_cells
from yolo_leuk.detect.cells_csv import cells_csv
from yolo_leuk.detect.geojson import cells_geojson
from yolo_leuk.detect.legend import add_legend
from yolo_leuk.detect.palette import Colour, class_colours
from yolo_leuk.detect.report import ReportSection, picture_side_px, report_page, report_section
from yolo_leuk.detect.wording import SYNTHETIC
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.image_files import Failure, display_name, is_synthetic, list_images, run_name
from yolo_leuk.images import MAX_PIXELS, load_image
from yolo_leuk.jpeg import at_most, encode_jpeg
from yolo_leuk.labels import LabelScheme
from yolo_leuk.picture_pipeline import PicturePipeline
from yolo_leuk.pipeline import Pipeline, View
from yolo_leuk.progress import progress_bar
from yolo_leuk.records import Image, SmearResult
from yolo_leuk.run_folder import CONFIG_NAME, REPORT_NAME, RunFolder, open_run_folder

RUNS = Path("runs/detect")
_ANNOTATED_QUALITY = 92


@dataclass(frozen=True)
class DetectConfig:
    """What to look at, with what, and where the results go.

    Attributes:
        inputs: Image files, and folders of them.
        out: A new or empty folder; None: ``runs/detect/<first input>``, numbered.
        model: A pipeline, an ensemble or a net; None: the pipeline that is shipped.
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
    scale: float | str = "auto"
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
    with open_run_folder(config.out, RUNS, run_name(config.inputs[0])) as folder:
        write_json(folder.path / CONFIG_NAME, config.to_json())
        pipeline = (PicturePipeline if config.view == "image" else Pipeline).load(config.model)
        done: list[tuple[Path, ReportSection]] = []
        with progress_bar(len(images), enabled=config.progress) as show:
            for number, path in enumerate(images):
                show(number, display_name(path))
                try:
                    done.append((path, _look_at(path, config, pipeline, folder, len(images))))
                except DataError as error:
                    failures.append((path, error))
        if not done:
            return DetectOutcome(None, None, (), tuple(failures))
        sections = [section for _, section in done]
        title = sections[0].result.image.path if len(images) == 1 else folder.path.name
        report = folder.path / REPORT_NAME
        write_text(report, report_page(title, sections, failures, pipeline.labels))
    results = tuple((path, section.result) for path, section in done)
    return DetectOutcome(folder.path, report, results, tuple(failures))


def _look_at(
    path: Path,
    config: DetectConfig,
    pipeline: Pipeline | PicturePipeline,
    folder: RunFolder,
    image_count: int,
) -> ReportSection:
    """Read one image, find its cells, and write its folder."""
    started = perf_counter()
    loaded = load_image(path, max_pixels=config.max_pixels)
    read_ms = _ms_since(started)
    result = pipeline.run(loaded, display_name(path), view=config.view, scale=config.scale)
    result = replace(result, timing_ms={**result.timing_ms, "read": read_ms})
    if is_synthetic(path):
        result = replace(result, warnings=(SYNTHETIC, *result.warnings))
    colours = class_colours(pipeline.labels)
    boxed = () if result.view == "image" else result.cells
    marked = draw_cells(loaded.rgb, boxed, colours)
    image_folder = folder.claim(Path(display_name(path)).stem)
    result = _write(image_folder, marked, result, pipeline.labels, colours)
    return report_section(
        loaded.rgb,
        at_most(marked, picture_side_px(image_count)),
        result,
        pipeline.labels,
        colours,
        heading=result.image.path if image_count > 1 else "Findings",
        folder=image_folder.name,
    )


def _write(
    folder: Path,
    marked: Image,
    result: SmearResult,
    labels: LabelScheme,
    colours: dict[str, Colour],
) -> SmearResult:
    """Write an image's files, ``result.json`` last; returns the result with the time it took."""
    started = perf_counter()
    annotated = add_legend(marked, result, labels, colours)
    write_bytes(folder / "annotated.jpg", encode_jpeg(annotated, _ANNOTATED_QUALITY))
    write_text(folder / "cells.csv", cells_csv(result, labels))
    write_json(folder / "cells.geojson", cells_geojson(result, colours))
    timed = replace(result, timing_ms={**result.timing_ms, "write": _ms_since(started)})
    write_json(folder / "result.json", timed.to_json())
    return timed


def _is_scale(scale: float | str) -> bool:
    if isinstance(scale, str):
        return scale in ("auto", "none")
    return math.isfinite(scale) and scale > 0


def _ms_since(started: float) -> float:
    return 1000 * (perf_counter() - started)
