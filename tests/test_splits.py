"""Nothing of one group is ever in two splits."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_source_images import cnmc_images, facts_of, image_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.split.groups import groups_as_spelt, groups_of
from yolo_leuk.prepare.split.splits import (
    leaks_of_official,
    place_by_group,
    place_by_source,
    place_official,
    split_of_fold,
)


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


def test_a_source_of_one_class_is_split_too():
    placed = place_by_group(["hem"] * 30, [f"g{i % 10}" for i in range(30)], folds=4)
    assert {place.fold for place in placed} == {-1, 0, 1, 2, 3}


def test_thousands_of_pictures_of_one_patient_stay_together_and_the_others_fill_the_folds():
    groups = ["large"] * 5000 + [f"g{i}" for i in range(12)] * 20
    placed = place_by_group(["hem"] * len(groups), groups, folds=3)
    assert all(len(home) == 1 for home in homes(groups, placed).values())
    assert {place.fold for place in placed} == {-1, 0, 1, 2}
    assert sum(place.split == "test" for place in placed) < 500


def test_too_few_groups_say_what_to_do():
    with pytest.raises(DataError, match="there are 1 group; at least 6") as caught:
        place_by_group([""] * 9, ["g"] * 9)
    assert "fewer folds" in caught.value.hint


def test_beside_a_test_split_of_the_source_only_folds_are_filled():
    labels, groups = ["Pre"] * 10, [f"g{i}" for i in range(10)]
    placed = place_by_group(labels, groups, folds=5, test_parts=0)
    assert {place.fold for place in placed} == {0, 1, 2, 3, 4}


def test_beside_a_val_split_of_the_source_fold_0_stays_empty():
    labels, groups = ["Pre"] * 10, [f"g{i}" for i in range(10)]
    assert {p.fold for p in place_by_group(labels, groups, folds=4, first_fold=1)} == {-1, 1, 2, 3}
    assert {p.fold for p in place_by_group(labels, groups, folds=2, first_fold=1)} == {-1, 1}


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


# --- folds of the source -------------------------------------------------------------------------


def test_official_folds_are_val_and_train_and_what_has_none_is_test():
    images = [image_of(str(n), fold=fold) for n, fold in enumerate([0, 1, 2, None])]
    placed = [(place.split, place.fold) for place in place_official(images)]
    assert placed == [("val", 0), ("train", 1), ("train", 2), ("test", -1)]


def test_a_data_set_without_folds_beside_one_that_has_some_is_an_error_that_names_it():
    images = [image_of("a", "all4"), image_of("b", "cnmc", fold=0), image_of("c", "cnmc")]
    with pytest.raises(DataError, match="all4 has no folds of its own"):
        place_official(images)


def test_a_patient_in_one_fold_does_not_leak():
    images = [image_of(str(n), subject=s, fold=1) for n, s in enumerate("12")]
    facts = [facts_of("same")] * 2
    assert leaks_of_official(images, groups_of(images, facts, 20).joined, facts) == ()


def test_a_patient_in_a_fold_and_in_the_test_split_leaks():
    images = [image_of("a", subject="1", fold=0), image_of("b", subject="2")]
    images.append(image_of("c", subject="2"))
    facts = [facts_of("same"), facts_of("same"), facts_of("other")]
    (leak,) = leaks_of_official(images, groups_of(images, facts, 20).joined, facts)
    assert leak == (
        "subjects 1 and 2 are one patient, for they share 1 file byte for byte, "
        "but the official folds put 1 in fold 0; 2 in the test split"
    )


def test_a_twin_without_a_subject_is_not_in_the_sentence():
    images = [image_of("a", subject="1", fold=0), image_of("b", subject="2", fold=0)]
    images.append(image_of("c", fold=1))
    facts = [facts_of("same")] * 3
    assert leaks_of_official(images, groups_of(images, facts, 20).joined, facts) == ()


def test_a_subject_of_another_data_set_with_the_same_number_is_not_in_the_sentence():
    images = [image_of("a", subject="1", fold=0), image_of("b", subject="2", fold=1)]
    images.append(image_of("c", "other", subject="1"))
    facts = [facts_of("same"), facts_of("same"), facts_of("other")]
    (leak,) = leaks_of_official(images, groups_of(images, facts, 20).joined, facts)
    assert leak.endswith("put 1 in fold 0; 2 in fold 1")


def test_all_four_joined_patients_of_c_nmc_stand_in_two_official_folds(real_data):
    images, facts = cnmc_images(real_data / "cnmc")
    leaks = leaks_of_official(images, groups_of(images, facts, 20).joined, facts)
    share = "are one patient, for they share"
    folds = "byte for byte, but the official folds put"
    assert leaks == (
        f"subjects 20 and 21 {share} 71 files {folds} 20 in fold 0; 21 in fold 2",
        f"subjects 51, 75 and 78 {share} 21 files {folds} 51 in fold 1; 75 and 78 in fold 2",
        f"subjects H2, H4, H5 and H6 {share} 6 files {folds} H6 in fold 0; H2, H4 and H5 in fold 2",
        f"subjects H3 and H10 {share} 1 file {folds} H10 in fold 1; H3 in fold 2",
    )


def test_the_official_split_of_c_nmc_keeps_subjects_as_spelt_together(real_data):
    images, _ = cnmc_images(real_data / "cnmc")
    placed = place_official(images)
    groups = groups_as_spelt(images).names
    assert all(len(home) == 1 for home in homes(groups, placed).values())
    counts = {split: sum(p.split == split for p in placed) for split in ("train", "val", "test")}
    assert counts == {"train": 7134, "val": 3527, "test": 1867}
