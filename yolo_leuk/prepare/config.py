"""What ``prepare`` makes, and of what."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from yolo_leuk.errors import ConfigError
from yolo_leuk.prepare.extra.compose import ComposeOptions, check_compose
from yolo_leuk.prepare.pictures.opening import CellsFrom, Opening
from yolo_leuk.prepare.pictures.steps import StepOptions, check_steps
from yolo_leuk.prepare.samples import Level, Task
from yolo_leuk.prepare.white_cells.masks import MaskParts


@dataclass(frozen=True)
class PrepareConfig:
    """What ``prepare`` makes, and of what.

    Attributes:
        sources: Folders or zips as they were downloaded; empty means what lies under
            ``datasets/raw``.
        kind: ``auto`` or one of the known kinds; the same for all sources.
        task: ``classify`` writes cells or pictures in folders of classes, ``detect`` fields with
            boxes, ``both`` makes a folder of each.
        level: To classify: single cells cut out, or whole pictures.
        out: The data set's folder; ``datasets/<source>-<task>`` where None.
        keep_split: Manifest, or folder of a data set, whose groups stay in their splits.
        max_bad: More than this share of broken files is an error.
        labels: Class of the source to class of the data set, for what is to be renamed or joined.
        classes: Classes to classify, in order; those of the sources where empty.
        blasts: Which of them are blasts; as the sources say where None.
        boxes: ``field`` are white cells, red cells and platelets, ``white`` white cells alone,
            ``kinds`` the classes of white cells, red cells and platelets.
        folds: k of the folds of what is not test; ``official`` takes the source's own, and says
            that they leak.
        groups_per_class: Of a source without patients, at most.
        steps: What is done to the pixels, in this order.
        step_options: Numbers that the steps go by.
        cells_from: Where a source has no boxes: ``auto``, ``masks``, or a recipe for masks
            (``stains``, ``kmeans``, ``hsv``).
        mask_parts: What the values of a source's masks stand for.
        cells_per_image: At most so many cells of one picture, evenly spread; 0 is all.
        balance: Of the classes of the training split, to classify: ``none``, ``weights`` for
            training, or ``turns``, flips and right-angle turns up to an equal count.
        compose: ``fields`` pastes single cells into drawn fields, to detect.
        compose_options: How fields are composed.
        px_per_rbc: Width of a red cell in pixels where a source neither says nor shows it.
        detect_px_per_rbc: Fields are reduced by whole factors as long as this much is left.
        boxes_from: ONNX file of a detector that fills in the boxes of the classes that a source
            does not label; None leaves them out.
        seed: Of the splits, the balance and the composed fields.
        workers: Processes; 0 means one per core.
    """

    sources: tuple[Path, ...] = ()
    kind: str = "auto"
    task: Literal["classify", "detect", "both"] = "classify"
    level: Level = "cell"
    out: Path | None = None
    keep_split: Path | None = None
    max_bad: float = 0.01
    labels: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    blasts: tuple[str, ...] | None = None
    boxes: Literal["field", "white", "kinds"] = "field"
    folds: int | Literal["official"] = 5
    groups_per_class: int = 20
    steps: tuple[str, ...] = ("scale-bar",)
    step_options: StepOptions = field(default_factory=StepOptions)
    cells_from: CellsFrom = "auto"
    mask_parts: MaskParts = field(default_factory=MaskParts)
    cells_per_image: int = 0
    balance: Literal["none", "weights", "turns"] = "none"
    compose: Literal["none", "fields"] = "none"
    compose_options: ComposeOptions = field(default_factory=ComposeOptions)
    px_per_rbc: float | None = None
    detect_px_per_rbc: float = 60.0
    boxes_from: Path | None = None
    seed: int = 0
    workers: int = 0

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that a data set is made for."""
        return ("classify", "detect") if self.task == "both" else (self.task,)

    @property
    def opening(self) -> Opening:
        """How pictures are opened."""
        return Opening(self.steps, self.step_options, self.cells_from, self.mask_parts)


def check_config(config: PrepareConfig) -> None:
    """Refuse what could not work, before anything is read. Raises ConfigError."""
    _check_numbers(config)
    check_steps(config.steps, config.step_options)
    check_compose(config.compose_options)
    if config.compose == "fields" and "detect" not in config.tasks:
        raise ConfigError(
            "compose=fields makes data to detect with; the task is classify",
            hint="Add --task detect.",
        )
    if config.balance != "none" and "classify" not in config.tasks:
        raise ConfigError(
            f"balance={config.balance} evens out classes to classify; the task is detect",
            hint="Leave it out, or add --task both.",
        )
    if config.boxes_from is not None and config.boxes != "field":
        raise ConfigError(
            f"boxes_from fills in white cells, red cells and platelets; boxes is {config.boxes}",
            hint="Leave one of the two out.",
        )
    if config.folds == "official" and config.keep_split is not None:
        raise ConfigError(
            "the source's own folds and the split of another data set cannot both be kept",
            hint="Leave out --folds official or --keep-split.",
        )
    unknown = set(config.blasts or ()) - set(config.classes)
    if config.classes and unknown:
        raise ConfigError(f"blasts {', '.join(sorted(unknown))} are not among the classes")


def _check_numbers(config: PrepareConfig) -> None:
    least: dict[str, Any] = {"groups_per_class": 1, "cells_per_image": 0, "seed": 0, "workers": 0}
    if config.folds != "official":
        least["folds"] = 2
    for name, value in least.items():
        if getattr(config, name) < value:
            raise ConfigError(f"{name} is {getattr(config, name)}; expected {value} or more")
    for name in ("px_per_rbc", "detect_px_per_rbc"):
        ruler = getattr(config, name)
        if ruler is not None and not ruler > 0:
            raise ConfigError(f"{name} is {ruler}; expected above 0")
    if not 0 <= config.max_bad <= 1:
        raise ConfigError(f"max_bad is {config.max_bad:g}; expected a share from 0 to 1")
