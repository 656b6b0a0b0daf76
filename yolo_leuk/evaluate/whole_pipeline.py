"""A pipeline as a whole: are cells found and rightly called, and the blasts of a field counted?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk import matching
from yolo_leuk.dataset import TrueBoxes
from yolo_leuk.errors import DataError
from yolo_leuk.evaluate.detection import Fields, shown
from yolo_leuk.evaluate.figures import Drawn
from yolo_leuk.evaluate.stress import Condition
from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import LabelScheme
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.progress import progress_bar
from yolo_leuk.records import UNIDENTIFIED, Floats, Ints, Sample, SmearResult

MISSED = "not found"
NO_CELL = "no cell"

_WHITE = "white"

# A white cell of a picture without class: the data sets of prepare call it so.
_OTHER = "Other"
_UNKNOWN = -1

TITLES: Mapping[str, str] = {
    "recall": "white cells found",
    "precision": "of the boxes, on a white cell",
    "right": "of all white cells, found and rightly called",
    "right_of_found": "of those found, rightly called",
    "unidentified": "of those found, unidentified",
    "blast_sensitivity": "of all blasts, found and called a blast",
    "false_blasts": "of other cells and of boxes on no cell, called a blast",
    "fraction_error": "error of the blast fraction per image, absolute",
    "fraction_bias": "error of the blast fraction per image, with its sign",
    "fraction_given": "images with cells for which a blast fraction is given",
}
"""Keys of the figures, in the order in which they are shown."""


@dataclass(frozen=True)
class WhiteCells:
    """White cells of a field.

    Attributes:
        xyxy: In pixels, shape (n, 4).
        class_id: By the pipeline's classes, −1 where not known, shape (n,).
    """

    xyxy: Floats
    class_id: Ints


@dataclass(frozen=True)
class FieldCalls:
    """What a pipeline makes of one field.

    Attributes:
        matrix: Cells by what they are (classes, then :data:`NO_CELL`) and what they are called
            (classes, ``unidentified``, :data:`MISSED`), shape (classes + 1, classes + 2). Cells
            whose class is not known are not in it.
        cells: Number of white cells.
        boxes: Number of boxes.
        pairs: Number of boxes that are on a white cell.
        true_fraction: Share of blasts; nan without a cell whose class is known.
        fraction: That which the pipeline gives; nan where it gives none.
    """

    matrix: Ints
    cells: int
    boxes: int
    pairs: int
    true_fraction: float
    fraction: float


def true_cells(fields: Fields, scheme: LabelScheme) -> list[WhiteCells]:
    """White cells of all fields, with what is known of their class.

    A box of a kind of white cell tells its own class. One that is only known to be white has the
    class of its picture, or is ``Other`` where that has none.

    Args:
        fields: With boxes.
        scheme: Classes of the pipeline.

    Raises:
        DataError: The data set has no white cells, or a picture's class is none of the pipeline's.
    """
    names = fields.scheme.names
    if _WHITE not in names and not set(names) & set(scheme.names):
        raise DataError(
            f"the classes of {fields.held_out.data.folder} are {', '.join(names)}; expected "
            f"{_WHITE} or some of the pipeline's, {', '.join(scheme.names)}"
        )
    samples = fields.held_out.samples
    return [
        _cells_of(boxes, sample, names, scheme)
        for boxes, sample in zip(fields.truth, samples, strict=True)
    ]


def called(
    pipeline: Pipeline,
    fields: Fields,
    truth: Sequence[WhiteCells],
    condition: Condition,
    *,
    progress: bool = False,
) -> list[FieldCalls]:
    """Run a pipeline on all fields as ``detect`` does, at the scale that it measures itself.

    Under a condition with another ruler it is told the scale, by that ruler.

    Raises:
        ImageError: A picture cannot be read.
        ModelError: A net cannot be run.
    """
    found = []
    samples = fields.held_out.samples
    with progress_bar(len(samples), enabled=progress) as show:
        for number, sample in enumerate(samples):
            show(number, sample.sample_id)
            picture = LoadedImage(shown(fields.held_out, condition, number), sample.sha256)
            scale = "auto" if condition.ruler == 1 else sample.px_per_rbc * condition.ruler
            result = pipeline.run(picture, sample.path, view="field", scale=scale)
            found.append(_compared(result, truth[number], pipeline.labels))
    return found


def figures_of(
    fields: Fields, calls: Sequence[FieldCalls], scheme: LabelScheme
) -> dict[str, Drawn]:
    """All figures of a pipeline; nan where there is nothing to divide by."""
    matrices = fields.bootstrap.sums(np.stack([call.matrix for call in calls]))
    counts = fields.bootstrap.sums(np.array([(c.cells, c.boxes, c.pairs) for c in calls]))
    cells, boxes, pairs = counts.T
    classes = len(scheme)
    known = matrices[:, :classes]
    right = np.trace(known, axis1=1, axis2=2)
    known_found = known[:, :, : classes + 1].sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "recall": pairs / cells,
            "precision": pairs / boxes,
            "right": right / known.sum(axis=(1, 2)),
            "right_of_found": right / known_found,
            "unidentified": known[:, :, classes].sum(axis=1) / known_found,
            **_of_blasts(matrices, scheme),
            **_of_fractions(fields, calls),
        }


def matrix_of(calls: Sequence[FieldCalls]) -> Ints:
    """Cells of all fields by what they are and what they are called; see :class:`FieldCalls`."""
    return np.asarray(np.sum([call.matrix for call in calls], axis=0), np.int64)


def _of_blasts(matrices: npt.NDArray[np.float64], scheme: LabelScheme) -> dict[str, Drawn]:
    blasts = list(scheme.blast_ids)
    if not blasts:
        return {}
    others = [row for row in range(matrices.shape[1]) if row not in blasts]
    called_blast = matrices[:, :, blasts].sum(axis=2)
    # What is no cell is only there where there is a box, so it is not among what could be missed.
    return {
        "blast_sensitivity": called_blast[:, blasts].sum(axis=1)
        / matrices[:, blasts].sum(axis=(1, 2)),
        "false_blasts": called_blast[:, others].sum(axis=1) / matrices[:, others].sum(axis=(1, 2)),
    }


def _of_fractions(fields: Fields, calls: Sequence[FieldCalls]) -> dict[str, Drawn]:
    error = np.array([call.fraction - call.true_fraction for call in calls])
    has_cells = np.array([not np.isnan(call.true_fraction) for call in calls])
    given = ~np.isnan(error)
    error = np.where(given, error, 0.0)
    columns = np.stack([np.abs(error), error, given, has_cells], axis=1)
    absolute, signed, number, of = fields.bootstrap.sums(columns).T
    return {
        "fraction_error": absolute / number,
        "fraction_bias": signed / number,
        "fraction_given": number / of,
    }


def _cells_of(
    boxes: TrueBoxes, sample: Sample, names: Sequence[str], scheme: LabelScheme
) -> WhiteCells:
    labels = [names[number] for number in boxes.class_id]
    white = [row for row, name in enumerate(labels) if name == _WHITE or name in scheme.names]
    ids = [_class_of(labels[row], sample, scheme) for row in white]
    return WhiteCells(boxes.xyxy[white].reshape(-1, 4), np.array(ids, np.int64))


def _class_of(label: str, sample: Sample, scheme: LabelScheme) -> int:
    if label == _WHITE:
        label = sample.label or _OTHER
        if label not in scheme.names and not sample.label:
            return _UNKNOWN
    if label not in scheme.names:
        raise DataError(
            f"the class of {sample.sample_id} is {label}; those of the pipeline are "
            f"{', '.join(scheme.names)}",
            hint="Measure a pipeline on data sets with its own classes.",
        )
    return scheme.id_of(label)


def _compared(result: SmearResult, truth: WhiteCells, scheme: LabelScheme) -> FieldCalls:
    classes = len(scheme)
    column = {name: number for number, name in enumerate((*scheme.names, UNIDENTIFIED, MISSED))}
    boxes = np.array([cell.box_xyxy for cell in result.cells], np.float32).reshape(-1, 4)
    called_as = np.array([column[cell.label] for cell in result.cells], np.int64)
    found, true = matching.best_pairs(boxes, truth.xyxy)
    what = np.full(len(boxes), classes, np.int64)
    what[found] = truth.class_id[true]
    missed = np.delete(truth.class_id, true)
    matrix = np.zeros((classes + 1, classes + 2), np.int64)
    is_known = what != _UNKNOWN
    np.add.at(matrix, (what[is_known], called_as[is_known]), 1)
    np.add.at(matrix, (missed[missed != _UNKNOWN], column[MISSED]), 1)
    known = truth.class_id[truth.class_id != _UNKNOWN]
    fraction = result.blast_fraction
    return FieldCalls(
        matrix=matrix,
        cells=len(truth.xyxy),
        boxes=len(boxes),
        pairs=len(found),
        true_fraction=float(np.isin(known, scheme.blast_ids).mean()) if len(known) else np.nan,
        fraction=np.nan if fraction is None else fraction.estimate,
    )
