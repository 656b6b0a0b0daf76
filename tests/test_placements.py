"""Each data set is placed on its own, as it comes or by group."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_source_images import cnmc_images, image_of
from yolo_leuk import pixels
from yolo_leuk.errors import ConfigError, DataError, LeakageError
from yolo_leuk.images import decode_image
from yolo_leuk.manifest import check_samples, read_manifest
from yolo_leuk.prepare.facts import PictureFacts, sha256_of
from yolo_leuk.prepare.scale import px_per_rbc_of_all
from yolo_leuk.prepare.sources import all4, yolo
from yolo_leuk.prepare.sources.source_tree import open_tree
from yolo_leuk.prepare.split.groups import groups_of
from yolo_leuk.prepare.split.looks import look_of
from yolo_leuk.prepare.split.placements import placements_of
from yolo_leuk.prepare.split.same_fields import same_fields
from yolo_leuk.prepare.split.splits import Placement, place_by_group, place_by_source
from yolo_leuk.records import Sample

FOLDS = 3


def pictures(source: str, count: int = 30, subjects: int = 10, split: str | None = None):
    """Pictures of one data set, of several subjects each with its share."""
    tag = split or "open"
    return [
        image_of(f"{tag}-{n}", source, label="A", subject=f"{tag}{n % subjects}", split=split)
        for n in range(count)
    ]


def groups_by_subject(images) -> list[str]:
    return [f"{image.data_set}-{image.subject}" for image in images]


def placed(images, groups=None, *, folds=FOLDS, seed=0, kept=()) -> list[Placement]:
    files = [image.sample_id for image in images]
    groups = groups or groups_by_subject(images)
    return placements_of(images, groups, files, folds=folds, seed=seed, kept=kept)


def manifest_of(images, places) -> list[Sample]:
    groups = groups_by_subject(images)
    return [
        Sample(
            image.sample_id,
            "x.png",
            image.source,
            image.sample_id,
            8,
            8,
            "A",
            image.subject,
            group,
            place.split,
            place.fold,
            20.0,
            "",
        )
        for image, group, place in zip(images, groups, places, strict=True)
    ]


def splits_by_own(images, places) -> dict[str | None, set[str]]:
    """The splits that pictures of each own split went to."""
    found = {}
    for image, place in zip(images, places, strict=True):
        found.setdefault(image.split, set()).add(place.split)
    return found


def test_a_data_set_without_splits_is_placed_by_group():
    images = pictures("a")
    expected = place_by_group(["A"] * 30, groups_by_subject(images), folds=FOLDS, seed=4)
    assert placed(images, seed=4) == expected


def test_a_data_set_with_all_three_splits_keeps_them():
    images = [image for split in ("train", "val", "test") for image in pictures("a", split=split)]
    expected = place_by_source(
        [image.split for image in images], groups_by_subject(images), folds=FOLDS, seed=4
    )
    assert placed(images, seed=4) == expected


def test_another_data_set_moves_no_picture():
    one = pictures("a")
    other = [image for split in ("train", "val", "test") for image in pictures("b", split=split)]
    mixed = [image for pair in zip(one, other[:30], strict=True) for image in pair] + other[30:]
    together = dict(zip((i.sample_id for i in mixed), placed(mixed), strict=True))
    for images in (one, other):
        alone = dict(zip((i.sample_id for i in images), placed(images), strict=True))
        assert {name: together[name] for name in alone} == alone


def test_a_patient_in_two_data_sets_is_in_one_split():
    images = pictures("a") + pictures("b", 44, 11)
    groups = [f"{i.data_set}-{i.subject}" if i.subject != "open3" else "both" for i in images]
    for seed in range(8):
        places = placed(images, groups, seed=seed)
        assert len({p for p, g in zip(places, groups, strict=True) if g == "both"}) == 1


@pytest.mark.parametrize(
    ("brought", "expected"),
    [
        (["train"], {"train": {"train", "val", "test"}}),
        (["train", "test"], {"train": {"train", "val"}, "test": {"test"}}),
        (["train", "val"], {"train": {"train", "test"}, "val": {"val"}}),
        (["test", None], {"test": {"test"}, None: {"train", "val"}}),
        (["val", None], {"val": {"val"}, None: {"train", "test"}}),
        (["train", None], {"train": {"train"}, None: {"train", "val", "test"}}),
        (
            ["train", "val", "test", None],
            {"train": {"train"}, "val": {"val"}, "test": {"test"}, None: {"train"}},
        ),
        (["val"], {"val": {"val"}}),
    ],
)
@pytest.mark.parametrize("folds", [2, 5])
def test_what_a_source_does_not_bring_is_made_of_what_it_leaves_open(brought, expected, folds):
    images = [image for split in brought for image in pictures("a", split=split)]
    places = placed(images, folds=folds)
    assert splits_by_own(images, places) == expected
    homes = set(zip(groups_by_subject(images), places, strict=True))
    assert len(homes) == len({group for group, _ in homes})
    check_samples(manifest_of(images, places), "here")


@pytest.mark.parametrize("position", [0, 30])
def test_a_patient_with_a_split_takes_all_other_pictures_along(position):
    images = pictures("a")
    images.insert(position, image_of("own", "a", subject="open3", split="test"))
    rows = zip(placed(images), images, strict=True)
    assert {p.split for p, image in rows if image.subject == "open3"} == {"test"}


def test_splits_of_a_source_that_tear_a_patient_apart_are_an_error_that_names_both():
    images = [image_of(split, "a", subject="7", split=split) for split in ("train", "test")]
    with pytest.raises(LeakageError, match="group a-7 is in its train and its test"):
        placed(images)


def test_too_few_groups_are_an_error():
    with pytest.raises(DataError, match="class A has 2 groups"):
        placed(pictures("a", subjects=2))


# --- a split that is kept -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "brought", [[None], ["train", "val", "test"], ["train", "test"], ["test", None]]
)
def test_a_kept_split_stays_and_new_pictures_go_where_the_source_lets_them(brought):
    before = [image for split in brought for image in pictures("a", split=split)]
    manifest = manifest_of(before, placed(before))
    old = {sample.sample_id: (sample.split, sample.fold) for sample in manifest}
    new = [
        image_of(f"{split}-new{n}", "a", label="A", subject=f"{split}new{n % 10}", split=split)
        for split in brought
        for n in range(30)
    ]
    images = [*new, *before]
    places = placed(images, kept=manifest, seed=5)
    for image, place in zip(images, places, strict=True):
        if image.sample_id in old:
            assert (place.split, place.fold) == old[image.sample_id]
    fresh = splits_by_own(before, placed(before))
    assert all(
        place.split in fresh[image.split] for image, place in zip(images, places, strict=True)
    )
    homes = set(zip(groups_by_subject(images), places, strict=True))
    assert len(homes) == len({group for group, _ in homes})


def test_a_data_set_that_is_new_beside_a_kept_one_is_placed_as_if_alone():
    one, other = pictures("a"), pictures("b")
    manifest = manifest_of(one, placed(one))
    places = placed([*one, *other], kept=manifest)
    assert places == placed(one) + placed(other)


def test_fewer_folds_than_those_kept_are_refused():
    images = pictures("a")
    with pytest.raises(ConfigError, match="has 3"):
        placed(images, folds=2, kept=manifest_of(images, placed(images)))


# --- real data ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cnmc(real_data):
    return cnmc_images(real_data / "cnmc")


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.integers(2, 8))
def test_no_patient_of_c_nmc_is_in_two_splits_whatever_the_seed(cnmc, seed, folds):
    images, facts = cnmc
    groups = groups_of(images, facts, 20).names
    files = [fact.sha256 for fact in facts]
    places = placements_of(images, groups, files, folds=folds, seed=seed)
    homes = {}
    for image, file, place in zip(images, files, places, strict=True):
        for what in (image.subject, file):
            assert homes.setdefault(what, place) == place
    one_patient = (("20", "21"), ("51", "75", "78"), ("H2", "H4", "H5", "H6"), ("H3", "H10"))
    assert all(len({homes[subject] for subject in subjects}) == 1 for subjects in one_patient)
    for label in ("all", "hem"):
        found = {p.fold for p, image in zip(places, images, strict=True) if image.label == label}
        assert found == set(range(-1, folds))


def test_the_28_validation_subjects_of_c_nmc_are_the_test_split_and_all_of_it(cnmc):
    images, facts = cnmc
    groups = groups_of(images, facts, 20).names
    places = placements_of(images, groups, [fact.sha256 for fact in facts], folds=5, seed=0)
    for image, place in zip(images, places, strict=True):
        assert (place.split == "test") == (image.fold is None)
    subjects = {i.subject for i, place in zip(images, places, strict=True) if place.split == "test"}
    assert len(subjects) == 28


# SHA-256 of the lines "sample,group,split,fold" of all pictures, sorted. The shipped weights were
# trained and measured on this split: where it changes, pictures that they have seen become test.
STORED_SPLIT = Path(__file__).parents[1] / "datasets" / "splits" / "all4.csv"
SPLIT_OF_THE_SHIPPED_WEIGHTS = "3883ac27f94b7fe4a9ae6592b986c3ad6563d673826ff91f9537cb426423fd4d"


def looked_at(image, px_per_rbc: float) -> PictureFacts:
    content = image.file.read()
    rgb = pixels.without_scale_bar(decode_image(content, Path(image.file.name)))
    return PictureFacts(sha256_of(image.file.name, content), look_of(rgb, px_per_rbc))


@pytest.mark.slow
def test_all_4_and_txl_pbc_are_split_as_they_were_for_the_shipped_weights(real_data):
    images = [
        *all4.scan(open_tree(real_data / "all4")).images,
        *yolo.scan(open_tree(real_data / "txl-pbc")).images,
    ]
    rulers = px_per_rbc_of_all(images, None)
    facts = [looked_at(image, ruler) for image, ruler in zip(images, rulers, strict=True)]
    stored = read_manifest(STORED_SPLIT)
    kept = {sample.sha256: sample.group for sample in stored}
    groups = groups_of(images, facts, 20, kept, same_fields(images, facts, workers=2)).names
    # Of byte-identical pictures the first stays.
    first = {fact.sha256: row for row, fact in reversed(list(enumerate(facts)))}
    rows = sorted(first.values())
    places = placements_of(
        [images[row] for row in rows],
        [groups[row] for row in rows],
        [facts[row].sha256 for row in rows],
        folds=5,
        seed=0,
        kept=stored,
    )
    table = sorted(
        f"{images[row].sample_id},{groups[row]},{place.split},{place.fold}\n"
        for row, place in zip(rows, places, strict=True)
    )
    assert len(table) == 4476
    found = hashlib.sha256("".join(table).encode()).hexdigest()
    assert found == SPLIT_OF_THE_SHIPPED_WEIGHTS
