"""The samples that models get wrong: as a table, and as pictures of those that all get wrong."""

from __future__ import annotations

import csv
import io

import numpy as np

from yolo_leuk import images
from yolo_leuk.contact_sheet import COLUMNS, contact_sheet
from yolo_leuk.evaluate.classification import UnitResult
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.joint_errors import Confused, right_calls
from yolo_leuk.records import Image


def wrong_samples_csv(unit: UnitResult) -> str:
    """A row for each sample that any model gets wrong: what it is, and what each model says."""
    truth, by_model = unit.truth, unit.answers.by_model
    names = truth.scheme.names
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    head = [column for name in by_model for column in (f"{name}: called", f"{name}: probability")]
    writer.writerow(["sample_id", "path", "group", "label", "wrong", *head])
    wrong = (~right_calls(unit.answers)).sum(axis=0)
    for row in np.flatnonzero(wrong):
        sample = truth.samples[row]
        said = []
        for answer in by_model.values():
            call = int(answer.calls[row])
            said += [names[call], f"{answer.probabilities[row, call]:.4f}"]
        writer.writerow(
            [sample.sample_id, sample.path, sample.group, sample.label, int(wrong[row]), *said]
        )
    return stream.getvalue()


def all_wrong_sheet(unit: UnitResult, held_out: HeldOut) -> Image | None:
    """A contact sheet of what all models get wrong, the surest first; None where there is nothing.

    Raises:
        ImageError: A picture cannot be read.
    """
    confused = unit.errors.confused
    if not confused:
        return None
    return contact_sheet([(_title(one), _pictures(one, unit, held_out)) for one in confused])


def _title(confused: Confused) -> str:
    return f"{confused.label}, called {confused.called}: {len(confused.rows):,}"


def _pictures(confused: Confused, unit: UnitResult, held_out: HeldOut) -> list[Image]:
    folder = held_out.data.folder
    samples = [unit.truth.samples[row] for row in confused.rows[:COLUMNS]]
    return [images.read_image(folder / sample.path) for sample in samples]
