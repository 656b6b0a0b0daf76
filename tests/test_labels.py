"""Class names in fixed order."""

from __future__ import annotations

import pytest

from yolo_leuk.errors import ConfigError
from yolo_leuk.labels import FIELD, MATURITY, LabelScheme


def test_the_id_of_a_class_is_its_position():
    assert [MATURITY.id_of(name) for name in MATURITY.names] == list(range(len(MATURITY)))


def test_the_blasts_of_the_maturity_stages_are_early_pre_and_pro():
    assert [MATURITY.names[i] for i in MATURITY.blast_ids] == ["Early", "Pre", "Pro"]


def test_the_detector_knows_no_blasts():
    assert FIELD.names == ("white", "red", "platelet")
    assert FIELD.blast_ids == ()


def test_an_unknown_class_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"'pink'.*white, red, platelet"):
        FIELD.id_of("pink")


@pytest.mark.parametrize("names", [(), ("a", "b", "a")])
def test_names_must_be_there_and_distinct(names):
    with pytest.raises(ConfigError, match="distinct"):
        LabelScheme(names)


def test_a_blast_that_is_no_class_is_an_error():
    with pytest.raises(ConfigError, match="Late"):
        LabelScheme(("Benign", "Early"), frozenset({"Late"}))
