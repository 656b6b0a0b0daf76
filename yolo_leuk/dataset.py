"""What ``prepare`` says of a data set in ``dataset.json`` beside the manifest, read and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts, geometry, images
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.labels import FIELD, MATURITY, LabelScheme
from yolo_leuk.manifest import FILE_NAME, read_manifest
from yolo_leuk.records import Floats, Image, Ints, Sample

CARD = "dataset.json"
SCHEMA = "yolo-leuk/dataset/1"

Task = Literal["classify", "detect"]
Level = Literal["cell", "image", "field"]


@dataclass(frozen=True)
class DataSet:
    """A data set and what it says of itself.

    Attributes:
        folder: That ``prepare`` wrote.
        task: ``classify`` or ``detect``.
        level: What a picture of it shows: a ``cell``, a whole ``image`` with a class, or a
            ``field`` with boxes.
        scheme: Its classes.
        samples: All rows of its manifest.
        sources: Titles of the data sets that it was made from.
        warnings: What a reader of any figure on it must know.
        class_weights: Class to its weight, where it was prepared with some.
        manifest_sha256: Of its manifest.
    """

    folder: Path
    task: Task
    level: Level
    scheme: LabelScheme
    samples: tuple[Sample, ...]
    sources: tuple[str, ...]
    warnings: tuple[str, ...]
    class_weights: Mapping[str, float] | None
    manifest_sha256: str


def read_picture(folder: Path, sample: Sample) -> Image:
    """The stored picture of a sample.

    Raises:
        ImageError: It cannot be read.
        DataError: It is not of the size that the manifest tells.
    """
    file = folder / sample.path
    stored = images.read_image(file)
    height, width = stored.shape[:2]
    if (width, height) != (sample.width, sample.height):
        raise DataError(
            f"{file} is {width}×{height}, its manifest says {sample.width}×{sample.height}",
            hint="Prepare the data set again.",
        )
    return stored


def read_dataset(folder: Path) -> DataSet:
    """Read what a data set says of itself, and its manifest.

    Raises:
        UsageError: The folder holds no data set.
        DataError: ``dataset.json`` breaks its schema, or speaks of another manifest.
        ManifestError, LeakageError: The manifest breaks the rules of one.
    """
    if not (folder / CARD).is_file():
        raise UsageError(
            f"{folder} holds no data set: it has no {CARD}",
            hint="Make one with `yolo-leuk prepare SOURCE --task classify|detect`.",
        )
    content = artifacts.read_json(folder / CARD, schema=SCHEMA)
    if content["manifest_sha256"] != artifacts.sha256_of_file(folder / FILE_NAME):
        raise DataError(
            f"{folder / FILE_NAME} is not the manifest that {CARD} speaks of",
            hint="Prepare the data set again.",
        )
    task: Task = content["task"]
    return DataSet(
        folder=folder,
        task=task,
        level=content.get("level", "field" if task == "detect" else "cell"),
        scheme=_known(LabelScheme(tuple(content["classes"]), frozenset(content["blasts"]))),
        samples=tuple(read_manifest(folder)),
        sources=tuple(source["title"] for source in content["sources"]),
        warnings=tuple(content["warnings"]),
        class_weights=content.get("class_weights"),
        manifest_sha256=content["manifest_sha256"],
    )


def check_pictures(folder: Path, samples: Iterable[Sample]) -> None:
    """Raise DataError where the picture of a sample is missing."""
    missing = [sample.path for sample in samples if not (folder / sample.path).is_file()]
    if missing:
        raise DataError(
            f"{folder}: {len(missing)} pictures are missing, the first is {missing[0]}",
            hint="Prepare the data set again.",
        )


def is_turned_copy(sample: Sample) -> bool:
    """Whether ``prepare`` made it for balance, by turning another one."""
    return sample.steps.rpartition("; ")[2].startswith("turned: ")


@dataclass(frozen=True)
class TrueBoxes:
    """Boxes of a field as its label file has them.

    Attributes:
        xyxy: In pixels, float32, shape (n, 4).
        class_id: Of each box, int64, shape (n,).
    """

    xyxy: Floats
    class_id: Ints


def read_boxes(folder: Path, sample: Sample, classes: int) -> TrueBoxes:
    """Boxes of a sample of a detection data set.

    Args:
        folder: Of the data set.
        sample: One of its samples.
        classes: How many it has.

    Raises:
        DataError: The label file is missing, or a row of it is no class and four numbers.
    """
    file = folder / "labels" / sample.split / f"{sample.sample_id}.txt"
    try:
        rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
        values = np.array([[float(v) for v in row] for row in rows], np.float64).reshape(-1, 5)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file}: expected rows of a class and four numbers: {error}",
            hint="Prepare the data set again.",
        ) from error
    class_id: npt.NDArray[np.int64] = values[:, 0].astype(np.int64)
    if len(class_id) and not 0 <= class_id.min() <= class_id.max() < classes:
        raise DataError(
            f"{file}: expected classes from 0 to {classes - 1}, "
            f"found {class_id.min()} to {class_id.max()}"
        )
    xyxy = geometry.xyxy_from_cxcywhn(values[:, 1:], (sample.width, sample.height))
    return TrueBoxes(xyxy, class_id)


def _known(found: LabelScheme) -> LabelScheme:
    """Our own scheme where the data set has its classes."""
    return next((known for known in (FIELD, MATURITY) if known == found), found)
