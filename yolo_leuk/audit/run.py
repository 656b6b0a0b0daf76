"""A folder of pictures in, what is wrong with it out: what ``yolo-leuk audit`` does."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_leuk import __version__, artifacts
from yolo_leuk.audit.balance import balance_of
from yolo_leuk.audit.duplicates import find_duplicates
from yolo_leuk.audit.formats import formats_of
from yolo_leuk.audit.groups import groups_across_splits
from yolo_leuk.audit.labels import check_labels
from yolo_leuk.audit.layout import open_data_set
from yolo_leuk.audit.pictures import DataSet, Picture
from yolo_leuk.audit.probe import Trials, trials_of
from yolo_leuk.audit.report import report_page
from yolo_leuk.audit.result import Audit, Shortcuts, Unreadable
from yolo_leuk.audit.scan import PictureFacts, scan
from yolo_leuk.audit.shortcuts import colour_only, region_scores, without_cells
from yolo_leuk.config import as_plain
from yolo_leuk.errors import ConfigError, DataError
from yolo_leuk.progress import progress_bar
from yolo_leuk.run_folder import free_folder

RUNS = Path("runs/audit")
CONFIG_NAME = "config.json"
JSON_NAME = "audit.json"
PAGE_NAME = "audit.html"

_NO_CLASSES = "the pictures have no classes, or too few pictures of one"


@dataclass(frozen=True)
class AuditConfig:
    """What to look at.

    Attributes:
        data: Folder of a data set.
        against: Another one, which should share no picture with it.
        out: A new or empty folder; None: ``runs/audit/<name of the data set>``, numbered.
        strict: End with an error where there is leakage.
        group_pattern: Regular expression; where it is found in a file's name, its first group
            names the patient. Only used where no manifest names groups; C-NMC's names by default.
        seed: Of the random parts into which a data set without splits is cut.
        workers: Processes; 0 means one per core.
        examples: How many duplicates of each kind the page shows.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    data: Path
    against: Path | None = None
    out: Path | None = None
    strict: bool = False
    group_pattern: str = r"^UID_(H?\d+)_"
    seed: int = 0
    workers: int = 0
    examples: int = 12
    progress: bool = True

    def __post_init__(self) -> None:
        for name in ("seed", "workers", "examples"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected 0 or more")


@dataclass(frozen=True)
class AuditOutcome:
    """What came of a run.

    Attributes:
        audit: What was found.
        page: ``audit.html``; ``audit.json`` lies beside it.
    """

    audit: Audit
    page: Path


def run(config: AuditConfig) -> AuditOutcome:
    """Look at a data set and write what was found. The data set is only read.

    Raises:
        ConfigError: The data set is to be compared with itself, or a pattern is none.
        DataError: A folder is missing or holds no picture.
        OutputError: The results cannot be written; found before the work begins if possible.
    """
    data_set, against = _opened(config)
    out = config.out or free_folder(RUNS / _safe(data_set.name))
    with artifacts.new_folder(out) as folder:
        settings = as_plain(config, whole_paths=False)
        artifacts.write_json(
            folder / CONFIG_NAME,
            {"schema": "yolo-leuk/audit-config/1", "version": __version__, **settings},
        )
        readable, unreadable = _read(data_set, against, config)
        audit = _looked_at(data_set, against, readable, unreadable, config)
        artifacts.write_json(folder / JSON_NAME, audit.to_json())
        clues = {p.path: f.clues for p, f in readable if f.clues is not None}
        page = report_page(audit, clues, examples=config.examples)
        artifacts.write_text(folder / PAGE_NAME, page)
    return AuditOutcome(audit, out / PAGE_NAME)


def _opened(config: AuditConfig) -> tuple[DataSet, DataSet | None]:
    data_set = open_data_set(config.data, config.group_pattern)
    if config.against is None:
        return data_set, None
    against = open_data_set(config.against, config.group_pattern)
    if against.root.resolve() == data_set.root.resolve():
        raise ConfigError(
            f"{config.data} and {config.against} are the same folder",
            hint="Duplicates inside of a data set are found without --against.",
        )
    if against.name == data_set.name:
        return _named_by_parent(data_set), _named_by_parent(against)
    return data_set, against


def _named_by_parent(data_set: DataSet) -> DataSet:
    name = f"{data_set.root.resolve().parent.name}/{data_set.name}"
    pictures = tuple(replace(picture, data_set=name) for picture in data_set.pictures)
    return replace(data_set, name=name, pictures=pictures)


_Read = list[tuple[Picture, PictureFacts]]


def _read(
    data_set: DataSet, against: DataSet | None, config: AuditConfig
) -> tuple[_Read, list[Unreadable]]:
    """All pictures of both data sets, those of the first one first."""
    readable: _Read = []
    unreadable = []
    for pictures, with_clues in (
        (data_set.pictures, bool(data_set.classes)),
        (against.pictures if against else (), False),
    ):
        with progress_bar(len(pictures), enabled=config.progress) as show:
            found = scan(
                [picture.file for picture in pictures],
                with_clues=with_clues,
                workers=_workers(config),
                show=show,
            )
        for picture, facts in zip(pictures, found, strict=True):
            if isinstance(facts, DataError):
                reason = str(facts).replace(str(picture.file), picture.path)
                unreadable.append(Unreadable(picture, reason))
            else:
                readable.append((picture, facts))
    return readable, unreadable


def _looked_at(
    data_set: DataSet,
    against: DataSet | None,
    readable: _Read,
    unreadable: Sequence[Unreadable],
    config: AuditConfig,
) -> Audit:
    pictures = [picture for picture, _ in readable]
    facts = [fact for _, fact in readable]
    own = sum(picture.data_set == data_set.name for picture in pictures)
    with progress_bar(max(own, 1), enabled=config.progress) as show:
        duplicates = find_duplicates(pictures, facts, own, workers=_workers(config), show=show)
    pictures, facts = pictures[:own], facts[:own]
    trials = _trials(pictures, config.seed)
    sizes = {p.path: f.size_wh for p, f in zip(pictures, facts, strict=True)}
    labels = check_labels(data_set, sizes)
    return Audit(
        data_set=data_set,
        against=against,
        duplicates=duplicates,
        groups=groups_across_splits(data_set.pictures),
        pictures=balance_of([(p.split, p.label) for p in data_set.pictures], data_set.splits),
        boxes=balance_of(labels.boxes, data_set.splits) if labels.files else None,
        formats=formats_of(pictures, facts, trials),
        shortcuts=None if trials is None else _shortcuts(pictures, facts, trials),
        no_shortcuts=_NO_CLASSES if trials is None else "",
        labels=labels,
        unreadable=tuple(unreadable),
    )


def _trials(pictures: Sequence[Picture], seed: int) -> Trials | None:
    return trials_of(
        [picture.split for picture in pictures],
        [picture.label for picture in pictures],
        [picture.group for picture in pictures],
        seed,
    )


def _shortcuts(
    pictures: Sequence[Picture], facts: Sequence[PictureFacts], trials: Trials
) -> Shortcuts:
    clues = [fact.clues for fact in facts if fact.clues is not None]
    labels = [picture.label for picture in pictures]
    return Shortcuts(
        trials=trials,
        colour_only=colour_only(clues, labels, trials),
        regions=region_scores(clues, labels, trials),
        without_cells=without_cells(clues, labels, trials),
    )


def _workers(config: AuditConfig) -> int:
    return config.workers or os.cpu_count() or 1


def _safe(name: str) -> str:
    """``name`` as the name of a folder on every system."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "data"
