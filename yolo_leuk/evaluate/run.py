"""Models and a data set in, figures and a report out: what ``yolo-leuk evaluate`` does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.bootstrap import Figure
from yolo_leuk.config import as_plain
from yolo_leuk.errors import ConfigError
from yolo_leuk.evaluate.cautions import cautions_of
from yolo_leuk.evaluate.found import Asked, Found, of_classifiers, of_fields
from yolo_leuk.evaluate.held_out import HeldOut, SplitName, read_held_out
from yolo_leuk.evaluate.models import Model, open_models
from yolo_leuk.evaluate.report import report_page
from yolo_leuk.run_folder import free_folder

SCHEMA = "yolo-leuk/metrics/1"
RUNS = Path("runs/evaluate")
CONFIG_NAME = "config.json"
METRICS_NAME = "metrics.json"
REPORT_NAME = "report.html"
PICTURES = "pictures"


@dataclass(frozen=True)
class EvaluateConfig:
    """What is measured, on what, and how.

    Attributes:
        models: Nets, tables, pipelines, ensembles, or folders of runs; differences are to the
            first one.
        data: Folder that ``prepare`` wrote.
        split: Part of it; ``folds`` is all that is not test.
        stress: Measure under conditions too.
        out: A new or empty folder; None: ``runs/evaluate/<data set>-<split>``, numbered.
        draws: Of the bootstrap.
        seed: Of the draws.
        trust: Take nets although their hashes differ from their cards.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    models: tuple[Path, ...]
    data: Path
    split: SplitName = "test"
    stress: bool = False
    out: Path | None = None
    draws: int = 1000
    seed: int = 0
    trust: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("expected at least one model, got none")
        if self.draws < 1 or self.seed < 0:
            raise ConfigError(
                f"draws is {self.draws} and seed {self.seed}; expected draws from 1, seed from 0"
            )


@dataclass(frozen=True)
class EvaluateOutcome:
    """What came of a run.

    Attributes:
        metrics: What ``metrics.json`` holds.
        table: Rows for people: model, then figures by title.
        report: ``report.html``; everything else lies beside it.
    """

    metrics: Mapping[str, Any]
    table: Mapping[str, Mapping[str, Figure]]
    report: Path


def run(config: EvaluateConfig) -> EvaluateOutcome:
    """Measure models and write what was found. Models and data set are only read.

    Raises:
        UsageError: There is no data set, or a model is for another task.
        DataError: The data set does not match its manifest, or classes differ.
        LeakageError: An ensemble was searched on these samples.
        ModelError: A model cannot be opened or run.
        OutputError: The results cannot be written.
    """
    held_out = read_held_out(config.data, config.split)
    models = open_models(config.models, held_out, trust=config.trust)
    out = config.out or free_folder(RUNS / f"{_safe(config.data.resolve().name)}-{config.split}")
    with artifacts.new_folder(out) as folder:
        settings = as_plain(config, whole_paths=False)
        artifacts.write_json(
            folder / CONFIG_NAME,
            {"schema": "yolo-leuk/evaluate-config/1", "version": __version__, **settings},
        )
        found = _found(config, held_out, models)
        cautions = cautions_of(held_out, models, found.bounded, stress=config.stress)
        metrics = {**_head(config, held_out, cautions), **found.keys}
        artifacts.write_json(folder / METRICS_NAME, metrics)
        for chart in found.charts:
            artifacts.write_bytes(folder / PICTURES / f"{chart.name}.png", chart.png)
        for name, content in found.files.items():
            artifacts.write_bytes(folder / name, content)
        page = report_page(held_out, models, cautions, found.sections, _facts(config, held_out))
        artifacts.write_text(folder / REPORT_NAME, page)
    return EvaluateOutcome(metrics, found.table, out / REPORT_NAME)


def _found(config: EvaluateConfig, held_out: HeldOut, models: Sequence[Model]) -> Found:
    asked = Asked(config.stress, config.draws, config.seed, config.progress)
    if held_out.data.task == "classify":
        return of_classifiers(models, held_out, asked)
    return of_fields(models, held_out, asked)


def _head(config: EvaluateConfig, held_out: HeldOut, cautions: Sequence[str]) -> dict[str, Any]:
    """The keys that all of ``metrics.json`` have."""
    data, samples = held_out.data, held_out.samples
    return {
        "schema": SCHEMA,
        "version": __version__,
        "task": data.task,
        "data": {
            "name": config.data.resolve().name,
            "level": data.level,
            "split": held_out.split,
            "manifest_sha256": data.manifest_sha256,
            "classes": list(data.scheme.names),
            "blasts": [name for name in data.scheme.names if name in data.scheme.blasts],
            "samples": len(samples),
            "samples_by_label": dict(sorted(Counter(s.label for s in samples).items())),
            "groups": len({sample.group for sample in samples}),
            "subjects": len({(s.source, s.subject) for s in samples if s.subject}),
        },
        "bootstrap": {"draws": config.draws, "seed": config.seed, "of": "groups"},
        "warnings": list(cautions),
    }


def _facts(config: EvaluateConfig, held_out: HeldOut) -> dict[str, str]:
    return {
        "program": f"yolo-leuk {__version__}",
        "manifest": f"SHA-256 {held_out.data.manifest_sha256}",
        "intervals": f"95 %, {config.draws:,} draws of groups with replacement (percentiles); "
        "where samples have classes, groups are drawn within theirs",
        "numbers": "metrics.json holds all of them",
    }


def _safe(name: str) -> str:
    """``name`` as the name of a folder on every system."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "data"
