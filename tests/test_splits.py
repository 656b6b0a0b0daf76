"""Nothing of one group is ever in two splits."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.splits import place_by_group, place_by_source, split_of_fold


@st.composite
def classes_of_groups(draw):
    """Labels and groups of pictures: each class has ten groups or more, some of them large."""
    labels, groups = [], []
    for label in "ABC"[: draw(st.integers(1, 3))]:
        sizes = draw(st.lists(st.integers(1, 12), min_size=10, max_size=24))
        for number, size in enumerate(sizes):
            labels += [label] * size
            groups += [f"{label}{number}"] * size
    order = draw(st.permutations(range(len(labels))))
    return [labels[i] for i in order], [groups[i] for i in order]


def homes(keys, placed) -> dict[str, set[tuple[str, int]]]:
    """Every split and fold that each key has pictures in."""
    found = defaultdict(set)
    for key, place in zip(keys, placed, strict=True):
        found[key].add((place.split, place.fold))
    return found


def groups_in(split: str, label: str, labels, groups, placed) -> set[str]:
    return {
        group
        for own, group, place in zip(labels, groups, placed, strict=True)
        if own == label and place.split == split
    }


@settings(max_examples=30)
@given(classes_of_groups(), st.integers(0, 2**31))
def test_no_group_is_in_two_splits_or_folds_whatever_the_seed(case, seed):
    labels, groups = case
    placed = place_by_group(labels, groups, seed=seed)
    assert all(len(home) == 1 for home in homes(groups, placed).values())
    assert {place.fold for place in placed} == {-1, 0, 1, 2, 3, 4}
    assert all(place.split == split_of_fold(place.fold) for place in placed)
    for label in set(labels):
        for split in ("train", "val", "test"):
            assert groups_in(split, label, labels, groups, placed)


@settings(max_examples=30)
@given(classes_of_groups(), st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_split(case, seed):
    assert place_by_group(*case, seed=seed) == place_by_group(*case, seed=seed)


@pytest.mark.parametrize("seed", range(6))
def test_each_split_has_several_groups_of_each_class_when_there_are_enough(seed):
    rng = np.random.default_rng(seed)
    labels, groups = [], []
    for label in ("Benign", "Early", "Pre", "Pro"):
        for number in range(20):
            size = int(rng.integers(2, 90))
            labels += [label] * size
            groups += [f"{label}-{number}"] * size
    placed = place_by_group(labels, groups, seed=seed)
    for label in set(labels):
        assert len(groups_in("test", label, labels, groups, placed)) >= 3
        assert len(groups_in("val", label, labels, groups, placed)) >= 2
        assert len(groups_in("train", label, labels, groups, placed)) >= 5
    share = sum(place.split == "test" for place in placed) / len(placed)
    assert 0.1 < share < 0.3


def test_too_few_groups_of_a_class_are_an_error_that_names_it():
    labels = ["Pre"] * 10 + ["Pro"] * 10
    groups = [f"Pre-{i}" for i in range(10)] + [f"Pro-{i % 4}" for i in range(10)]
    with pytest.raises(DataError, match="class Pro has 4 groups; at least 6"):
        place_by_group(labels, groups)


def test_more_folds_need_more_groups():
    labels, groups = ["Pre"] * 6, [f"g{i}" for i in range(6)]
    placed = place_by_group(labels, groups, folds=5)
    assert sorted(place.fold for place in placed) == [-1, 0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="at least 8"):
        place_by_group(labels, groups, folds=7)


def test_groups_that_the_test_split_takes_are_missing_from_the_folds():
    # Half of eight groups of even size go to test, and four are not enough for five folds.
    with pytest.raises(DataError, match="4 groups beside the test split; at least 5"):
        place_by_group(["Pre"] * 8, [f"g{i}" for i in range(8)], folds=5, test_parts=2)


# --- sources that bring their splits -----------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["train", "val", "test"])), min_size=1),
    st.integers(2, 6),
    st.integers(0, 2**31),
)
def test_a_source_keeps_its_own_splits_and_its_training_groups_are_spread(rows, folds, seed):
    splits = [split for _, split in rows]
    groups = [f"{split}-{number}" for number, split in rows]
    placed = place_by_source(splits, groups, folds=folds, seed=seed)
    assert [place.split for place in placed] == splits
    assert all(len(home) == 1 for home in homes(groups, placed).values())
    in_fold = defaultdict(set)
    for group, place in zip(groups, placed, strict=True):
        assert place.split == split_of_fold(place.fold)
        in_fold[place.fold].add(group)
    sizes = [len(in_fold[fold]) for fold in range(1, folds)]
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_decides_the_fold_of_a_training_group():
    splits, groups = ["train"] * 40, [f"g{i}" for i in range(40)]
    first, again, other = (place_by_source(splits, groups, seed=s) for s in (1, 1, 2))
    assert first == again != other
