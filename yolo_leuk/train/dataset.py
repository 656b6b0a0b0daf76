"""The data set that a training takes, checked before the run writes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk import artifacts
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.labels import FIELD, MATURITY, LabelScheme
from yolo_leuk.manifest import FILE_NAME, read_manifest
from yolo_leuk.records import Sample

DATASETS = Path("datasets")
_CARD = "dataset.json"
_SCHEMA = "yolo-leuk/dataset/1"


@dataclass(frozen=True)
class TrainingData:
    """What a data set says of itself.

    Attributes:
        folder: That ``prepare`` wrote.
        scheme: Its classes.
        sources: Titles of the data sets that it was made from.
        warnings: What a reader of any figure on it must know.
        manifest_sha256: Of its manifest.
    """

    folder: Path
    scheme: LabelScheme
    sources: tuple[str, ...]
    warnings: tuple[str, ...]
    manifest_sha256: str


def newest_dataset(task: str, root: Path = DATASETS) -> Path:
    """The data set of a task that was prepared last. Raises UsageError where there is none."""
    found = [
        (card.stat().st_mtime, card.parent)
        for card in root.glob(f"*/{_CARD}")
        if artifacts.read_json(card, schema=_SCHEMA)["task"] == task
    ]
    if not found:
        raise UsageError(
            f"no data set for {task} lies under {root}",
            hint=f"Make one with `yolo-leuk prepare SOURCE --task {task}`, or name one by --data.",
        )
    return max(found)[1]


def checked_dataset(folder: Path, task: str, leave_out: Sequence[str] = ()) -> TrainingData:
    """A data set whose files are those of its manifest, and from which the task can be learnt.

    Args:
        folder: That ``prepare`` wrote.
        task: ``classify`` or ``detect``.
        leave_out: Sources that training does not see.

    Raises:
        UsageError: There is no data set, it is for another task or of whole pictures, or a source
            to leave out is none of its own.
        DataError: Its manifest was changed, pictures are missing, or a split or class is empty.
    """
    if not (folder / _CARD).is_file():
        raise UsageError(
            f"{folder} holds no data set: it has no {_CARD}",
            hint=f"Make one with `yolo-leuk prepare SOURCE --task {task}`.",
        )
    content = artifacts.read_json(folder / _CARD, schema=_SCHEMA)
    if content["task"] != task:
        raise UsageError(
            f"{folder} is for {content['task']}, not for {task}",
            hint=f"Train on it with --task {content['task']}, or prepare one with --task {task}.",
        )
    if content.get("level") == "image":
        raise UsageError(
            f"{folder} holds whole pictures; a classifier is trained on single cells",
            hint="Prepare it with --level cell.",
        )
    if content["manifest_sha256"] != artifacts.sha256_of_file(folder / FILE_NAME):
        raise DataError(
            f"{folder / FILE_NAME} is not the manifest that {_CARD} speaks of",
            hint="Prepare the data set again.",
        )
    scheme = _scheme(LabelScheme(tuple(content["classes"]), frozenset(content["blasts"])))
    samples = read_manifest(folder)
    _check_pictures(folder, samples)
    _check_sources(folder, samples, leave_out)
    seen = [sample for sample in samples if sample.source not in leave_out]
    _check_splits(folder, seen, scheme if task == "classify" else None)
    return TrainingData(
        folder=folder,
        scheme=scheme,
        sources=tuple(source["title"] for source in content["sources"]),
        warnings=tuple(content["warnings"]),
        manifest_sha256=content["manifest_sha256"],
    )


def _scheme(found: LabelScheme) -> LabelScheme:
    """Our own scheme where the data set has its classes."""
    return next((known for known in (FIELD, MATURITY) if known == found), found)


def _check_pictures(folder: Path, samples: Sequence[Sample]) -> None:
    missing = [sample.path for sample in samples if not (folder / sample.path).is_file()]
    if missing:
        raise DataError(
            f"{folder}: {len(missing)} pictures are missing, the first is {missing[0]}",
            hint="Prepare the data set again.",
        )


def _check_sources(folder: Path, samples: Sequence[Sample], leave_out: Sequence[str]) -> None:
    sources = {sample.source for sample in samples}
    if unknown := sorted(set(leave_out) - sources):
        raise UsageError(
            f"leave_out names {', '.join(unknown)}; "
            f"the sources of {folder} are {', '.join(sorted(sources))}"
        )


def _check_splits(folder: Path, samples: Sequence[Sample], scheme: LabelScheme | None) -> None:
    """Both splits that training needs have pictures; with a scheme, ``train`` has every class."""
    for split in ("train", "val"):
        labels = {sample.label for sample in samples if sample.split == split}
        if not labels:
            raise DataError(f"{folder} has no pictures in its {split} split")
        absent = [name for name in scheme.names if name not in labels] if scheme else []
        if split == "train" and absent:
            raise DataError(
                f"{folder} has no cell of {', '.join(absent)} in its train split",
                hint="Prepare it from sources that have cells of every class.",
            )
