"""What the names on the command line stand for."""

from __future__ import annotations

import shutil

import pytest

from tests.made_members import MANIFEST_SHA256, card_of, run_folder, table
from tests.made_onnx import classifier_file
from yolo_leuk.ensemble.given import Given, all_given
from yolo_leuk.errors import CardError, DataError, ModelError, UsageError
from yolo_leuk.probabilities import write_probabilities


@pytest.fixture
def runs(tmp_path):
    """The folders of two runs, ``runs/a`` and ``runs/b``."""
    return [run_folder(tmp_path / "runs" / name, table(seed=n)) for n, name in enumerate("ab")]


def test_a_run_has_a_name_a_net_a_table_and_the_manifest_it_was_trained_on(runs):
    first, _ = all_given(runs)
    assert first == Given(
        name="a",
        architecture="v11n",
        table=runs[0] / "probabilities.csv",
        nets=(runs[0] / "weights" / "best.onnx",),
        manifest_sha256=MANIFEST_SHA256,
    )


@pytest.mark.parametrize("name", ["best.onnx", "best.pt"])
def test_the_net_of_a_run_and_its_checkpoint_stand_for_the_run(runs, name):
    (runs[0] / "weights" / "best.pt").write_bytes(b"pickled")
    assert all_given([runs[0] / "weights" / name, runs[1]]) == all_given(runs)


def test_of_a_run_of_all_folds_the_first_net_is_taken_or_all(runs, tmp_path):
    folds = run_folder(tmp_path / "folds", table(), fold="all")
    nets = tuple(folds / fold / "weights" / "best.onnx" for fold in ("fold0", "fold1"))
    assert all_given([folds, runs[0]])[0].nets == nets[:1]
    assert all_given([folds, runs[0]], fold_nets="all")[0].nets == nets


def test_folds_are_in_the_order_of_their_numbers(runs, tmp_path):
    folds = run_folder(tmp_path / "folds", table(), fold="all")
    for number in (10, 2):
        shutil.copytree(folds / "fold1", folds / f"fold{number}")
    nets = all_given([folds, runs[0]], fold_nets="all")[0].nets
    assert [net.parts[-3] for net in nets] == ["fold0", "fold1", "fold2", "fold10"]


def test_a_table_has_no_net_and_is_named_as_its_file_or_its_folder(runs, tmp_path):
    write_probabilities(tmp_path / "mine.csv", table())
    first, second = all_given([tmp_path / "mine.csv", runs[0] / "probabilities.csv"])
    assert first == Given("mine", table=tmp_path / "mine.csv")
    assert second.name == "a"
    assert second.nets == ()


def test_another_table_of_the_runs_may_be_named(runs):
    for run in runs:
        (run / "probabilities.csv").rename(run / "probabilities-swapped.csv")
    assert all_given(runs)[0].table is None
    first, _ = all_given(runs, "probabilities-swapped.csv")
    assert first.table == runs[0] / "probabilities-swapped.csv"


def test_a_net_outside_of_a_run_is_known_by_its_card(runs, tmp_path):
    classifier_file(tmp_path / "shipped.onnx", card_of("shipped"))
    first, _ = all_given([tmp_path / "shipped.onnx", runs[0]])
    assert first == Given("shipped", "shipped", None, (tmp_path / "shipped.onnx",), MANIFEST_SHA256)


def test_two_of_one_name_are_told_apart_by_number(runs, tmp_path):
    other = run_folder(tmp_path / "more" / "a", table(seed=5))
    assert [given.name for given in all_given([runs[0], other, runs[1]])] == ["a", "a-2", "b"]


# --- refused -------------------------------------------------------------------------------------


def test_one_member_is_no_ensemble(runs):
    with pytest.raises(UsageError, match="two members or more, got 1"):
        all_given(runs[:1])


def test_a_member_that_is_given_twice_is_refused(runs):
    with pytest.raises(UsageError, match="are one member, given twice"):
        all_given([runs[0], runs[1], runs[0] / "weights" / "best.onnx"])


def test_what_is_not_there_is_told(runs, tmp_path):
    with pytest.raises(UsageError, match=r"there is no .*nowhere; expected a run"):
        all_given([runs[0], tmp_path / "nowhere"])


def test_a_folder_or_file_that_is_no_member_is_told_with_what_is_one(runs, tmp_path):
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(UsageError, match=r"expected a run of `yolo-leuk train`, a net"):
            all_given([runs[0], path])


def test_a_detector_is_no_member(runs, tmp_path):
    detector = run_folder(tmp_path / "detector", None, task="detect")
    with pytest.raises(UsageError, match="was trained to detect"):
        all_given([runs[0], detector])


def test_a_run_that_is_not_over_is_told_with_how_to_go_on(runs, tmp_path):
    unfinished = run_folder(tmp_path / "unfinished", None)
    (unfinished / "weights" / "best.onnx").unlink()
    with pytest.raises(DataError, match="the run is not over") as caught:
        all_given([runs[0], unfinished])
    assert "--resume" in caught.value.hint


def test_a_checkpoint_without_its_onnx_file_is_told(runs, tmp_path):
    (tmp_path / "net.pt").write_bytes(b"pickled")
    with pytest.raises(ModelError, match=r"no net\.onnx beside"):
        all_given([runs[0], tmp_path / "net.pt"])


def test_a_net_without_a_card_is_told(runs, tmp_path):
    classifier_file(tmp_path / "net.onnx")
    (tmp_path / "net.json").unlink()
    with pytest.raises(CardError, match=r"net\.json"):
        all_given([runs[0], tmp_path / "net.onnx"])


def test_members_that_were_trained_on_different_data_are_refused_with_both(runs, tmp_path):
    other = run_folder(tmp_path / "other", table(), manifest_sha256="77" * 32)
    with pytest.raises(DataError, match=f"{MANIFEST_SHA256}, .*other on that of {'77' * 32}"):
        all_given([runs[0], other])
