"""Answers of made-up models on made-up samples, for tests of what is measured on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yolo_leuk.bootstrap import GroupBootstrap
from yolo_leuk.evaluate.answers import Answer, Truth
from yolo_leuk.labels import MATURITY, LabelScheme
from yolo_leuk.records import Sample


def made_sample(sample_id: str, label: str, **changes) -> Sample:
    """A row of a manifest."""
    values = {
        "sample_id": sample_id,
        "path": f"test/{label}/{sample_id}.png",
        "source": "drawn",
        "sha256": f"{sample_id:0>64}",
        "width": 90,
        "height": 90,
        "label": label,
        "subject": "",
        "group": sample_id,
        "split": "test",
        "fold": -1,
        "px_per_rbc": 20.0,
        "steps": "",
    }
    return Sample(**{**values, **changes})


def truth_of_samples(
    samples: Sequence[Sample], scheme: LabelScheme = MATURITY, *, unit="cells", draws=20
) -> Truth:
    """Truth of samples as they are labelled."""
    class_ids = np.array([scheme.id_of(sample.label) for sample in samples], np.int64)
    bootstrap = GroupBootstrap(
        [sample.group for sample in samples], strata=[s.label for s in samples], draws=draws
    )
    return Truth(unit, scheme, tuple(samples), class_ids, bootstrap)


def made_truth(
    count: int = 200, scheme: LabelScheme = MATURITY, *, groups: int = 40, draws: int = 20
) -> Truth:
    """Samples of all classes in groups of one class each."""
    samples = []
    for number in range(count):
        group = number % groups
        label = scheme.names[group % len(scheme)]
        samples.append(made_sample(f"s{number:04}", label, group=f"g{group}"))
    return truth_of_samples(samples, scheme, draws=draws)


def made_answer(truth: Truth, *, skill: float = 1.0, seed: int = 0, called=None) -> Answer:
    """What a model of some skill says."""
    logits = np.random.default_rng(seed).normal(size=(len(truth.class_ids), len(truth.scheme)))
    logits[np.arange(len(logits)), truth.class_ids] += skill
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Answer(shifted / shifted.sum(axis=1, keepdims=True), called)


def sure(calls: Sequence[int], classes: int) -> Answer:
    """A model that is wholly sure of what it calls."""
    return Answer(np.eye(classes)[list(calls)])
