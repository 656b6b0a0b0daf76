"""Figures of a classifier against scikit-learn and by hand, with the draws that they have."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from tests.made_answers import made_answer, made_sample, made_truth, sure, truth_of_samples
from yolo_leuk.confusion import STAGES
from yolo_leuk.evaluate.figures import CLASS_TITLES, TITLES, figures_of
from yolo_leuk.labels import MATURITY, LabelScheme

BLAST_IDS = [1, 2, 3]


@pytest.fixture(scope="module")
def truth():
    return made_truth()


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), skill=st.floats(0, 3))
def test_every_overall_figure_agrees_with_scikit_learn(truth, seed, skill):
    answer = made_answer(truth, skill=skill, seed=seed)
    found = {key: drawn[0] for key, drawn in figures_of(truth, answer).overall.items()}
    labels, calls, p = truth.class_ids, answer.calls, answer.probabilities
    blast, called_blast = np.isin(labels, BLAST_IDS), np.isin(calls, BLAST_IDS)
    expected = {
        "weighted_f1": metrics.f1_score(labels, calls, average="weighted", zero_division=0),
        "macro_f1": metrics.f1_score(labels, calls, average="macro", zero_division=0),
        "accuracy": metrics.accuracy_score(labels, calls),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, calls),
        "auroc": metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro"),
        "blast_sensitivity": metrics.recall_score(blast, called_blast),
        "blast_specificity": metrics.recall_score(~blast, ~called_blast),
        "blast_auroc": metrics.roc_auc_score(blast, p[:, BLAST_IDS].sum(axis=1)),
    }
    for key, value in expected.items():
        assert found[key] == pytest.approx(value), key


def test_every_figure_of_a_class_agrees_with_scikit_learn(truth):
    answer = made_answer(truth)
    for number, (name, found) in enumerate(figures_of(truth, answer).by_class.items()):
        own, called = truth.class_ids == number, answer.calls == number
        expected = {
            "precision": metrics.precision_score(own, called),
            "sensitivity": metrics.recall_score(own, called),
            "specificity": metrics.recall_score(~own, ~called),
            "f1": metrics.f1_score(own, called),
            "auroc": metrics.roc_auc_score(own, answer.probabilities[:, number]),
        }
        assert {key: drawn[0] for key, drawn in found.items()} == pytest.approx(expected), name


def test_each_draw_is_the_figure_of_the_groups_that_were_drawn(truth):
    answer = made_answer(truth)
    found = figures_of(truth, answer).overall
    labels, calls, p = truth.class_ids, answer.calls, answer.probabilities
    by_rows = {
        "weighted_f1": lambda r: metrics.f1_score(labels[r], calls[r], average="weighted"),
        "blast_auroc": lambda r: metrics.roc_auc_score(
            np.isin(labels[r], BLAST_IDS), p[r][:, BLAST_IDS].sum(axis=1)
        ),
        "brier": lambda r: ((p[r] - np.eye(5)[labels[r]]) ** 2).sum(axis=1).mean(),
    }
    for key, statistic in by_rows.items():
        assert found[key] == pytest.approx(truth.bootstrap.of_rows(statistic)), key


def test_the_cost_is_that_of_the_published_table():
    # 518 samples; two of 10 each, as DenseNet-201 has it.
    samples = [made_sample(f"{n}", STAGES[n % 4]) for n in range(518)]
    scheme = LabelScheme(STAGES, frozenset(STAGES[1:]))
    truth = truth_of_samples(samples, scheme)
    calls = truth.class_ids.copy()
    calls[[0, 4]] = 1  # benign, called early
    found = figures_of(truth, sure(calls, 4)).overall
    assert found["cost_total"][0] == 20
    assert round(found["cost_mean"][0], 4) == 0.0386
    assert round(found["cost_score"][0], 4) == 0.9993


def test_without_the_four_stages_there_is_no_cost_and_without_blasts_no_figure_of_them():
    scheme = LabelScheme(("a", "b"))
    found = figures_of(made_truth(scheme=scheme), made_answer(made_truth(scheme=scheme))).overall
    assert set(TITLES) - set(found) == {
        *("blast_sensitivity", "blast_specificity", "blast_auroc"),
        *("cost_total", "cost_mean", "cost_score", "called", "called_accuracy"),
    }


def test_of_two_classes_both_have_one_auroc():
    scheme = LabelScheme(("hem", "all"), frozenset({"all"}))
    truth = made_truth(scheme=scheme)
    found = figures_of(truth, made_answer(truth))
    expected = metrics.roc_auc_score(truth.class_ids, made_answer(truth).probabilities[:, 1])
    assert found.overall["auroc"][0] == pytest.approx(expected)
    for of_class in found.by_class.values():
        assert of_class["auroc"][0] == pytest.approx(expected)


def test_what_is_called_counts_and_only_that_can_be_wrong():
    truth = made_truth(count=40)
    calls = truth.class_ids.copy()
    calls[:10] = (calls[:10] + 1) % 5
    called = np.arange(40) >= 4  # of the ten wrong ones four are left unidentified
    found = figures_of(truth, dataclasses.replace(sure(calls, 5), is_called=called)).overall
    assert found["called"][0] == 36 / 40
    assert found["called_accuracy"][0] == 30 / 36
    assert found["accuracy"][0] == 30 / 40


def test_a_class_without_samples_has_no_figures_of_its_own_and_spoils_no_other():
    samples = [made_sample(f"{n}", MATURITY.names[n % 3]) for n in range(30)]
    truth = truth_of_samples(samples)
    found = figures_of(truth, made_answer(truth))
    assert np.isnan(found.by_class["Pro"]["sensitivity"]).all()
    assert "auroc" not in found.by_class["Pro"]
    assert not np.isnan(found.overall["auroc"][0])


def test_every_key_has_a_title(truth):
    called = np.ones(len(truth.class_ids), bool)
    found = figures_of(truth, made_answer(truth, called=called))
    assert list(found.overall) == list(TITLES)
    for of_class in found.by_class.values():
        assert list(of_class) == list(CLASS_TITLES)
