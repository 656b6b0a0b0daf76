"""Classes of the training split made to count alike."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from yolo_leuk import pixels
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.extra.balance import TURNS, class_weights, extra_turns
from yolo_leuk.records import Sample


def sample(sample_id: str, label: str, split: str = "train") -> Sample:
    return Sample(
        sample_id=sample_id,
        path=f"{split}/{label}/{sample_id}.png",
        source="made",
        sha256="0" * 64,
        width=90,
        height=90,
        label=label,
        subject="",
        group=sample_id,
        split=split,
        fold={"train": 1, "val": 0, "test": -1}[split],
        px_per_rbc=20.0,
        steps="",
    )


def samples_of(counts: dict[str, int], split: str = "train") -> list[Sample]:
    return [sample(f"{split}-{c}-{i}", c, split) for c, n in counts.items() for i in range(n)]


# The largest class is at most eight times the smallest, which is as far as turns reach.
counts_in_reach = st.integers(1, 3).flatmap(
    lambda least: st.dictionaries(
        st.sampled_from(["Benign", "Early", "Pre", "Pro"]),
        st.integers(least, 8 * least),
        min_size=1,
    )
)


@given(counts_in_reach, st.integers(0, 2**31))
def test_all_classes_of_the_training_split_end_with_the_same_count(counts, seed):
    samples = samples_of(counts)
    label_of = {s.sample_id: s.label for s in samples}
    extra = extra_turns(samples, seed)
    total = Counter(counts) + Counter(label_of[turn.sample_id] for turn in extra)
    assert set(total.values()) == {max(counts.values())}


@given(counts_in_reach, st.integers(0, 2**31))
def test_no_sample_is_turned_the_same_way_twice(counts, seed):
    extra = extra_turns(samples_of(counts), seed)
    pairs = [(t.sample_id, t.quarter_turns, t.mirrored) for t in extra]
    assert len(set(pairs)) == len(pairs)
    assert (0, False) not in {(t.quarter_turns, t.mirrored) for t in extra}
    assert len({t.name for t in extra}) == len(extra)


@given(counts_in_reach, st.integers(0, 2**31))
def test_copies_are_spread_evenly_over_a_class(counts, seed):
    samples = samples_of(counts)
    copies = Counter(turn.sample_id for turn in extra_turns(samples, seed))
    for label in counts:
        of_class = [copies[s.sample_id] for s in samples if s.label == label]
        assert max(of_class) - min(of_class) <= 1


@given(counts_in_reach, st.integers(0, 2**31))
def test_the_choice_does_not_depend_on_the_order(counts, seed):
    samples = samples_of(counts)
    shuffled = [samples[i] for i in np.random.default_rng(seed).permutation(len(samples))]
    assert extra_turns(shuffled, 7) == extra_turns(samples, 7)


def test_another_seed_chooses_otherwise():
    samples = samples_of({"a": 40, "b": 10})
    assert extra_turns(samples, 1) != extra_turns(samples, 2)


def test_val_and_test_are_neither_turned_nor_counted():
    samples = [
        *samples_of({"a": 4, "b": 2}),
        *samples_of({"a": 50, "b": 90}, "val"),
        *samples_of({"a": 70, "b": 1}, "test"),
    ]
    extra = extra_turns(samples, 0)
    assert len(extra) == 2
    assert all(turn.sample_id.startswith("train-b-") for turn in extra)
    assert class_weights(samples) == class_weights(samples[:6])


def test_a_count_may_be_asked_for_beyond_the_largest_class():
    samples = samples_of({"a": 5, "b": 3})
    total = Counter(t.sample_id.split("-")[1] for t in extra_turns(samples, 0, count=24))
    assert total == {"a": 19, "b": 21}


def test_a_class_that_turns_cannot_bring_to_the_count_is_named():
    with pytest.raises(DataError, match="b has 2, with all its turns 16") as caught:
        extra_turns(samples_of({"a": 17, "b": 2}), 0)
    assert "weights" in caught.value.hint


def test_a_count_below_a_class_is_refused():
    with pytest.raises(DataError, match=r"at most 4 .* a has 5"):
        extra_turns(samples_of({"a": 5, "b": 3}), 0, count=4)


def test_without_classes_there_is_nothing_to_balance():
    for function in (class_weights, lambda samples: extra_turns(samples, 0)):
        with pytest.raises(DataError, match="got none"):
            function(samples_of({"": 3}))


def test_the_seven_turns_and_the_picture_itself_are_all_different():
    picture = np.random.default_rng(0).integers(0, 256, (5, 5, 3), np.uint8)
    turned = [picture, *(pixels.turned(picture, *turn) for turn in TURNS)]
    assert len(turned) == 8
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations(turned, 2))


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 60), min_size=1))
def test_weights_are_the_balanced_ones_of_scikit_learn(counts):
    labels = [s.label for s in samples_of(counts)]
    names = sorted(counts)
    expected = compute_class_weight("balanced", classes=np.array(names), y=labels)
    weights = class_weights(samples_of(counts))
    assert list(weights) == names
    np.testing.assert_allclose(list(weights.values()), expected)
    assert np.mean([weights[label] for label in labels]) == pytest.approx(1)
