"""A split that is kept: old groups stay, new ones are placed beside them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_leuk.errors import ConfigError, LeakageError
from yolo_leuk.prepare.split.kept_splits import place_beside, places_of_old_groups
from yolo_leuk.prepare.split.splits import Placement, place_by_group, split_of_fold
from yolo_leuk.records import Sample

FOLDS = 3


def keep(manifest, names, files, labels, folds, seed) -> list[Placement]:
    """Old groups where a manifest has them, new ones beside them."""
    old = places_of_old_groups(manifest, names, files, folds)
    return place_beside(old, labels, names, folds=folds, seed=seed)


def sample(file: str, group: str, fold: int) -> Sample:
    split = split_of_fold(fold)
    return Sample(file, f"{file}.png", "set", file, 8, 8, "A", "", group, split, fold, 20.0, "")


class Pictures:
    """Names of groups, hashes and labels of pictures, and how they are placed."""

    def __init__(self, sizes: list[int], first: int = 0):
        """Groups of these sizes, in two classes by turns."""
        self.rows = [
            (f"g{group:03d}", f"g{group}-{n}", "AB"[group % 2])
            for group, size in enumerate(sizes, first)
            for n in range(size)
        ]

    def columns(self):
        return tuple(zip(*self.rows, strict=True)) if self.rows else ((), (), ())

    def placed_first(self, seed: int = 0) -> list[Sample]:
        names, files, labels = self.columns()
        placed = place_by_group(labels, names, folds=FOLDS, seed=seed)
        return [
            sample(file, name, place.fold)
            for file, name, place in zip(files, names, placed, strict=True)
        ]

    def kept(self, manifest: list[Sample], seed: int = 0) -> dict[str, Placement]:
        """Place of each file."""
        names, files, labels = self.columns()
        placed = keep(manifest, names, files, labels, FOLDS, seed)
        return dict(zip(files, placed, strict=True))


def places(manifest: list[Sample]) -> dict[str, Placement]:
    return {s.sha256: Placement(s.split, s.fold) for s in manifest}


OLD = st.lists(st.integers(1, 9), min_size=16, max_size=24)
NEW = st.lists(st.integers(1, 9), max_size=12)
SEED = st.integers(0, 2**31)


@settings(max_examples=25)
@given(OLD, SEED, SEED)
def test_keeping_its_own_split_changes_nothing_whatever_the_seed(sizes, seed, other):
    pictures = Pictures(sizes)
    manifest = pictures.placed_first(seed)
    assert pictures.kept(manifest, other) == places(manifest)


@settings(max_examples=25)
@given(OLD, NEW, st.data())
def test_pictures_that_come_and_go_move_no_other(sizes, new, data):
    pictures = Pictures(sizes)
    manifest = pictures.placed_first()
    grown = Pictures([*sizes, *new])
    grown.rows += [("g000", "one more of an old group", "A")]
    gone = data.draw(st.sets(st.integers(0, len(grown.rows) - 1), max_size=len(grown.rows) - 1))
    grown.rows = [row for position, row in enumerate(grown.rows) if position not in gone]
    now, before = grown.kept(manifest), places(manifest)
    assert {file: now[file] for file in now.keys() & before.keys()} == {
        file: before[file] for file in now.keys() & before.keys()
    }
    homes = {(name, now[file]) for name, file, _ in grown.rows}
    assert len(homes) == len({name for name, _ in homes})


@settings(max_examples=25)
@given(OLD, NEW, SEED, st.randoms())
def test_a_new_group_is_placed_whatever_the_order_of_pictures(sizes, new, seed, chance):
    manifest = Pictures(sizes).placed_first()
    grown = Pictures([*sizes, *new])
    one = grown.kept(manifest, seed)
    chance.shuffle(grown.rows)
    assert grown.kept(manifest, seed) == one


def test_kept_twice_is_kept_once():
    manifest = Pictures([4] * 20).placed_first()
    grown = Pictures([4] * 20 + [3, 5, 8, 1, 2])
    once = grown.kept(manifest)
    names, files, _ = grown.columns()
    again = [sample(f, n, once[f].fold) for n, f in zip(names, files, strict=True)]
    assert grown.kept(again, seed=9) == once


def test_an_old_group_is_known_by_its_files_though_its_name_is_new():
    manifest = [sample("a", "set-20", 2), sample("b", "set-3", -1)]
    placed = keep(manifest, ["set-20+21", "set-20+21"], ["a", "new"], ["A", "A"], FOLDS, 0)
    assert placed == [Placement("train", 2)] * 2


def test_an_old_group_is_known_by_its_name_though_all_its_files_are_new():
    manifest = [sample("a", "set-20", 0), sample("b", "set-3", -1)]
    assert keep(manifest, ["set-20"], ["new"], ["A"], FOLDS, 0) == [Placement("val", 0)]


def test_groups_of_two_splits_that_are_one_now_are_an_error_that_names_both():
    manifest = [sample("a", "set-20", 1), sample("b", "set-21", -1)]
    with pytest.raises(LeakageError) as caught:
        keep(manifest, ["set-20+21"] * 2, ["a", "b"], ["A", "A"], FOLDS, 0)
    message = str(caught.value)
    assert "group set-20 is in train and group set-21 in test" in message
    assert "one group now: set-20+21" in message


def test_groups_that_are_one_now_by_name_and_by_file_are_an_error_too():
    manifest = [sample("a", "set-20", 1), sample("b", "set-21", 0)]
    with pytest.raises(LeakageError, match="set-20 is in train and group set-21 in val"):
        keep(manifest, ["set-21"], ["a"], ["A"], FOLDS, 0)


def test_groups_of_one_split_that_are_one_now_take_the_fold_of_most_of_their_pictures():
    manifest = [sample(f, "few", 1) for f in "ab"] + [sample(f, "many", 2) for f in "cde"]
    names = ["few+many"] * 5
    assert set(keep(manifest, names, list("abcde"), ["A"] * 5, FOLDS, 0)) == {Placement("train", 2)}
    assert set(keep(manifest, names[:4], list("abcd"), ["A"] * 4, FOLDS, 0)) == {
        Placement("train", 1)
    }


def test_fewer_folds_than_those_kept_are_an_error_that_says_how_many_there_are():
    with pytest.raises(ConfigError, match="folds is 3, but the split that is kept has 4") as caught:
        keep([sample("a", "g", 3)], ["g"], ["a"], ["A"], 3, 0)
    assert "folds=4" in caught.value.hint


def test_what_the_manifest_does_not_have_is_no_old_group():
    assert places_of_old_groups([sample("a", "g", 1)], ["h"], ["b"], FOLDS) == {}


# --- new groups ---------------------------------------------------------------------------------


def shares(placed, labels, label: str) -> dict[int, float]:
    found = Counter(p.fold for p, own in zip(placed, labels, strict=True) if own == label)
    return {fold: found[fold] / sum(found.values()) for fold in found}


@pytest.mark.parametrize("seed", range(4))
def test_new_groups_bring_every_class_near_its_share_of_each_place(seed):
    sizes = np.random.default_rng(seed).integers(1, 40, 120)
    names, _, labels = Pictures(sizes.tolist()).columns()
    placed = place_beside({}, labels, names, folds=4, seed=seed)
    for label in "AB":
        found = shares(placed, labels, label)
        assert found == pytest.approx({-1: 0.2, 0: 0.2, 1: 0.2, 2: 0.2, 3: 0.2}, abs=0.03)


@pytest.mark.parametrize("empty", [-1, 0, 1, 2])
def test_a_new_group_goes_where_its_class_is_missing(empty):
    """Class A is missing in one place; class B is everywhere else than there."""
    old, labels, groups = {}, [], []
    for fold in range(-1, 3):
        name = f"old{fold}"
        old[name] = Placement(split_of_fold(fold), fold)
        labels += ["B" if fold == empty else "A"] * 10
        groups += [name] * 10
    placed = place_beside(old, [*labels, "A"], [*groups, "new"], folds=3)
    assert placed == [*(old[group] for group in groups), old[f"old{empty}"]]


def test_a_class_of_few_pictures_counts_as_much_as_one_of_many():
    # By class A the new group would go to val, but class B has its share there already.
    old = {"a": Placement("test", -1), "b": Placement("val", 0), "c": Placement("train", 1)}
    groups = ["a"] * 115 + ["b"] * 170 + ["c"] * 220
    labels = ["A"] * 110 + ["B"] * 5 + ["A"] * 160 + ["B"] * 10 + ["A"] * 220
    placed = place_beside(
        old, [*labels, *["A"] * 10, *["B"] * 5], [*groups, *["new"] * 15], folds=2
    )
    assert placed[-1] == Placement("train", 1)


def test_groups_go_only_where_they_may():
    names = [f"g{n}" for n in range(30)]
    allowed = dict.fromkeys(names[:20], ("train",)) | dict.fromkeys(names[20:25], ("val", "train"))
    placed = place_beside({}, ["A"] * 30, names, folds=4, allowed=allowed)
    assert {place.split for place in placed[:20]} == {"train"}
    assert {place.split for place in placed[20:25]} == {"val"}
    assert {place.split for place in placed[25:]} == {"test"}


def test_the_seed_decides_between_groups_of_one_size():
    names = [f"g{n}" for n in range(40)]
    one, again, other = (place_beside({}, ["A"] * 40, names, seed=seed) for seed in (1, 1, 2))
    assert one == again != other


def test_thousands_of_pictures_of_one_new_patient_leave_the_other_places_to_the_others():
    labels = ["A"] * 3060
    groups = ["large"] * 3000 + [f"g{n}" for n in range(20) for _ in range(3)]
    placed = place_beside({}, labels, groups, folds=2)
    assert set(placed[:3000]) == {Placement("val", 0)}
    assert set(placed[3000:]) == {Placement("test", -1), Placement("train", 1)}
