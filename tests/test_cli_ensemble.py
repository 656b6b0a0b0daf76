"""``yolo-leuk ensemble``: what goes where, and which exit code ends it."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.made_members import run_folder, table

QUICK = ("--set", "genetic.generations=5", "--set", "genetic.restarts=2", "--set", "draws=20")


@pytest.fixture
def ensemble(command, monkeypatch, tmp_path):
    """Run ``yolo-leuk ensemble`` with arguments, in this process and in a folder with three runs.

    They are ``a``, ``b``, and ``small``, which is of fewer samples.
    """
    for seed, name in enumerate("ab"):
        run_folder(tmp_path / name, table(seed=seed))
    run_folder(tmp_path / "small", table(per_class=4))

    monkeypatch.chdir(tmp_path)
    return partial(command, "ensemble")


def test_the_path_goes_to_standard_output_and_the_table_to_standard_error(ensemble):
    ended = ensemble("a", "b", *QUICK)
    assert (ended.code, ended.out) == (0, "runs/ensemble/a-b/ensemble.json\n")
    lines = ended.err.splitlines()
    assert lines[0].startswith("weighted F1 of 60 samples in 20 groups, with 95 % intervals")
    assert lines[1].split() == ["weights", "a", "b", "searched", "on", "unseen", "over", "equal"]
    starts = [line.split("  ")[0] for line in lines[2:8]]
    assert starts == ["a alone", "b alone", "equal", "genetic", "grid", "evolution"]
    assert "better than equal ones on unseen data" in lines[8]
    assert lines[9].startswith("warning: only 20 groups")


def test_json_is_all_that_is_printed(ensemble):
    ended = ensemble("a", "b", "--json", *QUICK)
    content = json.loads(ended.out)
    assert ended.err == ""
    assert content["schema"] == "yolo-leuk/ensemble/1"
    assert content["file"] == "runs/ensemble/a-b/ensemble.json"
    assert [member["name"] for member in content["members"]] == ["a", "b"]


def test_what_was_not_compared_on_unseen_samples_has_a_dash(ensemble):
    ended = ensemble("a", "b", "--set", "nested_folds=0", *QUICK)
    assert ended.code == 0
    assert ended.err.splitlines()[2].split()[-2:] == ["-", "-"]
    assert "because it was not asked for" in ended.err


def test_a_fitness_is_a_flag_and_a_blend_is_a_setting(ensemble):
    quick = (*QUICK, "--set", "nested_folds=0")
    assert ensemble("a", "b", "--fitness", "cost", *quick).err.startswith("cost score of 60")
    blend = "fitness={weighted_f1: 1, auroc: 3}"
    ended = ensemble("a", "b", "--set", blend, *quick)
    assert ended.err.startswith("0.25 weighted F1 + 0.75 AUROC of 60 samples")


def test_settings_come_from_a_file_and_flags_go_before_them(ensemble, tmp_path):
    (tmp_path / "mine.yaml").write_text("pick: genetic\nfitness: macro_f1\n", encoding="utf-8")
    ended = ensemble("a", "b", "--config", "mine.yaml", "--pick", "safe", "--json", *QUICK)
    search = json.loads(ended.out)["search"]
    assert (search["pick"], search["fitness"]) == ("safe", {"macro_f1": 1.0})


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("a",), 2, "two members or more"),
        (("a", "nowhere"), 2, "there is no nowhere"),
        (("a", "b", "--set", "fitness=speed"), 2, "expected weighted_f1 or macro_f1"),
        (("a", "b", "--set", "fitness={speed: 1}"), 2, "fitness"),
        (("a", "b", "--set", "genetic.mutation=2"), 2, "genetic.mutation is 2.0"),
        (("a", "b", "--data", "nowhere"), 2, "holds no data set"),
        (("a", "small"), 3, "40 are in a alone"),
    ],
)
def test_an_error_ends_with_its_exit_code_and_says_what_to_do(ensemble, arguments, code, told):
    ended = ensemble(*arguments)
    assert ended.code == code
    assert told in ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err


def test_a_net_that_does_not_fit_ends_with_4(ensemble, tmp_path):
    (tmp_path / "b" / "weights" / "best.json").unlink()
    assert ensemble("a", "b").code == 4
