"""One picture of a source to the samples that come of it, written to the data set's folder."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts, geometry, pixels, ruler
from yolo_leuk.errors import DataError
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare import crops
from yolo_leuk.prepare.opening import Opening, opened
from yolo_leuk.prepare.picture import Picture
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.splits import Placement
from yolo_leuk.records import Image, Sample

Task = Literal["classify", "detect"]
Level = Literal["cell", "image"]

OTHER = "Other"
"""A white cell of a picture that has no class."""


@dataclass(frozen=True)
class SampleRecipe:
    """What all samples of a run have in common.

    Attributes:
        folders: Where the data set of each task lies, and so which tasks there are.
        schemes: Classes of each task.
        level: ``cell`` cuts out cells to classify, ``image`` takes whole pictures.
        opening: How pictures are opened.
        cells_per_image: At most so many cells of one picture; 0 is all.
        detect_px_per_rbc: Fields are reduced by whole factors as long as this much is left.
        boxes_from: Detector for the classes that a source does not label, or None.
    """

    folders: Mapping[Task, Path]
    schemes: Mapping[Task, LabelScheme]
    level: Level
    opening: Opening
    cells_per_image: int
    detect_px_per_rbc: float
    boxes_from: Path | None


@dataclass(frozen=True)
class SampleJob:
    """All that is needed to turn one source image into samples, in any process."""

    image: SourceImage
    sha256: str
    px_per_rbc: float
    group: str
    place: Placement
    recipe: SampleRecipe


@dataclass(frozen=True)
class MadeSamples:
    """What one source image became.

    Attributes:
        samples: Rows of the manifest of each task.
        labels: Number of cells of each class, by task; whole pictures count one.
        problems: Why it, or a part of it, became nothing.
    """

    samples: Mapping[Task, tuple[Sample, ...]]
    labels: Mapping[Task, Mapping[str, int]]
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the journal of a run."""
        return {
            "samples": {
                task: [dataclasses.astuple(sample) for sample in samples]
                for task, samples in self.samples.items()
            },
            "labels": {task: dict(labels) for task, labels in self.labels.items()},
            "problems": [dataclasses.astuple(problem) for problem in self.problems],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> MadeSamples:
        """The opposite of ``to_json``."""
        return cls(
            {
                task: tuple(Sample(*row) for row in rows)
                for task, rows in content["samples"].items()
            },
            content["labels"],
            tuple(Problem(*row) for row in content["problems"]),
        )


def make_samples(job: SampleJob) -> MadeSamples:
    """Write the samples of one source image, for every task. Raises OutputError.

    A picture that cannot be used becomes a problem.
    """
    try:
        picture = opened(job.image, job.px_per_rbc, job.recipe.opening)
    except DataError as error:
        return MadeSamples({}, {}, (problem_of(job.image.file, str(error)),))
    made: dict[Task, tuple[Sample, ...]] = {}
    labels: dict[Task, Mapping[str, int]] = {}
    problems: list[Problem] = []
    for task in job.recipe.folders:
        if task == "detect":
            made[task], labels[task] = _as_field(job, picture)
        elif job.recipe.level == "cell":
            made[task], labels[task] = _as_cells(job, picture)
        elif job.image.label is None:
            problems.append(problem_of(job.image.file, "it has no class as a whole"))
        else:
            made[task], labels[task] = _as_whole(job, picture)
    return MadeSamples(made, labels, tuple(problems))


# --- a field with boxes ------------------------------------------------------------------------


def _as_field(job: SampleJob, picture: Picture) -> tuple[tuple[Sample, ...], Mapping[str, int]]:
    recipe = job.recipe
    scheme = recipe.schemes["detect"]
    reduced, factor = pixels.reduced_field(
        picture.rgb, picture.px_per_rbc, recipe.detect_px_per_rbc
    )
    size_wh = (reduced.shape[1], reduced.shape[0])
    # The rest that fills no whole pixel is gone, and with it the edge of a box that lay there.
    xyxy = geometry.clip_xyxy(picture.xyxy / factor, size_wh)
    labels, steps = picture.labels, list(picture.steps)
    if recipe.boxes_from is not None and set(labels) <= {"white"}:
        xyxy, labels = _completed(
            reduced, picture.px_per_rbc / factor, xyxy, scheme, recipe.boxes_from
        )
        steps.append(f"red cells and platelets boxed by {recipe.boxes_from.stem}")
    if factor > 1:
        steps.append(f"reduced by {factor}")
    labels = tuple(field_label(label, job.image, scheme) for label in labels)
    known = np.array([label in scheme.names for label in labels], bool)
    xyxy, labels = xyxy[known], tuple(np.array(labels, object)[known])
    ids = [scheme.id_of(label) for label in labels]
    rows = geometry.cxcywhn_from_xyxy(xyxy, size_wh)
    text = "".join(
        f"{class_id} {' '.join(f'{v:.6f}' for v in row)}\n"
        for class_id, row in zip(ids, rows, strict=True)
    )
    folder, split, name = recipe.folders["detect"], job.place.split, job.image.sample_id
    path = Path("images") / split / f"{name}.png"
    write_png(folder / path, reduced)
    artifacts.write_text(folder / "labels" / split / f"{name}.txt", text)
    sample = _row(
        job, name, path, reduced, job.image.label or "", picture.px_per_rbc / factor, steps
    )
    return (sample,), Counter(labels)


def field_label(label: str, image: SourceImage, scheme: LabelScheme) -> str:
    """Class of a box in a detection data set.

    Where the data set tells kinds of white cells apart, a box that is only known to be white takes
    the class of its picture.
    """
    return (image.label or OTHER) if label == "white" and "white" not in scheme.names else label


def _completed(
    field: Image,
    px_per_rbc: float,
    white_xyxy: npt.NDArray[np.float32],
    scheme: LabelScheme,
    detector: Path,
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """The white cells of the source, and the red cells and platelets that a detector finds."""
    found = _detector(detector).detect(field, px_per_rbc)
    others = found[found.class_id != scheme.id_of("white")]
    in_white = geometry.intersection_over_smaller(others.xyxy, white_xyxy).max(axis=1, initial=0.0)
    others = others[in_white < 0.6]
    xyxy = np.concatenate([white_xyxy, others.xyxy]).astype(np.float32)
    return xyxy, ("white",) * len(white_xyxy) + tuple(scheme.names[i] for i in others.class_id)


@lru_cache(maxsize=1)
def _detector(path: Path) -> FieldDetector:
    return FieldDetector.load(path)


# --- cells and whole pictures with a class -----------------------------------------------------


def _as_cells(job: SampleJob, picture: Picture) -> tuple[tuple[Sample, ...], Mapping[str, int]]:
    recipe = job.recipe
    picture = _on_glass(picture)
    labels = [_cell_label(label, job.image) for label in picture.labels]
    is_cell = np.array([label in recipe.schemes["classify"].names for label in labels], bool)
    chosen = np.flatnonzero(is_cell)
    chosen = chosen[
        crops.worth_cutting(
            picture.xyxy[chosen], picture.size_wh, picture.px_per_rbc, picture.painted_xyxy
        )
    ]
    if recipe.cells_per_image and len(chosen) > recipe.cells_per_image:
        # Evenly spread over the list, which runs over the picture; the same ones every time.
        chosen = chosen[np.linspace(0, len(chosen) - 1, recipe.cells_per_image).round().astype(int)]
    samples = []
    cut = crops.cut_crops(picture.rgb, picture.xyxy[chosen], picture.px_per_rbc)
    steps = (*picture.steps, f"window of {pixels.WINDOW_RBC:g} red cells, rim {pixels.RIM:g}")
    for number, (row, crop) in enumerate(zip(chosen, cut, strict=True)):
        name = f"{job.image.sample_id}-c{number:03d}"
        path = Path(job.place.split) / labels[row] / f"{name}.png"
        write_png(recipe.folders["classify"] / path, crop.picture)
        samples.append(_row(job, name, path, crop.picture, labels[row], crop.px_per_rbc, steps))
    return tuple(samples), Counter(sample.label for sample in samples)


def _on_glass(picture: Picture) -> Picture:
    """A cell on black as ``detect`` shows it to a classifier; black could give away a class."""
    if not ruler.is_cell_on_black(picture.rgb):
        return picture
    lit = dataclasses.replace(picture, rgb=ruler.on_glass(picture.rgb))
    return lit.noted("black replaced by glass")


def _cell_label(label: str, image: SourceImage) -> str:
    """Class of one cell: its own, or, where it is only known to be white, its picture's."""
    return (image.label or OTHER) if label == "white" else label


def _as_whole(job: SampleJob, picture: Picture) -> tuple[tuple[Sample, ...], Mapping[str, int]]:
    label, name = job.image.label or "", job.image.sample_id
    path = Path(job.place.split) / label / f"{name}.png"
    write_png(job.recipe.folders["classify"] / path, picture.rgb)
    sample = _row(job, name, path, picture.rgb, label, picture.px_per_rbc, picture.steps)
    return (sample,), {label: 1}


def _row(
    job: SampleJob,
    name: str,
    path: Path,
    picture: Image,
    label: str,
    px_per_rbc: float,
    steps: tuple[str, ...] | list[str],
) -> Sample:
    return Sample(
        sample_id=name,
        path=path.as_posix(),
        source=job.image.source,
        sha256=job.sha256,
        width=picture.shape[1],
        height=picture.shape[0],
        label=label,
        subject=job.image.subject,
        group=job.group,
        split=job.place.split,
        fold=job.place.fold,
        px_per_rbc=px_per_rbc,
        steps="; ".join(steps),
    )


def write_png(path: Path, rgb: Image) -> None:
    """Write a picture atomically, without loss. Raises OutputError."""
    done, buffer = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise DataError(f"a picture of {rgb.shape} pixels could not be written as PNG to {path}")
    artifacts.write_bytes(path, buffer.tobytes())
