"""The table of probabilities that passes between the rooms."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_train_cells import SAMPLE
from yolo_leuk.errors import DataError
from yolo_leuk.probabilities import (
    gathered,
    read_probabilities,
    softmax,
    table_of,
    write_probabilities,
)

CLASSES = ("all", "hem")
LOGITS = np.array([[1.5, -0.5], [0.0, 3.0], [-2.0, 2.0]])
HEADER = "sample_id,group,split,fold,label,p_all,p_hem\n"


def samples_of(*names: str):
    return [
        dataclasses.replace(SAMPLE, sample_id=name, group=f"of {name}", label="hem", fold=2)
        for name in names
    ]


def test_a_table_has_the_columns_of_the_design_and_a_row_per_sample(tmp_path):
    file = tmp_path / "probabilities.csv"
    write_probabilities(file, table_of(samples_of("b", "a"), CLASSES, [[0.0, 0.0], [9.0, 9.0]]))
    assert file.read_text(encoding="utf-8") == (
        HEADER + "a,of a,train,2,hem,0.5,0.5\nb,of b,train,2,hem,0.5,0.5\n"
    )


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = table_of(samples_of("a", "b", "c"), CLASSES, LOGITS)
    write_probabilities(tmp_path / "t.csv", table)
    read = read_probabilities(tmp_path / "t.csv")
    assert (read.samples, read.classes) == (table.samples, table.classes)
    np.testing.assert_array_equal(read.probabilities, table.probabilities)
    assert list(read.class_ids) == [1, 1, 1]


@given(
    logits=st.lists(st.floats(-40, 40), min_size=2, max_size=2),
    temperature=st.floats(0.2, 5),
)
def test_any_temperature_can_be_applied_to_what_stands_in_the_table(logits, temperature):
    table = table_of(samples_of("a"), CLASSES, [logits])
    np.testing.assert_allclose(
        softmax(np.log(table.probabilities), temperature), softmax([logits], temperature), atol=1e-9
    )


def test_folds_are_gathered_to_one_table():
    one = table_of(samples_of("a", "b"), CLASSES, LOGITS[:2])
    other = table_of(samples_of("c"), CLASSES, LOGITS[2:])
    table = gathered([one, other])
    assert [sample.sample_id for sample in table.samples] == ["a", "b", "c"]
    np.testing.assert_array_equal(table.probabilities, softmax(LOGITS))


def test_a_sample_in_two_folds_is_refused():
    table = table_of(samples_of("a"), CLASSES, LOGITS[:1])
    with pytest.raises(DataError, match="sample a stands twice"):
        gathered([table, table])


def test_tables_of_other_classes_are_not_gathered():
    one = table_of(samples_of("a"), CLASSES, LOGITS[:1])
    other = table_of(samples_of("b"), CLASSES[::-1], LOGITS[:1])
    with pytest.raises(DataError, match="got all, hem and hem, all"):
        gathered([one, other])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected the columns sample_id"),
        ("sample_id,group,split,fold,label\n", "expected the columns sample_id"),
        (HEADER + "a,g,train,1,hem,0.5\n", "line 2: expected 7 values, found 6"),
        (HEADER + "a,g,train,one,hem,0.5,0.5\n", "line 2: invalid literal"),
        (HEADER + "a,g,train,1,hem,0.5,half\n", "line 2: could not convert"),
        (HEADER + "a,g,train,1,hem,0.5,0.4\n", "of a are 0.5, 0.4; expected none below 0"),
        (HEADER + "a,g,train,1,hem,1.5,-0.5\n", "expected none below 0"),
        (HEADER + "a,g,train,1,hem,nan,1\n", "expected none below 0"),
        (HEADER + "a,g,train,1,Pro,0.5,0.5\n", "the label of a is 'Pro'"),
        (HEADER + "a,g,training,1,hem,0.5,0.5\n", "the split of a is 'training'"),
        (HEADER + 2 * "a,g,train,1,hem,0.5,0.5\n", "sample a stands twice"),
    ],
)
def test_a_table_that_breaks_its_schema_is_refused_with_its_path(tmp_path, text, told):
    file = tmp_path / "probabilities.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told) as caught:
        read_probabilities(file)
    assert str(file) in str(caught.value)


def test_a_table_that_is_not_there_is_told_with_what_writes_one(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv") as caught:
        read_probabilities(tmp_path / "none.csv")
    assert "yolo-leuk train" in caught.value.hint
