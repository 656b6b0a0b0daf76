"""The ensemble that is written: chosen weights, temperatures, threshold, and what they rest on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from yolo_leuk import artifacts
from yolo_leuk.ensemble.comparison import Comparison
from yolo_leuk.ensemble.decision import Decision
from yolo_leuk.ensemble.given import Given
from yolo_leuk.ensemble.joined import Joined
from yolo_leuk.ensemble_file import Ensemble, Member, SearchedOn
from yolo_leuk.labels import LabelScheme
from yolo_leuk.probabilities import (
    calibrated_vote,
    fit_temperature,
    logits_of,
    softmax,
    threshold_for_coverage,
)

# With fewer, the interval over groups is a rough guess itself.
_FEW_GROUPS = 30


def assembled(
    joined: Joined,
    given: Sequence[Given],
    scheme: LabelScheme,
    comparison: Comparison,
    decision: Decision,
    *,
    manifest_sha256: str,
    coverage: float,
    search: Mapping[str, Any],
    warnings: Sequence[str],
) -> Ensemble:
    """Put the ensemble together.

    The temperature of the vote and its threshold are fitted on all samples, as its weights are.

    Args:
        joined: What the members say.
        given: The members, in the same order.
        scheme: Classes and blasts.
        comparison: Of all methods.
        decision: Whose weights are kept.
        manifest_sha256: Of the data set; empty where it is not known.
        coverage: Share of the samples that the threshold still calls.
        search: What was asked for.
        warnings: Of the data set.
    """
    weights = comparison.row(decision.method).weights
    votes = logits_of(calibrated_vote(joined.logits, comparison.temperatures, weights))
    temperature = fit_temperature(votes, joined.class_ids)
    highest = softmax(votes, temperature).max(axis=1)
    members = [
        member
        for one, weight, own in zip(given, weights, comparison.temperatures, strict=True)
        for member in _members(one, float(weight), float(own))
    ]
    return Ensemble(
        name="-".join(joined.members),
        scheme=scheme,
        members=tuple(members),
        temperature=temperature,
        thresholds={
            "unidentified": threshold_for_coverage(highest, coverage),
            "coverage": coverage,
        },
        searched_on=SearchedOn(
            manifest_sha256=manifest_sha256,
            splits=tuple(sorted({sample.split for sample in joined.samples})),
            folds=tuple(sorted({sample.fold for sample in joined.samples})),
            samples=len(joined.samples),
            groups=len(set(joined.groups)),
        ),
        search={**search, "picked": decision.method, "reason": decision.reason},
        comparison=comparison.to_json(),
        warnings=(*warnings, *_warnings(joined, comparison, decision)),
        date=datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
    )


def _members(one: Given, weight: float, temperature: float) -> list[Member]:
    """One, or one for each net, which share the weight."""
    table = "" if one.table is None else artifacts.sha256_of_file(one.table)
    if not one.nets:
        return [Member(one.name, one.architecture, weight, temperature, None, "", table)]
    names = [one.name] if len(one.nets) == 1 else [f"{one.name}-{n.parts[-3]}" for n in one.nets]
    return [
        Member(
            name,
            one.architecture,
            weight / len(one.nets),
            temperature,
            net,
            artifacts.sha256_of_file(net),
            table,
        )
        for name, net in zip(names, one.nets, strict=True)
    ]


def _warnings(joined: Joined, comparison: Comparison, decision: Decision) -> list[str]:
    found = []
    groups = len(set(joined.groups))
    if groups < _FEW_GROUPS:
        found.append(f"only {groups} groups: intervals over so few are rough")
    chosen = comparison.row(decision.method).unseen
    alone = [comparison.row(f"{name} alone") for name in joined.members]
    figures = [row.unseen.value for row in alone if row.unseen is not None]
    if chosen is not None and figures and max(figures) >= chosen.value:
        best = alone[int(np.argmax(figures))]
        found.append(
            f"{best.method} reaches {max(figures):.4f} {comparison.fitness} on unseen data, the "
            f"vote {chosen.value:.4f}: that the others add anything is not shown"
        )
    return found
