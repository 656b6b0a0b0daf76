#!/usr/bin/env python3
"""Let the nets of `scripts/compare_nets.py` vote, and tell what the vote gains.

    scripts/compare_votes.py [--only cnmc,all4-cells-20] [--out docs/votes.json]

Asks no net about a fold that it learnt from, and touches no test split. For each experiment of
which several nets are there: members, equal weights and searched ones, on the samples that were
searched on and on others; then each fold's nets again under stress, with colour alone beside them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from compare_nets import EXPERIMENTS, RUNS  # noqa: E402  (the path above comes first)
from figures import out_of_fold  # noqa: E402

from yolo_leuk import artifacts, ensemble_file  # noqa: E402
from yolo_leuk.ensemble.run import EnsembleConfig  # noqa: E402
from yolo_leuk.ensemble.run import run as ensemble  # noqa: E402
from yolo_leuk.evaluate.held_out import read_held_out  # noqa: E402
from yolo_leuk.train.finish_classifier import PROBABILITIES, SWAPPED  # noqa: E402

SCHEMA = "yolo-leuk/votes/1"
TABLES = {"clean": PROBABILITIES, "swapped": SWAPPED}


def main() -> None:
    """Vote, ask under stress, and write after each experiment."""
    options = _options()
    votes: dict[str, Any] = {}
    for name in options.only:
        members = _members(RUNS / name)
        if len(members) < 2:
            print(f"{name}: fewer than two nets are trained; left out", file=sys.stderr)
            continue
        print(name, ", ".join(members), flush=True)
        votes[name] = {
            "title": EXPERIMENTS[name].title,
            "members": list(members),
            "vote": {condition: _vote(RUNS / name, members, condition) for condition in TABLES},
            **out_of_fold.under_stress(read_held_out(RUNS / name / "data", "folds"), members),
        }
        artifacts.write_json(options.out, {"schema": SCHEMA, "experiments": votes})


def _members(folder: Path) -> dict[str, Path]:
    """Runs of all folds that are whole, by net."""
    finished = sorted(folder.glob(f"*/{SWAPPED}"))  # the last file that such a run writes
    return {file.parent.name: file.parent for file in finished}


def _vote(folder: Path, members: dict[str, Path], condition: str) -> dict[str, Any]:
    """The comparison of `yolo-leuk ensemble`, made where it is not there."""
    out = folder / f"vote-{condition}-{'-'.join(members)}"
    file = out / ensemble_file.FILE_NAME
    if not file.is_file():
        runs = tuple(members.values())
        ensemble(EnsembleConfig(runs, folder / "data", out, table=TABLES[condition]))
    return dict(artifacts.read_json(file, schema=ensemble_file.SCHEMA)["comparison"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(EXPERIMENTS))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "votes.json")
    options = parser.parse_args()
    if unknown := [name for name in options.only if name not in EXPERIMENTS]:
        parser.error(f"unknown {', '.join(unknown)}; known are {', '.join(EXPERIMENTS)}")
    return options


if __name__ == "__main__":
    main()
