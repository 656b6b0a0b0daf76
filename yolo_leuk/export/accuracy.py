"""The gate on accuracy: what a coarser precision loses on the validation split of a data set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk import confusion, matching
from yolo_leuk.backends.net import Net
from yolo_leuk.cell_classifier import classify
from yolo_leuk.dataset import DataSet, TrueBoxes, read_boxes, read_picture
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.errors import ExportError
from yolo_leuk.export.fitting_data import check_fits, samples_of
from yolo_leuk.progress import progress_bar
from yolo_leuk.records import Detections, Sample
from yolo_leuk.sample_input import sample_input

ALLOWED: Mapping[str, float] = {"weighted_f1": 0.005, "ap50": 0.01}
"""What may be lost: half a point of weighted F1; a point of AP50, of the class that loses most."""

_BATCH = 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Accuracy:
    """Of one net.

    Attributes:
        whole: Weighted F1, or the mean AP50 of the classes that have boxes; 0 to 1.
        classes: F1 or AP50 by class, of those that have samples.
    """

    whole: float
    classes: Mapping[str, float]


@dataclass(frozen=True)
class AccuracyChange:
    """What becomes of a net's accuracy.

    Attributes:
        name: Of the net.
        figure: ``weighted_f1`` of a classifier, ``ap50`` of a detector.
        before: Of the net that was given.
        after: Of the net that was made of it.
        samples: Of the validation split that both were measured on.
        manifest_sha256: Of the data set.
    """

    name: str
    figure: Literal["weighted_f1", "ap50"]
    before: Accuracy
    after: Accuracy
    samples: int
    manifest_sha256: str

    @property
    def lost(self) -> float:
        """Of weighted F1, or of the AP50 of the class that loses most; below 0 for a gain."""
        if self.figure == "weighted_f1":
            return self.before.whole - self.after.whole
        return max(p - self.after.classes[name] for name, p in self.before.classes.items())

    def check(self, *, allow: bool) -> None:
        """Refuse a net that lost too much.

        Args:
            allow: Take it nevertheless.

        Raises:
            ExportError: It lost more than :data:`ALLOWED`.
        """
        allowed = ALLOWED[self.figure]
        if allow or self.lost <= allowed:
            return
        raise ExportError(
            f"{self.name} loses {100 * self.lost:.1f} points of {self.figure} on {self.samples} "
            f"validation samples ({self.before.whole:.4f} before, {self.after.whole:.4f} after); "
            f"{100 * allowed:g} are allowed",
            hint="Export it in FP16, or take the loss by --allow-accuracy-loss.",
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in the card of the net that was made."""
        return {
            "figure": self.figure,
            "split": "val",
            "samples": self.samples,
            "manifest_sha256": self.manifest_sha256,
            "before": round(self.before.whole, 5),
            "after": round(self.after.whole, 5),
            "lost": round(self.lost, 5),
            "allowed": ALLOWED[self.figure],
            "classes": {
                name: {"before": round(p, 5), "after": round(self.after.classes[name], 5)}
                for name, p in self.before.classes.items()
            },
        }


def measured(
    reference: Net, candidate: Net, data: DataSet, *, progress: bool = False
) -> AccuracyChange:
    """Run two nets on the validation split of a data set; every picture is read once.

    Args:
        reference: The net that was given.
        candidate: The net that was made of it.
        data: Of the task, level and classes of the nets.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        UsageError: The data set is none for these nets.
        DataError: It has no validation split, or a picture or label of it is not as it should be.
        ModelError: A net cannot be run.
    """
    before, after = accuracies((reference, candidate), data, progress=progress)
    return AccuracyChange(
        name=candidate.card.name,
        figure="ap50" if data.task == "detect" else "weighted_f1",
        before=before,
        after=after,
        samples=len(samples_of(data, "val")),
        manifest_sha256=data.manifest_sha256,
    )


def accuracies(nets: Sequence[Net], data: DataSet, *, progress: bool = False) -> list[Accuracy]:
    """Of several nets of one input; see :func:`measured`."""
    for net in nets:
        check_fits(data, net.card)
    of_task = _of_fields if data.task == "detect" else _of_cells
    return of_task(nets, data, samples_of(data, "val"), progress)


def _of_cells(
    nets: Sequence[Net], data: DataSet, samples: Sequence[Sample], progress: bool
) -> list[Accuracy]:
    calls: list[list[npt.NDArray[np.int64]]] = [[] for _ in nets]
    with progress_bar(len(samples), enabled=progress) as show:
        for start in range(0, len(samples), _BATCH):
            show(start, data.folder.name)
            some = samples[start : start + _BATCH]
            inputs = np.stack([sample_input(data.folder, s, nets[0].card) for s in some])
            for net, own in zip(nets, calls, strict=True):
                own.append(classify(net, inputs).probabilities.argmax(axis=1))
    labels = np.array([data.scheme.id_of(sample.label) for sample in samples])
    return [_f1(labels, np.concatenate(own), data) for own in calls]


def _f1(labels: npt.NDArray[np.int64], calls: npt.NDArray[np.int64], data: DataSet) -> Accuracy:
    counted = confusion.confusion_matrices(labels, calls, len(data.scheme))
    by_class = _by_class(confusion.f1(counted), data)
    return Accuracy(float(confusion.weighted_f1(counted)), by_class)


def _of_fields(
    nets: Sequence[Net], data: DataSet, samples: Sequence[Sample], progress: bool
) -> list[Accuracy]:
    detectors = [EagerDetector(net) for net in nets]
    matches: list[list[list[matching.Matched]]] = [[] for _ in nets]
    with progress_bar(len(samples), enabled=progress) as show:
        for number, sample in enumerate(samples):
            show(number, sample.sample_id)
            rgb = read_picture(data.folder, sample)
            truth = read_boxes(data.folder, sample, len(data.scheme))
            for detector, own in zip(detectors, matches, strict=True):
                found = detector.detect(rgb, sample.px_per_rbc)
                own.append(_matched(found, truth, len(data.scheme)))
    return [_ap50(own, data) for own in matches]


def _matched(found: Detections, truth: TrueBoxes, classes: int) -> list[matching.Matched]:
    """By class."""
    by_class = []
    for class_id in range(classes):
        own = found[found.class_id == class_id]
        boxes = truth.xyxy[truth.class_id == class_id]
        by_class.append(matching.match(own.xyxy, own.confidence, boxes))
    return by_class


def _ap50(fields: Sequence[Sequence[matching.Matched]], data: DataSet) -> Accuracy:
    of_classes = [matching.together(of_class) for of_class in zip(*fields, strict=True)]
    found = [matching.average_precision(of_class) for of_class in of_classes]
    by_class = _by_class(np.array(found), data)
    return Accuracy(float(np.mean(list(by_class.values()))), by_class)


def _by_class(figures: Floats, data: DataSet) -> dict[str, float]:
    """Of the classes that have a figure."""
    pairs = zip(data.scheme.names, figures.tolist(), strict=True)
    return {name: figure for name, figure in pairs if not math.isnan(figure)}
