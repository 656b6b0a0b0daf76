"""Who is wrong where, how errors fall with coverage, what patients come to, how sure is right."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.made_answers import made_answer, made_sample, made_truth, sure, truth_of_samples
from yolo_leuk.evaluate.answers import Answer, Answers
from yolo_leuk.evaluate.coverage import COVERAGES, error_curve, errors_at
from yolo_leuk.evaluate.joint_errors import joint_errors
from yolo_leuk.evaluate.reliability import bins_of
from yolo_leuk.evaluate.subjects import auroc_over_subjects, subjects_of
from yolo_leuk.labels import LabelScheme

SCHEME = LabelScheme(("hem", "all"), frozenset({"all"}))


# --- several models ------------------------------------------------------------------------------


@pytest.fixture
def three_models():
    """Six samples of class 0 and two of class 1; who calls what can be counted by hand."""
    labels = ["hem"] * 6 + ["all"] * 2
    truth = truth_of_samples(
        [made_sample(f"s{n}", label) for n, label in enumerate(labels)], SCHEME
    )
    return Answers(
        truth,
        {
            "one": sure([0, 0, 1, 1, 0, 1, 1, 0], 2),
            "two": sure([0, 1, 0, 1, 0, 1, 1, 0], 2),
            "three": sure([0, 1, 1, 1, 0, 1, 0, 0], 2),
        },
    )


def test_wrong_models_are_counted_sample_by_sample(three_models):
    assert joint_errors(three_models).wrong_models == {0: 2, 1: 1, 2: 2, 3: 3}


def test_what_one_model_alone_gets_right_is_counted(three_models):
    assert joint_errors(three_models).right_alone == {"one": 1, "two": 1, "three": 0}


def test_what_all_get_wrong_is_told_by_class_and_call_the_most_frequent_first(three_models):
    confused = joint_errors(three_models).confused
    assert [(c.label, c.called, c.rows) for c in confused] == [
        ("hem", "all", (3, 5)),
        ("all", "hem", (7,)),
    ]


def test_of_one_model_nothing_is_told_of_others(three_models):
    alone = Answers(three_models.truth, {"one": three_models.by_model["one"]})
    found = joint_errors(alone)
    assert found.right_alone == {}
    assert found.wrong_models == {0: 4, 1: 4}
    assert found.to_json()["all_wrong"] == [
        {"label": "hem", "called": "all", "samples": 3},
        {"label": "all", "called": "hem", "samples": 1},
    ]


def test_the_surest_errors_come_first():
    truth = truth_of_samples([made_sample(f"s{n}", "hem") for n in range(3)], SCHEME)
    answer = Answer(np.array([[0.4, 0.6], [0.1, 0.9], [0.3, 0.7]]))
    assert joint_errors(Answers(truth, {"net": answer})).confused[0].rows == (1, 2, 0)


def test_the_table_of_wrong_samples_tells_what_each_model_says(three_models):
    from yolo_leuk.evaluate.classification import UnitResult
    from yolo_leuk.evaluate.wrong_samples import wrong_samples_csv

    unit = UnitResult(three_models, {}, {}, {}, joint_errors(three_models))
    rows = list(csv.DictReader(io.StringIO(wrong_samples_csv(unit))))
    assert [(row["sample_id"], row["wrong"]) for row in rows] == [
        ("s1", "2"), ("s2", "2"), ("s3", "3"), ("s5", "3"), ("s6", "1"), ("s7", "3"),
    ]  # fmt: skip
    assert (rows[0]["one: called"], rows[0]["two: called"]) == ("hem", "all")
    assert rows[0]["one: probability"] == "1.0000"


# --- coverage ------------------------------------------------------------------------------------


def test_errors_fall_as_the_least_sure_are_left_out_by_hand():
    truth = truth_of_samples([made_sample(f"s{n}", "hem") for n in range(10)], SCHEME)
    wrong = np.arange(10) >= 8  # the two least sure ones
    top = np.linspace(0.99, 0.6, 10)
    p = np.where(wrong, 1 - top, top)
    found = errors_at(truth, Answer(np.stack([p, 1 - p], axis=1)))
    assert list(found) == list(COVERAGES)
    assert {c: drawn[0] for c, drawn in found.items()} == pytest.approx(
        {1.0: 0.2, 0.98: 0.2, 0.95: 2 / 10, 0.9: 1 / 9, 0.8: 0, 0.7: 0, 0.6: 0, 0.5: 0}
    )


def test_the_curve_ends_with_the_error_of_all():
    truth = made_truth(scheme=SCHEME)
    answer = made_answer(truth)
    coverage, error = error_curve(truth, answer)
    assert coverage[-1] == 1
    assert error[-1] == pytest.approx((answer.calls != truth.class_ids).mean())
    half = len(coverage) // 2 - 1
    surest = np.argsort(-answer.probabilities.max(axis=1), kind="stable")[: half + 1]
    assert error[half] == pytest.approx((answer.calls != truth.class_ids)[surest].mean())


# --- patients ------------------------------------------------------------------------------------


def patients(count: int = 8, cells: int = 5):
    samples = []
    for number in range(count):
        for cell in range(cells):
            label = "all" if number % 2 else "hem"
            about = {"subject": f"{number}", "group": f"g{number}"}
            samples.append(made_sample(f"p{number}c{cell}", label, **about))
    return truth_of_samples(samples, SCHEME)


def test_each_patient_has_the_share_of_cells_that_are_called_blast():
    truth = patients(2, 4)
    calls = [0, 0, 0, 1, 1, 1, 0, 1]
    found = subjects_of(truth, sure(calls, 2))
    assert [s.to_json() for s in found] == [
        {"subject": "drawn 0", "samples": 4, "has_blasts": False,
         "share_called_blast": 0.25, "blast_probability": 0.25},
        {"subject": "drawn 1", "samples": 4, "has_blasts": True,
         "share_called_blast": 0.75, "blast_probability": 0.75},
    ]  # fmt: skip


def test_the_auroc_over_patients_is_that_of_their_mean_probability():
    truth = patients()
    answer = made_answer(truth, skill=0.3)
    subjects = subjects_of(truth, answer)
    bootstrap, drawn = auroc_over_subjects(subjects, draws=10, seed=0)
    means = answer.probabilities[:, 1].reshape(8, 5).mean(axis=1)
    assert drawn[0] == pytest.approx(roc_auc_score(np.arange(8) % 2, means))
    assert (bootstrap.samples, bootstrap.groups) == (8, 8)


def test_without_names_or_without_blasts_there_are_no_patients():
    truth = truth_of_samples([made_sample("s", "hem")], SCHEME)
    assert subjects_of(truth, sure([0], 2)) == []
    without = patients()
    scheme = LabelScheme(("hem", "all"))
    assert subjects_of(truth_of_samples(without.samples, scheme), sure([0] * 40, 2)) == []


def test_patients_of_one_kind_have_no_auroc():
    truth = patients(1)
    assert auroc_over_subjects(subjects_of(truth, sure([0] * 5, 2)), draws=5, seed=0) is None


# --- reliability ---------------------------------------------------------------------------------


def test_bins_hold_how_sure_and_how_right_their_samples_are():
    truth = truth_of_samples([made_sample(f"s{n}", "hem") for n in range(4)], SCHEME, draws=300)
    p = np.array([0.95, 0.97, 0.55, 0.45])
    found = bins_of(truth, Answer(np.stack([p, 1 - p], axis=1)))
    assert found.samples.tolist() == [2, 2]
    assert found.confidence.tolist() == pytest.approx([0.55, 0.96])
    assert found.accuracy.tolist() == [0.5, 1.0]
    assert (found.low[0], found.high[0]) == (0.0, 1.0)
    assert found.to_json()[1] == {
        "confidence": 0.96, "accuracy": 1.0, "low": 1.0, "high": 1.0, "samples": 2,
    }  # fmt: skip
