"""One picture of a source to the samples that come of it, written before their place is known.

Which split a picture belongs to depends on all others; what its samples look like does not. So each
picture is read once, its samples are written to a waiting room, and :mod:`placing` moves them.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry, pixels, ruler
from yolo_leuk.errors import DataError, OutputError
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import LabelScheme
from yolo_leuk.png import encode_png
from yolo_leuk.prepare.facts import Hash, PictureFacts
from yolo_leuk.prepare.pictures.opening import Opened, Opening, opened
from yolo_leuk.prepare.pictures.picture import Picture
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split import cell_thumbnails
from yolo_leuk.prepare.split.looks import Look, look_of
from yolo_leuk.prepare.white_cells import crops
from yolo_leuk.records import Image

Task = Literal["classify", "detect"]
Level = Literal["cell", "image"]

OTHER = "Other"
"""A white cell of a picture that has no class."""


@dataclass(frozen=True)
class SampleRecipe:
    """What all samples of a run have in common.

    Attributes:
        waiting: Folder in which samples wait for their place.
        schemes: Classes of each task, and so which tasks there are.
        level: ``cell`` cuts out cells to classify, ``image`` takes whole pictures.
        opening: How pictures are opened.
        cells_per_image: At most so many cells of one picture; 0 is all.
        detect_px_per_rbc: Fields are reduced by whole factors as long as this much is left.
        boxes_from: Detector for the classes that a source does not label, or None.
        hash_of: What tells that two files have the same bytes.
    """

    waiting: Path
    schemes: Mapping[Task, LabelScheme]
    level: Level
    opening: Opening
    cells_per_image: int
    detect_px_per_rbc: float
    boxes_from: Path | None
    hash_of: Hash

    @property
    def needs_cells(self) -> bool:
        """Whether cells must be found in fields without boxes."""
        return "detect" in self.schemes or self.level == "cell"


@dataclass(frozen=True)
class SampleJob:
    """One picture to turn into samples, in any process.

    Attributes:
        image: Of a source.
        px_per_rbc: Width of a red cell in its pixels.
        tasks: What samples are made for.
    """

    image: SourceImage
    px_per_rbc: float
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class NewSample:
    """A sample whose split is not known yet; its attributes are those of a manifest's row.

    Attributes:
        labels: Number of its boxes of each class; a cell or a whole picture is one of its label.
    """

    task: Task
    name: str
    label: str
    width: int
    height: int
    px_per_rbc: float
    steps: str
    labels: Mapping[str, int]


@dataclass(frozen=True)
class MadeSamples:
    """What one source image became.

    Attributes:
        facts: None where it could not be used.
        samples: Of all tasks.
        problems: Why it, or a part of it, became nothing.
    """

    facts: PictureFacts | None
    samples: tuple[NewSample, ...] = ()
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the journal of a run."""
        return {
            "facts": None if self.facts is None else self.facts.to_json(),
            # Not astuple: it copies every value deeply, which took as long as writing the samples.
            "samples": [list(vars(sample).values()) for sample in self.samples],
            "problems": [list(vars(problem).values()) for problem in self.problems],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> MadeSamples:
        """The opposite of ``to_json``."""
        facts = content["facts"]
        return cls(
            None if facts is None else PictureFacts.from_json(facts),
            tuple(NewSample(*row) for row in content["samples"]),
            tuple(Problem(*row) for row in content["problems"]),
        )


def make_samples(recipe: SampleRecipe, job: SampleJob) -> MadeSamples:
    """Write the samples of one source image, for every task. Raises OutputError.

    A picture that cannot be used becomes a problem.
    """
    image = job.image
    try:
        content = image.file.read()
        found = opened(
            image, content, job.px_per_rbc, recipe.opening, with_cells=recipe.needs_cells
        )
    except DataError as error:
        return MadeSamples(None, (), (problem_of(image.file, str(error)),))
    facts = PictureFacts(recipe.hash_of(image.file.name, content), _look_of(job, found))
    samples: list[NewSample] = []
    problems: list[Problem] = []
    for task in job.tasks:
        if task == "detect":
            samples.append(_as_field(recipe, job, found.picture))
        elif recipe.level == "cell":
            samples += _as_cells(recipe, job, found.picture, to_compare=facts.look is not None)
        elif image.label is None:
            problems.append(problem_of(image.file, "it has no class as a whole"))
        else:
            samples.append(_as_whole(recipe, job, found.picture, image.label))
    return MadeSamples(facts, tuple(samples), tuple(problems))


def _look_of(job: SampleJob, found: Opened) -> Look | None:
    """None where a subject says more than looks do."""
    if job.image.subject:
        return None
    return look_of(found.barless, job.px_per_rbc)


# --- a field with boxes ------------------------------------------------------------------------


def _as_field(recipe: SampleRecipe, job: SampleJob, picture: Picture) -> NewSample:
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
    labels = tuple(np.array(labels, object)[known])
    return write_field(
        recipe, job.image.sample_id, reduced, xyxy[known], labels,
        label=job.image.label or "", px_per_rbc=picture.px_per_rbc / factor, steps=steps,
    )  # fmt: skip


def write_field(
    recipe: SampleRecipe,
    name: str,
    rgb: Image,
    xyxy: npt.NDArray[np.float32],
    labels: Sequence[str],
    *,
    label: str,
    px_per_rbc: float,
    steps: Sequence[str],
) -> NewSample:
    """Write a field and its boxes to the waiting room. Raises OutputError."""
    scheme = recipe.schemes["detect"]
    rows = geometry.cxcywhn_from_xyxy(xyxy, (rgb.shape[1], rgb.shape[0]))
    text = "".join(
        f"{scheme.id_of(own)} {' '.join(f'{v:.6f}' for v in row)}\n"
        for own, row in zip(labels, rows, strict=True)
    )
    write_in_stage(recipe.waiting / "detect" / f"{name}.txt", text.encode())
    counts = dict(Counter(labels))
    return _written(recipe, "detect", name, rgb, label, px_per_rbc, steps, counts)


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


def _as_cells(
    recipe: SampleRecipe, job: SampleJob, picture: Picture, *, to_compare: bool
) -> list[NewSample]:
    sample_id, picture = job.image.sample_id, _on_glass(picture)
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
    cut = crops.cut_crops(picture.rgb, picture.xyxy[chosen], picture.px_per_rbc)
    steps = (*picture.steps, f"window of {pixels.WINDOW_RBC:g} red cells, rim {pixels.RIM:g}")
    samples = []
    for number, (row, crop) in enumerate(zip(chosen, cut, strict=True)):
        name, label = f"{sample_id}-c{number:03d}", labels[row]
        samples.append(
            _written(
                recipe, "classify", name, crop.picture, label, crop.px_per_rbc, steps, {label: 1}
            )
        )
    if to_compare:
        content = cell_thumbnails.content_of([crop.picture for crop in cut])
        write_in_stage(cell_thumbnails.file_of(recipe.waiting, sample_id), content)
    return samples


def _on_glass(picture: Picture) -> Picture:
    """A cell on black as ``detect`` shows it to a classifier; black could give away a class."""
    if not ruler.is_cell_on_black(picture.rgb):
        return picture
    lit = dataclasses.replace(picture, rgb=ruler.on_glass(picture.rgb))
    return lit.noted("black replaced by glass")


def _cell_label(label: str, image: SourceImage) -> str:
    """Class of one cell: its own, or, where it is only known to be white, its picture's."""
    return (image.label or OTHER) if label == "white" else label


def _as_whole(recipe: SampleRecipe, job: SampleJob, picture: Picture, label: str) -> NewSample:
    name, scale = job.image.sample_id, picture.px_per_rbc
    return _written(recipe, "classify", name, picture.rgb, label, scale, picture.steps, {label: 1})


def _written(
    recipe: SampleRecipe,
    task: Task,
    name: str,
    rgb: Image,
    label: str,
    px_per_rbc: float,
    steps: Sequence[str],
    labels: Mapping[str, int],
) -> NewSample:
    write_png(recipe.waiting / f"{task}/{name}.png", rgb)
    height, width = rgb.shape[:2]
    return NewSample(task, name, label, width, height, px_per_rbc, "; ".join(steps), labels)


def write_png(path: Path, rgb: Image) -> None:
    """Write a picture without loss to a folder of a stage. Raises OutputError."""
    write_in_stage(path, encode_png(rgb))


def write_in_stage(path: Path, content: bytes) -> None:
    """Write a file of a stage; its folder is there.

    A kill may leave half of it: nothing takes it before the journal has it, and the next run writes
    it anew. So it needs no second name and no renaming, which took as long as all the rest.

    Raises:
        OutputError: It cannot be written; no half of it is left.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            hint="Make room or rights there, and run the same command again: it goes on.",
        ) from error
