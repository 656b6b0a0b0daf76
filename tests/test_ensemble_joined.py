"""Tables of members are joined by sample, or refused with what differs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.made_members import table
from yolo_leuk.ensemble.joined import joined
from yolo_leuk.errors import DataError, LeakageError
from yolo_leuk.probabilities import ProbabilityTable, softmax

CLASSES = ("hem", "all")


def changed(found: ProbabilityTable, row: int, **changes) -> ProbabilityTable:
    samples = list(found.samples)
    samples[row] = dataclasses.replace(samples[row], **changes)
    return dataclasses.replace(found, samples=tuple(samples))


def test_rows_are_joined_by_sample_whatever_their_order():
    one, other = table(CLASSES, seed=0), table(CLASSES, seed=1)
    order = np.random.default_rng(0).permutation(len(other.samples))
    shuffled = ProbabilityTable(
        tuple(other.samples[i] for i in order), CLASSES, other.probabilities[order]
    )
    data = joined({"a": one, "b": shuffled})
    assert data.members == ("a", "b")
    assert [s.sample_id for s in data.samples] == sorted(s.sample_id for s in one.samples)
    for row, sample in enumerate(data.samples):
        for member, found in enumerate((one, shuffled)):
            own = found.probabilities[found.samples.index(sample)]
            np.testing.assert_allclose(softmax(data.logits[member, row]), own)
        assert CLASSES[data.class_ids[row]] == sample.label


def test_a_part_holds_the_rows_that_were_asked_for():
    data = joined({"a": table(CLASSES), "b": table(CLASSES, seed=1)})
    part = data.part(np.array([5, 2]))
    assert part.samples == (data.samples[5], data.samples[2])
    np.testing.assert_array_equal(part.logits, data.logits[:, [5, 2]])
    assert part.groups == (data.groups[5], data.groups[2])


def test_classes_in_another_order_are_refused_with_both_orders():
    with pytest.raises(DataError, match="of b are all, hem, in another order"):
        joined({"a": table(CLASSES), "b": table(CLASSES[::-1])})


def test_other_classes_are_refused():
    with pytest.raises(DataError, match=r"of a are hem, all; those of b are hem, blast$"):
        joined({"a": table(CLASSES), "b": table(("hem", "blast"))})


def test_members_of_other_samples_are_refused_with_how_many_and_an_example():
    whole = table(CLASSES, per_class=12)
    part = table(CLASSES, per_class=11)
    for tables in ({"a": whole, "b": part}, {"b": part, "a": whole}):
        with pytest.raises(DataError, match="2 are in a alone, for instance all-11"):
            joined(tables)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"label": "all"}, "label of hem-3 is hem in a and all in b"),
        ({"group": "another"}, "group of hem-3 is hem-g3 in a and another in b"),
        ({"fold": 4, "split": "train"}, "split of hem-3 is val in a and train in b"),
    ],
)
def test_members_that_say_different_things_of_a_sample_are_refused(changes, told):
    found = table(CLASSES)
    with pytest.raises(DataError, match=told):
        joined({"a": found, "b": changed(found, 3, **changes)})


def test_samples_of_the_test_split_are_refused():
    found = changed(table(CLASSES), 3, split="test", fold=-1)
    with pytest.raises(LeakageError, match="1 samples are of the test split, for instance hem-3"):
        joined({"a": found, "b": found})


def test_tables_without_samples_are_refused():
    empty = ProbabilityTable((), CLASSES, np.zeros((0, 2)))
    with pytest.raises(DataError, match="hold no sample"):
        joined({"a": empty, "b": empty})


def test_samples_of_one_class_alone_are_refused():
    found = table(CLASSES)
    rows = [row for row, sample in enumerate(found.samples) if sample.label == "hem"]
    one = ProbabilityTable(
        tuple(found.samples[row] for row in rows), CLASSES, found.probabilities[rows]
    )
    with pytest.raises(DataError, match="all 12 samples are hem"):
        joined({"a": one, "b": one})
