"""What the names on the command line stand for: runs of ``train``, nets, tables of probabilities.

A net that lies in the folder of a run stands for the run. A checkpoint stands for the ONNX file
that ``train`` wrote beside it, which gives the same answers.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_leuk import artifacts
from yolo_leuk.errors import DataError, ModelError, UsageError
from yolo_leuk.net_file import card_of

PROBABILITIES = "probabilities.csv"

FoldNets = Literal["first", "all"]

_RUN_SCHEMA = "yolo-leuk/train-run/1"
_CONFIG = "config.json"
_NET = Path("weights") / "best.onnx"
_FOLD = re.compile(r"fold(\d+)")
_EXPECTED = "expected a run of `yolo-leuk train`, a net (.onnx, .pt) or a table (.csv)"


@dataclass(frozen=True)
class Given:
    """One member as it was given.

    Attributes:
        name: Tells it from the others.
        architecture: As given to ``--arch``; empty where nothing tells.
        table: Of probabilities; None where there is none.
        nets: ONNX files: one of a run, one or more of a run of all folds, none of a table.
        manifest_sha256: Of the data set that it was trained on; empty where nothing tells.
    """

    name: str
    architecture: str = ""
    table: Path | None = None
    nets: tuple[Path, ...] = ()
    manifest_sha256: str = ""


def all_given(
    paths: Sequence[Path], table: str = PROBABILITIES, fold_nets: FoldNets = "first"
) -> tuple[Given, ...]:
    """The members of these names.

    Args:
        paths: At least two.
        table: Name of the table in the folder of a run.
        fold_nets: Which nets of a run of all folds.

    Raises:
        UsageError: There are fewer, one is given twice, or one is nothing that can be a member.
        DataError: They were trained on different data sets.
        ModelError: A net is missing.
        CardError: The card of a net breaks its schema.
    """
    if len(paths) < 2:
        raise UsageError(
            f"expected two members or more, got {len(paths)}",
            hint="Name two or more: yolo-leuk ensemble RUN RUN …",
        )
    found = [_given(path, table) for path in paths]
    for one, other in itertools.combinations(range(len(found)), 2):
        if _is_same(found[one], found[other]):
            raise UsageError(f"{paths[one]} and {paths[other]} are one member, given twice")
    told = [(g, p) for g, p in zip(found, paths, strict=True) if g.manifest_sha256]
    for given, path in told[1:]:
        if given.manifest_sha256 != told[0][0].manifest_sha256:
            raise DataError(
                f"{told[0][1]} was trained on the manifest of SHA-256 "
                f"{told[0][0].manifest_sha256}, {path} on that of {given.manifest_sha256}",
                hint="Members must be trained on one data set, split once: else one may have "
                "learnt from what another is judged by.",
            )
    last = 1 if fold_nets == "first" else None
    return tuple(
        dataclasses.replace(given, name=name, nets=given.nets[:last])
        for given, name in zip(found, _unique([given.name for given in found]), strict=True)
    )


def _given(path: Path, table: str) -> Given:
    if (path / _CONFIG).is_file():
        return _run(path, table)
    if not path.exists():
        raise UsageError(f"there is no {path}; {_EXPECTED}")
    suffix = path.suffix.lower()
    if path.is_file() and suffix == ".csv":
        name = path.resolve().parent.name if path.name == table else path.stem
        return Given(name, table=path)
    if path.is_file() and suffix in (".onnx", ".pt"):
        return _net(path, table)
    raise UsageError(f"{path}: {_EXPECTED}")


def _net(path: Path, table: str) -> Given:
    net = path.with_suffix(".onnx")
    if not net.is_file():
        raise ModelError(
            f"there is no {net.name} beside {path}: members of an ensemble are run as ONNX",
            hint="`yolo-leuk train` writes both; name the folder of its run.",
        )
    run = net.resolve().parent.parent
    if net.name == _NET.name and (run / _CONFIG).is_file():
        return _run(run, table)
    card = card_of(net)
    sha256 = str(card.training.get("manifest_sha256", ""))
    return Given(net.stem, card.architecture, nets=(net,), manifest_sha256=sha256)


def _run(folder: Path, table: str) -> Given:
    start = artifacts.read_json(folder / _CONFIG, schema=_RUN_SCHEMA, error=UsageError)
    config = start["config"]
    if config["task"] != "classify":
        raise UsageError(
            f"{folder} was trained to {config['task']}; a member of an ensemble classifies"
        )
    nets = _nets(folder)
    file = folder / table
    if not nets and not file.is_file():
        raise DataError(
            f"{folder} has neither {_NET} nor {table}: the run is not over",
            hint=f"Go on with it: yolo-leuk train --resume {folder}",
        )
    return Given(
        name=folder.resolve().name,
        architecture=str(config["arch"]),
        table=file if file.is_file() else None,
        nets=nets,
        manifest_sha256=str(start.get("manifest_sha256", "")),
    )


def _nets(folder: Path) -> tuple[Path, ...]:
    """The net of a run, or those of its folds, in order."""
    if (folder / _NET).is_file():
        return (folder / _NET,)
    numbers = [int(m[1]) for f in folder.iterdir() if (m := _FOLD.fullmatch(f.name))]
    nets = [folder / f"fold{number}" / _NET for number in sorted(numbers)]
    return tuple(net for net in nets if net.is_file())


def _is_same(one: Given, other: Given) -> bool:
    if one.nets and other.nets:
        return one.nets[0].resolve() == other.nets[0].resolve()
    if one.table and other.table:
        return one.table.resolve() == other.table.resolve()
    return False


def _unique(names: Sequence[str]) -> list[str]:
    """Names with a number behind those that are taken already."""
    taken: list[str] = []
    for name in names:
        candidates = (name if n == 1 else f"{name}-{n}" for n in itertools.count(1))
        taken.append(next(candidate for candidate in candidates if candidate not in taken))
    return taken
