"""Error against coverage: what is left when the least sure samples are unidentified.

Geifman Y, El-Yaniv R. NeurIPS 2017 (arXiv:1705.08500), by the top probability.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from yolo_leuk.evaluate.answers import Answer, Truth
from yolo_leuk.evaluate.figures import Drawn

COVERAGES = (1.0, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Shares of the samples that are called, at which the error is given."""


def errors_at(truth: Truth, answer: Answer) -> Mapping[float, Drawn]:
    """Share of wrong calls among the surest samples, by the share of samples that are called.

    Of equally sure samples at the border the first ones are called.
    """
    kept = np.stack([_surest(answer, coverage) for coverage in COVERAGES], axis=1)
    wrong = (answer.calls != truth.class_ids)[:, None] & kept
    with np.errstate(invalid="ignore"):
        errors = truth.bootstrap.sums(wrong) / truth.bootstrap.sums(kept)
    return dict(zip(COVERAGES, errors.T, strict=True))


def _surest(answer: Answer, coverage: float) -> npt.NDArray[np.bool_]:
    top = answer.probabilities.max(axis=1)
    surest = np.argsort(-top, kind="stable")[: round(coverage * len(top))]
    kept = np.zeros(len(top), bool)
    kept[surest] = True
    return kept


def error_curve(truth: Truth, answer: Answer) -> tuple[Drawn, Drawn]:
    """Coverage and error when one sample after the other is called, the surest first, (n,) each."""
    surest = np.argsort(-answer.probabilities.max(axis=1), kind="stable")
    wrong = np.cumsum((answer.calls != truth.class_ids)[surest])
    called = np.arange(1, len(wrong) + 1)
    return called / len(wrong), wrong / called
