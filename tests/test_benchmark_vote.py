"""The benchmark of the vote asks the same nets in every way, and says where one calls otherwise."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.fresh_process import ROOT, attempts, python, recording


@pytest.fixture(scope="module")
def vote():
    """The module, imported as scripts/benchmark imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from benchmarks import vote
    return vote


def telling(*calls: int):
    return lambda _crops: np.array(calls)


def test_sides_that_call_the_same_classes_are_let_through(vote):
    vote.check_same_calls({vote.OURS: telling(0, 1, 2), "peer": telling(0, 1, 2)}, np.zeros(3))


def test_a_side_that_calls_otherwise_ends_the_benchmark(vote):
    sides = {vote.OURS: telling(0, 1, 2), "peer": telling(0, 2, 1)}
    with pytest.raises(SystemExit, match="peer calls 2 of 3 crops otherwise"):
        vote.check_same_calls(sides, np.zeros(3))


def test_nets_that_call_every_crop_the_same_end_it_too(vote):
    with pytest.raises(SystemExit, match="call every crop the same"):
        vote.check_same_calls({vote.OURS: telling(1, 1, 1)}, np.zeros(3))


def test_the_time_of_a_side_is_the_median_of_its_counted_calls(vote, monkeypatch):
    # Each call is seen as its begin and its end; the first one of a round is not looked at.
    ticks = iter([0.0, 1.0, 10.0, 13.0, 20.0, 22.0, 30.0, 38.0])
    monkeypatch.setattr(vote.time, "perf_counter", lambda: next(ticks))
    called = []
    found = vote.measured({"a side": called.append}, np.zeros(1), rounds=2, calls=2)
    assert found == {"a side": 2.5}
    assert len(called) == 6


@pytest.mark.slow
def test_the_table_has_all_sides_and_nothing_is_reached(tmp_path):
    ended = python(
        *(ROOT / "scripts" / "benchmark", "vote", "--rounds", 1, "--calls", 1),
        folder=tmp_path,
        **recording(tmp_path),
    )
    assert ended.returncode == 0, ended.stderr
    head, _, *rows = ended.stdout.splitlines()
    assert head.startswith("v8n, v11n, v12n at 96 px, batches of 16")
    found = [re.split(r"\s{2,}", row)[0] for row in rows]
    assert [name.split()[0] for name in found] == ["Ultralytics"] * 2 + ["three"] * 2 + ["one"]
    ours_ms = float(rows[-1].split()[-4])
    for row in rows:
        ms, per_second, ratio, _aim = (float(cell) for cell in row.split()[-4:])
        assert ratio == pytest.approx(ms / ours_ms, rel=0.05)
        assert per_second == pytest.approx(16_000 / ms, rel=0.05, abs=1)
    assert attempts(tmp_path) == []
