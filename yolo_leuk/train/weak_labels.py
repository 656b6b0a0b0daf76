"""Cells that are probably not what their picture is called, left out of a second pass.

A cell takes the class of its picture, but a malignant picture holds normal cells too. A first pass
over all folds says, for each cell, what a net thinks of it that has not seen it; the second pass
does not learn from cells of malignant pictures that hardly look their class. It is validated on all
cells, these too: nothing is told of a net by leaving out what it finds hard.

A net of the first pass has learnt from the fold that the second pass validates on. What it says can
only take cells away, so little of that fold comes back by it, but the figures of a second pass are
a little less independent than those of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.probabilities import ProbabilityTable, read_probabilities
from yolo_leuk.records import Sample


@dataclass(frozen=True)
class WeakLabels:
    """Which samples are not learnt from.

    Attributes:
        probabilities: Out-of-fold ``probabilities.csv`` of a first pass; None leaves nothing out.
        least: A sample of a blast class is left out below this probability of its own class.
    """

    probabilities: Path | None = None
    least: float = 0.2


def doubted(
    samples: Sequence[Sample], scheme: LabelScheme, weak_labels: WeakLabels
) -> frozenset[str]:
    """Ids of the samples that are not learnt from.

    Raises:
        DataError: The table is broken, of other data, or does not speak of all samples.
    """
    if weak_labels.probabilities is None:
        return frozenset()
    own = _of_own_class(read_probabilities(weak_labels.probabilities))
    malignant = [sample for sample in samples if sample.label in scheme.blasts]
    if unknown := [s for s in malignant if (s.sample_id, s.label) not in own]:
        raise DataError(
            f"{weak_labels.probabilities} says nothing of {len(unknown)} of {len(malignant)} "
            f"malignant samples, for instance {unknown[0].sample_id} ({unknown[0].label})",
            hint="Give the table that `yolo-leuk train --folds all` wrote for this data set.",
        )
    return frozenset(
        s.sample_id for s in malignant if own[s.sample_id, s.label] < weak_labels.least
    )


def _of_own_class(table: ProbabilityTable) -> dict[tuple[str, str], float]:
    """The probability of its own class, by sample and class."""
    return {
        (sample.sample_id, sample.label): float(row[class_id])
        for sample, row, class_id in zip(
            table.samples, table.probabilities, table.class_ids, strict=True
        )
    }
