#!/usr/bin/env python3
"""Train nets on the folds of the same data, and tell how they do on what they did not learn from.

    scripts/compare_nets.py --data ../shared/data [--nets v8n,v11n,v12n] [--only cnmc,all4-cells-20]
                            [--device 0]

Everything lies under runs/compare-nets: a data set for each experiment and a run of all folds for
each net in it. What is there is not made again; what was stopped goes on. The figures are of the
out-of-fold probabilities; the test split of no data set is touched. Writes docs/nets.json after
each net, and prints its row.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from figures import answers  # noqa: E402  (the path above comes first)

from yolo_leuk import artifacts  # noqa: E402
from yolo_leuk.config import resolve  # noqa: E402
from yolo_leuk.manifest import read_manifest  # noqa: E402
from yolo_leuk.prepare.config import PrepareConfig  # noqa: E402
from yolo_leuk.prepare.run import run as prepare  # noqa: E402
from yolo_leuk.probabilities import read_probabilities  # noqa: E402
from yolo_leuk.train.all_folds import run_all_folds  # noqa: E402
from yolo_leuk.train.config import TrainConfig  # noqa: E402
from yolo_leuk.train.dataset import checked_dataset  # noqa: E402
from yolo_leuk.train.finish_classifier import PROBABILITIES, SWAPPED  # noqa: E402

SCHEMA = "yolo-leuk/nets/1"
RUNS = ROOT / "runs" / "compare-nets"


@dataclass(frozen=True)
class Experiment:
    """Data, and how long nets learn from it.

    Attributes:
        title: In the table.
        source: Below --data.
        prepare: Settings of ``prepare`` besides those of all experiments.
        epochs: Of each fold.
        samples_per_epoch: At most.
    """

    title: str
    source: str
    prepare: dict[str, Any] = field(default_factory=dict)
    epochs: int = 12
    samples_per_epoch: int = 6000


# More groups than pictures: each picture is one, but for near-duplicates and overlapping fields.
_BY_PICTURE = 100_000

EXPERIMENTS = {
    "cnmc": Experiment("C-NMC 2019, cells", "cnmc", epochs=40),
    **{
        f"all4-cells-{groups}": Experiment(
            f"ALL-4-class, cells, {groups} groups per class",
            "all4",
            {"groups_per_class": groups, "cells_per_image": 4},
        )
        for groups in (20, 10, 30)
    },
    "all4-images": Experiment(
        "ALL-4-class, whole images, 20 groups per class", "all4", {"level": "image"}, epochs=20
    ),
    "all4-cells-random": Experiment(
        "ALL-4-class, cells, **split by picture** as in the literature",
        "all4",
        {"groups_per_class": _BY_PICTURE, "cells_per_image": 4},
    ),
    "all4-images-random": Experiment(
        "ALL-4-class, whole images, **split by picture** as in the literature",
        "all4",
        {"groups_per_class": _BY_PICTURE, "level": "image"},
        epochs=20,
    ),
}


def main() -> None:
    """Train or take up, measure, print, write after each net."""
    options = _options()
    content = _read(options.out)
    for name in options.only:
        data = _data_set(name, options.data)
        for net in options.nets:
            run = _trained(name, net, data, options.device)
            level = {"cell": "cell", "image": "picture"}[checked_dataset(data, "classify").level]
            content.setdefault(name, {"title": EXPERIMENTS[name].title, "level": level, "nets": {}})
            figures = content[name]["nets"][net] = _figures(run, data)
            artifacts.write_json(options.out, {"schema": SCHEMA, "experiments": content})
            print(answers.row_of(EXPERIMENTS[name].title, net, figures), flush=True)


def _data_set(name: str, data: Path) -> Path:
    """The data set of an experiment; made where it is not there."""
    experiment, folder = EXPERIMENTS[name], RUNS / name / "data"
    if not (folder / "dataset.json").is_file():
        settings = {"folds": 3, "task": "classify", **experiment.prepare}
        prepare(PrepareConfig(sources=(data / experiment.source,), out=folder, **settings))
    return folder


def _trained(name: str, net: str, data: Path, device: str) -> Path:
    """The run of all folds of a net; made, or gone on with, where it is not there or not whole."""
    experiment, folder = EXPERIMENTS[name], RUNS / name / net
    if (folder / SWAPPED).is_file():  # the last file that such a run writes
        return folder
    flags: dict[str, Any] = {"device": device}
    if (folder / "config.json").is_file():
        flags |= {"resume": folder}
    else:
        flags |= {
            "arch": net,
            "data": data,
            "fold": "all",
            "epochs": experiment.epochs,
            "out": folder,
            "optimise": {"samples_per_epoch": experiment.samples_per_epoch},
        }
    run_all_folds(resolve(TrainConfig, flags=flags))
    return folder


def _figures(run: Path, data: Path) -> dict[str, Any]:
    scheme = checked_dataset(data, "classify").scheme
    picture_of = {sample.sample_id: sample.sha256 for sample in read_manifest(data)}
    found: dict[str, Any] = {}
    for condition, file in (("clean", PROBABILITIES), ("swapped", SWAPPED)):
        table = read_probabilities(run / file)
        found[condition] = answers.figures_of(table, scheme)
        pictures = answers.per_picture(table, picture_of)
        if len(pictures.samples) < len(table.samples):
            found[f"{condition}_per_picture"] = answers.figures_of(pictures, scheme)
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    return dict(json.loads(path.read_text(encoding="utf-8"))["experiments"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--nets", type=_names, default=["v11n", "v8n", "v12n"])
    parser.add_argument("--only", type=_names, default=list(EXPERIMENTS))
    parser.add_argument("--device", default="")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "nets.json")
    options = parser.parse_args()
    if unknown := [name for name in options.only if name not in EXPERIMENTS]:
        parser.error(f"unknown {', '.join(unknown)}; known are {', '.join(EXPERIMENTS)}")
    return options


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


if __name__ == "__main__":
    main()
