"""C-NMC 2019 in full: its 15,114 names and hashes, with small stand-ins for the pictures."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolo_leuk.manifest import read_manifest
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.run import run

LABELS = "C-NMC_test_prelim_phase_data_labels.csv"


@dataclass(frozen=True)
class ListedHash:
    """The hash of the genuine file that a stand-in stands for.

    It goes to the workers with every few pictures, so it holds no more than where the list lies.
    """

    listing: Path

    def __call__(self, place: str, _content: bytes) -> str:
        return sha256_by_name(self.listing)[place]


@lru_cache(maxsize=1)
def sha256_by_name(listing: Path) -> dict[str, str]:
    with listing.open(encoding="utf-8", newline="") as stream:
        return {row["path"]: row["sha256"] for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def listed(real_data) -> ListedHash:
    return ListedHash(real_data / "cnmc" / "manifest.csv")


@pytest.fixture(scope="module")
def whole_tree(real_data, listed, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("as downloaded") / "cnmc"
    cell = np.zeros((24, 24, 3), np.uint8)
    cv2.circle(cell, (12, 12), 7, (120, 60, 170), cv2.FILLED)
    content = cv2.imencode(".bmp", cell)[1].tobytes()
    for name in sha256_by_name(listed.listing):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (labels,) = (real_data / "cnmc").rglob(LABELS)
    (place,) = root.rglob(LABELS)
    place.write_bytes(labels.read_bytes())
    return root


@pytest.fixture(scope="module")
def prepared(whole_tree, listed, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "cnmc"
    config = PrepareConfig(sources=(whole_tree,), out=out, level="image", px_per_rbc=8.0)
    told: list[str] = []
    result = run(config, hash_of=listed, tell=told.append)
    return out, result, told


@pytest.mark.slow
def test_all_labelled_pictures_are_there_but_for_byte_identical_copies(prepared):
    out, result, told = prepared
    samples = read_manifest(out)
    copies = [
        line
        for line in (out / "problems.csv").read_text(encoding="utf-8").splitlines()[1:]
        if "the same bytes as" in line
    ]
    assert len(samples) + len(copies) == 7272 + 3389 + 1219 + 648
    assert len({s.sha256 for s in samples}) == len(samples)
    assert len(copies) == 104
    assert result.problems == ()
    assert "taken for cnmc, 12528 pictures" in told[0]
    labels = Counter(sample.label for sample in samples)
    assert labels["all"] > 2 * labels["hem"] > 0


@pytest.mark.slow
def test_subjects_that_share_a_file_are_one_group_in_one_split(prepared):
    out, _, _ = prepared
    group_of: dict[str, str] = {}
    homes = defaultdict(set)
    for sample in read_manifest(out):
        assert group_of.setdefault(sample.subject, sample.group) == sample.group
        homes[sample.group].add((sample.split, sample.fold))
    for joined in (("20", "21"), ("51", "75", "78"), ("H2", "H4", "H5", "H6"), ("H3", "H10")):
        assert len({group_of[subject] for subject in joined}) == 1
    assert all(len(home) == 1 for home in homes.values())


@pytest.mark.slow
def test_the_validation_pictures_are_the_test_split(prepared):
    out, _, told = prepared
    assert "its own split kept (1867 test)" in told[0]
    for sample in read_manifest(out):
        assert (sample.split == "test") == sample.sample_id.startswith("cnmc-validation-")


@pytest.mark.slow
def test_every_split_has_a_fair_share_of_both_classes(prepared):
    out, _, _ = prepared
    counts = Counter((s.split, s.label) for s in read_manifest(out))
    for label in ("all", "hem"):
        total = sum(n for (_, own), n in counts.items() if own == label)
        for split, fair in (("test", 0.2), ("val", 0.16), ("train", 0.64)):
            assert counts[split, label] / total == pytest.approx(fair, rel=0.6), (split, label)


@pytest.mark.slow
def test_official_folds_are_taken_as_they_are_and_name_the_patients_that_leak(
    whole_tree, listed, tmp_path
):
    config = PrepareConfig(
        sources=(whole_tree,), out=tmp_path / "out", level="image", px_per_rbc=8.0, folds="official"
    )
    result = run(config, hash_of=listed)
    samples = read_manifest(tmp_path / "out")
    assert {s.split for s in samples} == {"train", "val", "test"}
    leaks = " ".join(result.warnings)
    assert "20" in leaks
    assert "21" in leaks
    assert "leak" in leaks
