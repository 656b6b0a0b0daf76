"""A fold is validated on, all others are learnt from, and nothing of one is in the other."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_train_cells import SAMPLE
from yolo_leuk.errors import LeakageError, UsageError
from yolo_leuk.records import Sample
from yolo_leuk.train.folds import divided, folds_of


def sample_of(number: int, fold: int, **others: str) -> Sample:
    own = {"sample_id": f"s{number}", "group": f"g{number}", "sha256": f"{number:064}"}
    split = {-1: "test", 0: "val"}.get(fold, "train")
    return dataclasses.replace(SAMPLE, fold=fold, split=split, **{**own, **others})


@given(
    folds=st.lists(st.integers(-1, 4), min_size=1, max_size=30).filter(lambda f: max(f) >= 0),
    choice=st.integers(0, 10**6),
)
def test_every_sample_but_those_of_test_is_on_one_side(folds, choice):
    samples = [sample_of(number, fold) for number, fold in enumerate(folds)]
    known = folds_of(samples)
    fold = known[choice % len(known)]
    division = divided(samples, fold)
    assert [s for s in samples if s.fold == fold] == list(division.validation)
    assert [s for s in samples if s.fold not in (fold, -1)] == list(division.training)


def test_over_all_folds_each_sample_is_validated_on_once():
    samples = [sample_of(number, number % 4 - 1) for number in range(20)]
    seen = [s for fold in folds_of(samples) for s in divided(samples, fold).validation]
    assert sorted(s.sample_id for s in seen) == sorted(
        s.sample_id for s in samples if s.split != "test"
    )


def test_a_fold_that_is_not_there_is_wrong_usage_and_those_that_are_are_named():
    samples = [sample_of(0, -1), sample_of(1, 0), sample_of(2, 2)]
    with pytest.raises(UsageError, match="there is no fold 1; the data set has 0, 2"):
        divided(samples, 1)


@pytest.mark.parametrize("key", ["group", "sha256"])
def test_a_group_or_file_in_two_folds_is_a_leak_that_names_both(key):
    shared = {key: "f" * 64}
    samples = [sample_of(1, 1, **shared), sample_of(2, 2, **shared), sample_of(3, 0)]
    with pytest.raises(LeakageError, match="s1 is in fold 1, s2 in fold 2"):
        divided(samples, 1)
    # Both are learnt from, so nothing leaks.
    assert len(divided(samples, 0).training) == 2


def test_turned_copies_are_learnt_from_but_not_validated_on():
    turned = sample_of(
        2, 1, group="g1", sha256=f"{1:064}", steps="scale bar; turned: 90°, mirrored"
    )
    samples = [sample_of(0, 0), sample_of(1, 1, steps="window; rim"), turned]
    assert turned in divided(samples, 0).training
    assert [s.sample_id for s in divided(samples, 1).validation] == ["s1"]
