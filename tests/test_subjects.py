"""Subject numbers that share a file are one patient."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.made_source_images import cnmc_images, image_of
from yolo_leuk.prepare.split.subjects import in_natural_order, joined, patients_of

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), max_size=30)


def pictures(*rows: tuple[str, str]):
    """Images of (subject, file)."""
    images = [image_of(str(n), subject=subject) for n, (subject, _) in enumerate(rows)]
    return images, [file for _, file in rows]


def groups(*rows: tuple[str, str]) -> list[str | None]:
    return [patient and patient.group for patient in patients_of(*pictures(*rows))]


def test_subjects_that_share_no_file_stay_two():
    assert groups(("1", "a"), ("2", "b"), ("1", "c")) == ["set-1", "set-2", "set-1"]


def test_subjects_that_share_a_file_are_one_patient_named_after_both():
    assert groups(("21", "a"), ("20", "a"), ("20", "b"), ("3", "c")) == [
        "set-20+21",
        "set-20+21",
        "set-20+21",
        "set-3",
    ]


def test_subjects_are_joined_over_others_too():
    assert set(groups(("51", "a"), ("75", "a"), ("51", "b"), ("78", "b"))) == {"set-51+75+78"}


def test_a_file_without_a_subject_belongs_to_that_of_its_twin():
    assert groups(("", "a"), ("7", "a"), ("", "b")) == ["set-7", "set-7", None]


def test_a_file_without_a_subject_joins_nobody():
    assert groups(("1", "a"), ("", "b"), ("", "b"), ("2", "c")) == ["set-1", None, None, "set-2"]


def test_a_patient_of_two_data_sets_is_named_after_both():
    images = [
        image_of("1", "ours", subject="P1"),
        image_of("2", "cnmc", subject="20"),
        image_of("3", "ours", subject="20"),
    ]
    one, other, third = patients_of(images, ["a", "a", "b"])
    assert one == other
    assert (one.group, one.subjects) == ("cnmc-20+ours-P1", ("cnmc-20", "ours-P1"))
    assert third.group == "ours-20"


def test_numbers_in_subjects_count_as_numbers():
    assert sorted(["H10", "h3", "H3", "2", "10", "H"], key=in_natural_order) == [
        "2",
        "10",
        "H",
        "H3",
        "H10",
        "h3",
    ]


@given(st.text(max_size=8), st.text(max_size=8))
def test_any_two_subjects_have_one_order(one, other):
    assert (in_natural_order(one) == in_natural_order(other)) == (one == other)


@given(PAIRS, st.randoms())
def test_patients_do_not_depend_on_the_order_of_pictures(rows, random):
    rows = [(str(subject), f"file {file}") for subject, file in rows]
    of_row = dict(zip(rows, groups(*rows), strict=True))
    random.shuffle(rows)
    assert dict(zip(rows, groups(*rows), strict=True)) == of_row


@given(PAIRS)
def test_neither_a_subject_nor_a_file_has_two_patients(rows):
    found = groups(*((str(subject), f"file {file}") for subject, file in rows))
    for column in (0, 1):
        patients = {}
        for row, patient in zip(rows, found, strict=True):
            assert patients.setdefault(row[column], patient) == patient


@given(st.lists(st.sets(st.integers(0, 12), min_size=1), max_size=10))
def test_names_are_joined_exactly_if_a_chain_connects_them(together):
    head = joined(together)
    apart = [set(names) for names in together]
    for name in range(13):
        with_name = [names for names in apart if name in names]
        apart = [names for names in apart if name not in names]
        apart += [set().union(*with_name)] if with_name else []
    assert {frozenset(n for n in head if head[n] == first) for first in head.values()} == {
        frozenset(names) for names in apart
    }


# --- C-NMC --------------------------------------------------------------------------------------


def test_the_73_subject_numbers_of_c_nmc_training_are_66_patients(real_data):
    images, facts = cnmc_images(real_data / "cnmc")
    training = [(i, f.sha256) for i, f in zip(images, facts, strict=True) if i.fold is not None]
    assert len(training) == 7272 + 3389
    patients = patients_of(*zip(*training, strict=True))
    assert len({image.subject for image, _ in training}) == 73
    assert len(set(patients)) == 66
    assert {p.subjects for p in patients if len(p.subjects) > 1} == {
        ("20", "21"),
        ("51", "75", "78"),
        ("H2", "H4", "H5", "H6"),
        ("H3", "H10"),
    }


def test_none_of_the_28_validation_patients_of_c_nmc_is_a_training_patient(real_data):
    images, facts = cnmc_images(real_data / "cnmc")
    patients = patients_of(images, [fact.sha256 for fact in facts])
    rows = list(zip(images, patients, strict=True))
    validation = {patient for image, patient in rows if image.fold is None}
    training = {patient for image, patient in rows if image.fold is not None}
    assert len(validation) == 28
    assert not validation & training
    assert len(validation | training) == 94
