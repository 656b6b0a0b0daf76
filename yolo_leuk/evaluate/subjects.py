"""Per patient: how many of their cells are called a blast, and who has leukemia."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.evaluate.answers import Answer, Truth
from yolo_leuk.evaluate.figures import Drawn, drawn_auroc


@dataclass(frozen=True)
class Subject:
    """What a model says of one patient.

    Attributes:
        name: As in the manifest, with the source before it.
        group: In the manifest; patients who share a picture have one.
        samples: How many cells or pictures.
        has_blasts: Whether any of them is labelled a blast.
        share_called_blast: Share of the samples that are called a blast.
        blast_probability: Its mean over the samples.
    """

    name: str
    group: str
    samples: int
    has_blasts: bool
    share_called_blast: float
    blast_probability: float

    def to_json(self) -> dict[str, Any]:
        """Rounded to four digits."""
        return {
            "subject": self.name,
            "samples": self.samples,
            "has_blasts": self.has_blasts,
            "share_called_blast": round(self.share_called_blast, 4),
            "blast_probability": round(self.blast_probability, 4),
        }


def subjects_of(truth: Truth, answer: Answer) -> list[Subject]:
    """All patients that are named, by name; none where the classes have no blasts."""
    blasts = list(truth.scheme.blast_ids)
    if not blasts:
        return []
    import pandas as pd

    samples = pd.DataFrame(
        {
            "name": [f"{s.source} {s.subject}" if s.subject else None for s in truth.samples],
            "group": [s.group for s in truth.samples],
            "is_blast": truth.is_blast,
            "is_called_blast": np.isin(answer.calls, blasts),
            "blast_probability": answer.probabilities[:, blasts].sum(axis=1),
        }
    )
    subjects = samples.groupby("name").agg(  # sorted, and without those that have no name
        group=("group", "first"),
        samples=("group", "size"),
        has_blasts=("is_blast", "any"),
        share_called_blast=("is_called_blast", "mean"),
        blast_probability=("blast_probability", "mean"),
    )
    return [Subject(*row) for row in subjects.itertuples()]


def auroc_over_subjects(
    subjects: Sequence[Subject], *, draws: int, seed: int
) -> tuple[GroupBootstrap, Drawn] | None:
    """AUROC of the mean blast probability of each patient, and the draws of patients it rests on.

    Returns:
        None where there are not both kinds of patients.
    """
    has_blasts = np.array([subject.has_blasts for subject in subjects], bool)
    if not has_blasts.any() or has_blasts.all():
        return None
    bootstrap = GroupBootstrap(
        [subject.group for subject in subjects],
        strata=[str(subject.has_blasts) for subject in subjects],
        draws=draws,
        seed=seed,
    )
    scores = np.array([subject.blast_probability for subject in subjects])
    return bootstrap, drawn_auroc(scores, has_blasts, bootstrap)
