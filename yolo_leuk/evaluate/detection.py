"""Figures of a detector: are the cells found, and are they counted rightly?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import images, matching
from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.dataset import TrueBoxes, read_boxes
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.evaluate import coco
from yolo_leuk.evaluate.figures import Drawn
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.stress import Condition, others_of, under
from yolo_leuk.labels import LabelScheme
from yolo_leuk.progress import progress_bar
from yolo_leuk.records import Detections, Image

FALSE_PER_IMAGE = (0.1, 0.5, 1.0, 2.0)
"""False boxes per image at which the recall is given."""

TITLES: Mapping[str, str] = {
    "ap50": "AP50",
    "ap50_95": "AP50–95",
    "recall": "recall",
    "precision": "precision",
    "false_per_image": "false boxes per image",
    **{f"recall_at_{most:g}": f"recall at {most:g} false per image" for most in FALSE_PER_IMAGE},
    "count_error": "counting error per image, absolute",
    "count_bias": "counting error per image, with its sign",
}
"""Keys of the figures of one class, in the order in which they are shown."""

UNBOUNDED = frozenset({"false_per_image", "count_error", "count_bias"})
"""Keys of figures that do not lie between 0 and 1."""


@dataclass(frozen=True)
class Fields:
    """Fields with true boxes.

    Attributes:
        held_out: The samples.
        truth: Boxes of each.
        bootstrap: Over their groups.
    """

    held_out: HeldOut
    truth: tuple[TrueBoxes, ...]
    bootstrap: GroupBootstrap

    @property
    def scheme(self) -> LabelScheme:
        """Classes of the boxes."""
        return self.held_out.scheme


def read_fields(held_out: HeldOut, *, draws: int, seed: int) -> Fields:
    """Read the true boxes of all samples. Raises DataError where a label file is broken."""
    folder, classes = held_out.data.folder, len(held_out.scheme)
    truth = tuple(read_boxes(folder, sample, classes) for sample in held_out.samples)
    bootstrap = GroupBootstrap(
        [sample.group for sample in held_out.samples], draws=draws, seed=seed
    )
    return Fields(held_out, truth, bootstrap)


@dataclass(frozen=True)
class DetectorAnswer:
    """What a detector finds in each field.

    Attributes:
        everything: Down to the least certain boxes.
        believed: Those that reach the thresholds of its card.
    """

    everything: tuple[Detections, ...]
    believed: tuple[Detections, ...]


def detected(
    detector: EagerDetector, fields: Fields, condition: Condition, *, progress: bool = False
) -> DetectorAnswer:
    """Run a detector on all fields, each at the scale that the manifest tells.

    Raises:
        ImageError: A picture cannot be read.
        ModelError: The net cannot be run.
    """
    samples = fields.held_out.samples
    everything = []
    with progress_bar(len(samples), enabled=progress) as show:
        for number, sample in enumerate(samples):
            show(number, sample.sample_id)
            rgb = shown(fields.held_out, condition, number)
            everything.append(detector.detect(rgb, sample.px_per_rbc * condition.ruler))
    return DetectorAnswer(tuple(everything), tuple(map(detector.believed, everything)))


def shown(held_out: HeldOut, condition: Condition, number: int) -> Image:
    """A field under a condition."""
    samples = held_out.samples

    def read(position: int) -> Image:
        return images.read_image(held_out.data.folder / samples[position].path)

    other = int(others_of(len(samples))[number])
    rgb, px_per_rbc = read(number), samples[number].px_per_rbc
    return under(condition, rgb, px_per_rbc, number, lambda: read(other))


@dataclass(frozen=True)
class DetectorFigures:
    """Figures of one detector.

    Attributes:
        by_class: By class, then by key of :data:`TITLES`.
        ranked: By class, for curves.
        counts: By class: boxes believed and true boxes of each field, shape (fields, 2).
    """

    by_class: Mapping[str, Mapping[str, Drawn]]
    ranked: Mapping[str, coco.Ranked]
    counts: Mapping[str, npt.NDArray[np.int64]]


def figures_of(fields: Fields, answer: DetectorAnswer) -> DetectorFigures:
    """All figures of a detector, class by class."""
    names = fields.scheme.names
    ranked = coco.ranked_by_class(answer.everything, fields.truth, len(names))
    counts = {
        name: _counts(answer.believed, fields.truth, number) for number, name in enumerate(names)
    }
    return DetectorFigures(
        {
            name: {
                **_average_precisions(ranked[number], fields.bootstrap),
                **_of_believed(counts[name], fields.bootstrap),
            }
            for number, name in enumerate(names)
        },
        dict(zip(names, ranked, strict=True)),
        {name: count[:, 1:] for name, count in counts.items()},
    )


def ap50s(fields: Fields, answer: DetectorAnswer) -> dict[str, Drawn]:
    """AP50 alone, by class."""
    ranked = coco.ranked_by_class(answer.everything, fields.truth, len(fields.scheme))
    return {
        name: coco.average_precision(of_class, fields.bootstrap, ious=1)[:, 0]
        for name, of_class in zip(fields.scheme.names, ranked, strict=True)
    }


def _average_precisions(ranked: coco.Ranked, bootstrap: GroupBootstrap) -> dict[str, Drawn]:
    areas = coco.average_precision(ranked, bootstrap)
    recalls = coco.recall_at(ranked, bootstrap, FALSE_PER_IMAGE)
    return {
        "ap50": areas[:, 0],
        "ap50_95": areas.mean(axis=1),
        **{f"recall_at_{most:g}": recalls[:, i] for i, most in enumerate(FALSE_PER_IMAGE)},
    }


def _counts(
    believed: Sequence[Detections], truth: Sequence[TrueBoxes], class_id: int
) -> npt.NDArray[np.int64]:
    """Pairs, believed boxes and true boxes of one class in each field, shape (fields, 3)."""
    rows = []
    for found, true in zip(believed, truth, strict=True):
        own = found.xyxy[found.class_id == class_id]
        boxes = true.xyxy[true.class_id == class_id]
        pairs, _ = matching.best_pairs(own, boxes)
        rows.append((len(pairs), len(own), len(boxes)))
    return np.array(rows, np.int64).reshape(-1, 3)


def _of_believed(counts: npt.NDArray[np.int64], bootstrap: GroupBootstrap) -> dict[str, Drawn]:
    """What follows from the boxes that the detector believes."""
    pairs, found, true = counts.T
    error = found - true
    columns = [*counts.T, np.abs(error), error, np.ones(len(counts))]
    pairs, found, true, absolute, signed, fields = bootstrap.sums(np.stack(columns, axis=1)).T
    with np.errstate(invalid="ignore"):
        return {
            "recall": pairs / true,
            "precision": pairs / found,
            "false_per_image": (found - pairs) / fields,
            "count_error": absolute / fields,
            "count_bias": signed / fields,
        }
