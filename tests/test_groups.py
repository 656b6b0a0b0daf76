"""What must stay in one split."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.made_source_images import cnmc_images, facts_of, image_of, look
from yolo_leuk.prepare.split.groups import groups_as_spelt, groups_of
from yolo_leuk.prepare.split.looks import Look


def slides(label: str, count: int = 6, first: int = 0):
    """Pictures of a pale and a dark slide, numbered one after the other, and their facts."""
    images, facts = [], []
    for slide, colour in enumerate((100.0, 180.0)):
        for n in range(count):
            number = first + 100 * slide + n
            images.append(image_of(f"{label}-{number}", label=label, number=number))
            facts.append(facts_of(f"{label} {number}", look(colour, 1000 * len(label) + number)))
    return images, facts


def test_pictures_go_by_patient_then_by_look_and_else_alone():
    images, facts = slides("Pre", 3)
    images += [
        image_of("p1", subject="1"),
        image_of("p2", subject="1"),
        image_of("with split", split="train"),
        image_of("without look", label="Pre"),
    ]
    looks = [None, None, facts[0].look, None]
    facts += [facts_of(i.key, seen) for i, seen in zip(images[6:], looks, strict=True)]
    groups = groups_of(images, facts, 2)
    assert groups.names == (
        *["set-Pre-look00"] * 3,
        *["set-Pre-look01"] * 3,
        *["set-1"] * 2,
        images[8].sample_id,
        images[9].sample_id,
    )
    assert groups.joined == ()


def test_a_patient_counts_more_than_a_look():
    images = [image_of(str(n), label="Pre", subject=str(n)) for n in range(2)]
    twins = [look(100.0, 1), look(100.0, 1)]
    groups = groups_of(images, [facts_of(str(n), twins[n]) for n in range(2)], 2)
    assert groups.names == ("set-0", "set-1")


def test_subjects_that_share_a_file_are_named():
    images = [image_of(str(n), subject=s) for n, s in enumerate(["H10", "h3", "2"])]
    groups = groups_of(images, [facts_of("a"), facts_of("a"), facts_of("b")], 2)
    assert groups.names == ("set-H10+h3", "set-H10+h3", "set-2")
    assert groups.joined == (("H10", "h3"),)


def test_classes_and_data_sets_are_grouped_apart():
    images, facts = slides("Pre", 2)
    other, other_facts = slides("Early", 2)
    third = [image_of(f"x{n}", "other", label="Pre", number=n) for n in range(2)]
    third_facts = [facts_of(f"third {n}", look(100.0, 7000 + n)) for n in range(2)]
    groups = groups_of([*images, *other, *third], [*facts, *other_facts, *third_facts], 1)
    assert groups.names == (
        *["set-Pre-look00"] * 4,
        *["set-Early-look00"] * 4,
        *["other-Pre-look00"] * 2,
    )


def test_pictures_without_a_class_are_grouped_by_look_too():
    images = [image_of(str(n), number=n) for n in range(4)]
    facts = [facts_of(str(n), look(100.0, n)) for n in range(4)]
    assert groups_of(images, facts, 1).names == ("set-look00",) * 4


def test_one_field_under_two_classes_is_one_group():
    images, facts = slides("Pre", 2)
    images.append(image_of("again", label="Early"))
    facts.append(facts_of("saved again", facts[3].look))
    names = groups_of(images, facts, 2, same=[(3, 4)]).names
    assert names[4] == names[3] == "set-Pre-look01"


def test_a_byte_identical_picture_is_in_the_group_of_the_first_and_changes_no_other():
    images = [image_of(f"{n}", label="Pre", number=n) for n in (1, 2, 100, 101)]
    facts = [facts_of(str(n), look(100.0, n)) for n in range(4)]
    alone = groups_of(images, facts, 2).names
    twins = [image_of("twin", label="Pre", number=199), image_of("of other", "b", split="test")]
    names = groups_of([*images, *twins], [*facts, facts[0], facts[1]], 2).names
    assert names == (*alone, alone[0], alone[1])


def test_a_file_without_subject_goes_with_its_twin_that_has_one():
    images = [image_of("a", label="Pre", number=1), image_of("b", "other", subject="7")]
    groups = groups_of(images, [facts_of("same", look(1.0, 1)), facts_of("same")], 2)
    assert groups.names == ("other-7", "other-7")


def test_nothing_in_gives_nothing_out():
    assert groups_of([], [], 20).names == ()


def test_groups_as_spelt_know_nothing_of_joined_subjects():
    images = [image_of("a", subject="20"), image_of("b", subject="21"), image_of("c")]
    assert groups_as_spelt(images).names == ("set-20", "set-21", "set-c")


# --- groups that are kept -----------------------------------------------------------------------


def test_kept_groups_stay_when_pictures_come_and_go():
    images, facts = slides("Pre", 20)
    kept = dict(zip((f.sha256 for f in facts), groups_of(images, facts, 5).names, strict=True))
    more, more_facts = slides("Pre", 3, first=30)
    rows = list(range(0, 40, 3))
    some = [images[row] for row in rows] + more
    some_facts = [facts[row] for row in rows] + more_facts
    names = groups_of(some, some_facts, 5, kept).names
    assert names[: len(rows)] == tuple(kept[facts[row].sha256] for row in rows)
    assert set(names[len(rows) :]) <= set(kept.values())


def test_a_new_class_beside_kept_ones_gets_its_own_groups():
    images, facts = slides("Pre", 3)
    kept = {fact.sha256: "old" for fact in facts}
    more, more_facts = slides("Early", 3)
    names = groups_of([*images, *more], [*facts, *more_facts], 2, kept).names
    assert names == (*["old"] * 6, *["set-Early-look00"] * 3, *["set-Early-look01"] * 3)


def test_a_near_duplicate_of_a_kept_picture_joins_its_group():
    images, facts = slides("Pre", 3)
    kept = {facts[0].sha256: "first", facts[5].sha256: "second"}
    images.append(image_of("again", label="Pre"))
    far = Look(np.full(9, 180.0), facts[0].look.thumbnail)
    all_facts = [*facts, facts_of("saved again", far)]
    names = groups_of(images, all_facts, 2, kept, same=[(0, len(facts))]).names
    assert names[-1] == "first"


@given(
    st.lists(st.tuples(st.integers(0, 255), st.booleans()), min_size=1, max_size=25),
    st.integers(1, 6),
)
def test_no_kept_picture_changes_its_group(rows, most):
    images = [image_of(str(n), label="AB"[n % 2], number=n) for n in range(len(rows))]
    facts = [facts_of(str(n), look(float(c), n)) for n, (c, _) in enumerate(rows)]
    old = [n for n, (_, is_old) in enumerate(rows) if is_old]
    before = groups_of([images[n] for n in old], [facts[n] for n in old], most).names
    kept = {facts[n].sha256: name for n, name in zip(old, before, strict=True)}
    after = groups_of(images, facts, most, kept).names
    assert tuple(after[n] for n in old) == before
    for label in "AB":
        assert len({g for g, i in zip(after, images, strict=True) if i.label == label}) <= most


# --- C-NMC --------------------------------------------------------------------------------------


def test_c_nmc_goes_by_patient_and_says_which_subjects_are_one(real_data):
    images, facts = cnmc_images(real_data / "cnmc")
    groups = groups_of(images, facts, 20)
    assert groups.joined == (
        ("20", "21"),
        ("51", "75", "78"),
        ("H2", "H4", "H5", "H6"),
        ("H3", "H10"),
    )
    training = {n for n, image in zip(groups.names, images, strict=True) if image.fold is not None}
    assert len(training) == 66
    assert {"cnmc-20+21", "cnmc-51+75+78", "cnmc-H2+H4+H5+H6", "cnmc-H3+H10"} < training
    assert len(set(groups.names)) == 66 + 28
    of_file = {}
    for name, fact in zip(groups.names, facts, strict=True):
        assert of_file.setdefault(fact.sha256, name) == name
