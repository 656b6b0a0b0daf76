"""Models in, a table of what they take on this machine out: what ``yolo-leuk benchmark`` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.benchmark.config import BenchmarkConfig
from yolo_leuk.benchmark.machine import machine
from yolo_leuk.benchmark.one_row import Task
from yolo_leuk.benchmark.picture import drawn
from yolo_leuk.benchmark.process import measured_apart
from yolo_leuk.benchmark.row import Row, csv_of, row_of
from yolo_leuk.benchmark.subjects import Subject, subjects_of
from yolo_leuk.config import as_plain
from yolo_leuk.errors import ImageError
from yolo_leuk.progress import progress_bar
from yolo_leuk.run_folder import free_folder, safe_name
from yolo_leuk.shipped import samples_folder

SCHEMA = "yolo-leuk/benchmark/1"
RUNS = Path("runs/benchmark")
CONFIG_NAME = "config.json"
CSV_NAME = "benchmark.csv"
JSON_NAME = "benchmark.json"
PICTURE_NAME = "benchmark.png"


@dataclass(frozen=True)
class BenchmarkOutcome:
    """What came of a run.

    Attributes:
        content: What ``benchmark.json`` holds.
        rows: Of the table.
        folder: Where everything lies.
    """

    content: Mapping[str, Any]
    rows: tuple[Row, ...]
    folder: Path


def run(config: BenchmarkConfig) -> BenchmarkOutcome:
    """Time models, and write what was found. Models are only read.

    Raises:
        UsageError: A path is no model, or a model is named twice.
        ImageError: There is no such image.
        ModelError: A model cannot be opened or run.
        OutputError: The results cannot be written.
    """
    image = config.image or samples_folder() / "smear.jpg"
    if not image.is_file():
        raise ImageError(f"there is no image {image}", hint="Check the path.")
    subjects = subjects_of(config)
    out = config.out or free_folder(RUNS / safe_name(subjects[0].model.replace("/", "-")))
    with artifacts.new_folder(out) as folder:
        settings = as_plain(config, whole_paths=False)
        artifacts.write_json(
            folder / CONFIG_NAME,
            {"schema": "yolo-leuk/benchmark-config/1", "version": __version__, **settings},
        )
        about = machine()
        rows = _rows(subjects, config, image)
        content = {
            "schema": SCHEMA,
            "version": __version__,
            "machine": about,
            "image": image.name,
            "rows": [row.to_json() for row in rows],
        }
        artifacts.write_json(folder / JSON_NAME, content)
        artifacts.write_text(folder / CSV_NAME, csv_of(rows))
        title = f"{about['processor']}, {rows[0].cores} cores, {rows[0].runs} runs of each"
        artifacts.write_bytes(folder / PICTURE_NAME, drawn(rows, title))
    return BenchmarkOutcome(content, tuple(rows), out)


def _rows(subjects: list[Subject], config: BenchmarkConfig, image: Path) -> list[Row]:
    tasks = [(subject, batch) for subject in subjects for batch in subject.batches]
    rows = []
    with progress_bar(len(tasks), enabled=config.progress) as show:
        for number, (subject, batch) in enumerate(tasks):
            show(number, f"{subject.model} {subject.part} × {batch}")
            rows.append(_row(subject, batch, config, image))
    return rows


def _row(subject: Subject, batch: int, config: BenchmarkConfig, image: Path) -> Row:
    found = measured_apart(
        Task(
            file=str(subject.file),
            part=subject.part,
            batch=batch,
            runs=config.runs,
            warm_up=config.warm_up,
            cores=config.cores,
            image=str(image),
            trust=config.trust,
        )
    )
    about = {name: getattr(subject, name) for name in ("model", "part", "runtime", "precision")}
    return row_of(about, batch, **found)
