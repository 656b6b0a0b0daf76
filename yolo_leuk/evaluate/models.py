"""Paths to models: what each is, what it is called, and whether it may be measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts, ensemble_file
from yolo_leuk.backends.ensemble import graph_of
from yolo_leuk.backends.net import open_net
from yolo_leuk.eager_detector import EagerDetector
from yolo_leuk.ensemble_file import read_ensemble
from yolo_leuk.errors import DataError, LeakageError, ModelError, UsageError
from yolo_leuk.evaluate.held_out import HeldOut
from yolo_leuk.evaluate.voters import Voter
from yolo_leuk.model_card import ModelCard
from yolo_leuk.model_file import PIPELINE_FILE, RUN_NET, model_file, telling_names
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.probabilities import ProbabilityTable, read_probabilities

Subject = Voter | ProbabilityTable | EagerDetector | Pipeline

_TABLE = "probabilities.csv"

# What a folder is named for sooner than for its table.
_BEFORE_TABLE = (PIPELINE_FILE, ensemble_file.FILE_NAME, RUN_NET)


@dataclass(frozen=True)
class Model:
    """A model that was named.

    Attributes:
        name: Tells it from the others.
        kind: What it is, for people.
        sha256: Of its file.
        subject: The model itself.
        warnings: What a reader of its figures must know.
    """

    name: str
    kind: str
    sha256: str
    subject: Subject
    warnings: tuple[str, ...] = ()


def open_models(paths: Sequence[Path], held_out: HeldOut, *, trust: bool = False) -> list[Model]:
    """Open models, and check that they can be measured on these samples.

    Args:
        paths: Nets, tables, pipeline and ensemble files, or folders of runs and ensembles.
        held_out: The samples.
        trust: Take nets although their hashes differ from their cards.

    Raises:
        UsageError: One is named twice, or is for another task or level than the data set.
        ModelError: One cannot be opened.
        DataError: Its classes differ from those of the data set in name or order, or a table is of
            other samples.
        LeakageError: An ensemble was searched on these samples.
    """
    files = [_file_of(path) for path in paths]
    names = telling_names(files, plain=(_TABLE,))
    return [_opened(file, name, held_out, trust) for file, name in zip(files, names, strict=True)]


def _file_of(path: Path) -> Path:
    """The file that is meant by a path: a table, or what other verbs take too."""
    if path.suffix.lower() == ".csv":
        if not path.is_file():
            raise ModelError(f"there is no table {path}", hint="Check the path.")
        return path
    if (path / _TABLE).is_file() and not any((path / name).is_file() for name in _BEFORE_TABLE):
        return path / _TABLE
    return model_file(path).path


def _opened(file: Path, name: str, held_out: HeldOut, trust: bool) -> Model:
    if file.suffix.lower() == ".csv":
        return _table(file, name, held_out)
    open_one = {"ensemble": _ensemble, "pipeline": _pipeline}.get(model_file(file).kind, _net)
    return open_one(file, name, held_out, trust)


# --- what each kind must be ----------------------------------------------------------------------


def _net(file: Path, name: str, held_out: HeldOut, trust: bool) -> Model:
    net = open_net(file, trust=trust)
    _check_card(net.card, file, held_out)
    subject = EagerDetector(net) if net.card.task == "detect" else Voter(net)
    kind = f"{net.card.architecture} for {net.card.task}"
    warnings = tuple(f"{name}: {text}" for text in seen_before(net.card, held_out))
    return Model(name, kind, net.card.sha256, subject, warnings)


def _ensemble(file: Path, name: str, held_out: HeldOut, trust: bool) -> Model:
    ensemble = read_ensemble(file, trust=trust)
    voter = Voter(graph_of(ensemble, trust=trust))
    _check_card(voter.card, file, held_out)
    warnings = [*ensemble.warnings, *seen_before(voter.card, held_out)]
    return Model(
        name,
        f"ensemble of {', '.join(member.name for member in ensemble.members)}",
        artifacts.sha256_of_file(file),
        voter,
        tuple(f"{name}: {text}" for text in warnings),
    )


def _check_not_searched(card: ModelCard, file: Path, held_out: HeldOut) -> None:
    searched = card.training.get("searched_on", {})
    same = searched.get("manifest_sha256", "") in ("", held_out.data.manifest_sha256)
    if same and (shared := held_out.splits & set(searched.get("splits", ()))):
        raise LeakageError(
            f"the weights of {file} were searched on {', '.join(sorted(shared))} of this data set: "
            "what it reaches there says nothing",
            hint="Measure it on a split that the search did not see: --split test.",
        )


def _pipeline(file: Path, name: str, held_out: HeldOut, trust: bool) -> Model:
    whole = Pipeline.load(file, trust=trust)
    sha256 = artifacts.sha256_of_file(file)
    cards = (whole.detector.card, whole.classifier.card)
    if held_out.data.task == "detect":
        seen = [f"{name}: {text}" for card in cards for text in seen_before(card, held_out)]
        return Model(name, "pipeline", sha256, whole, tuple(dict.fromkeys(seen)))
    _check_card(whole.classifier.card, file, held_out)
    seen = [f"{name}: {text}" for text in seen_before(whole.classifier.card, held_out)]
    return Model(name, "classifier of a pipeline", sha256, Voter(whole.classifier), tuple(seen))


def _table(file: Path, name: str, held_out: HeldOut) -> Model:
    if held_out.data.task != "classify":
        raise UsageError(f"{file} holds probabilities of classes; the data set is for detection")
    table = read_probabilities(file)
    _check_classes(table.classes, file, held_out)
    rows = _of_split(table, file, held_out)
    return Model(name, "table of probabilities", artifacts.sha256_of_file(file), rows)


def _check_card(card: ModelCard, file: Path, held_out: HeldOut) -> None:
    data = held_out.data
    if card.task != data.task:
        raise UsageError(
            f"{file} is for {card.task}, the data set {data.folder} is for {data.task}",
            hint=f"Prepare one with --task {card.task}.",
        )
    if card.task == "classify" and card.level != data.level:
        raise UsageError(
            f"{file} classifies the level {card.level}, the data set {data.folder} is of the level "
            f"{data.level}",
            hint=f"Prepare one with --level {card.level}.",
        )
    _check_classes(card.scheme.names, file, held_out)
    _check_not_searched(card, file, held_out)


def _check_classes(classes: Sequence[str], file: Path, held_out: HeldOut) -> None:
    expected = held_out.scheme.names
    if tuple(classes) != expected:
        raise DataError(
            f"the classes of {file} are {', '.join(classes)}; those of {held_out.data.folder} are "
            f"{', '.join(expected)}, in this order",
            hint="Measure a model on data sets with its own classes, in their order.",
        )


def _of_split(table: ProbabilityTable, file: Path, held_out: HeldOut) -> ProbabilityTable:
    """The rows of the samples of the split, in their order. Raises DataError."""
    rows = {sample.sample_id: row for row, sample in enumerate(table.samples)}
    missing = [s.sample_id for s in held_out.samples if s.sample_id not in rows]
    if missing:
        raise DataError(
            f"{file} says nothing of {len(missing)} of the {len(held_out.samples)} samples in "
            f"{held_out.split}, for instance {missing[0]}",
            hint="Name the split that it is of by --split; folds is all that is not test.",
        )
    chosen = [rows[sample.sample_id] for sample in held_out.samples]
    for sample, row in zip(held_out.samples, chosen, strict=True):
        own = table.samples[row]
        if (own.label, own.group) != (sample.label, sample.group):
            raise DataError(
                f"{file}: {sample.sample_id} is {own.label} of group {own.group}; in the manifest "
                f"it is {sample.label} of group {sample.group}",
                hint="The table is of another preparation of the data set; make it again.",
            )
    samples = tuple(table.samples[row] for row in chosen)
    return ProbabilityTable(samples, table.classes, table.probabilities[chosen])


# --- what a net may have seen --------------------------------------------------------------------


def seen_before(card: ModelCard, held_out: HeldOut) -> list[str]:
    """In words, why a net may know the samples; empty where nothing speaks for it."""
    if not card.members:
        return _seen_in(card.training, held_out)
    of_members = [_seen_in(training, held_out) for training in card.training["members"].values()]
    return list(dict.fromkeys(text for texts in of_members for text in texts))


def _seen_in(training: Mapping[str, Any], held_out: HeldOut) -> list[str]:
    if training.get("manifest_sha256") != held_out.data.manifest_sha256:
        shared = set(training.get("sources", ())) & set(held_out.data.sources)
        if not shared:
            return []
        titles = ", ".join(sorted(shared))
        return [
            f"it was trained on another preparation of {titles}; what it saw of it is not known"
        ]
    if held_out.split == "test":
        return []
    fold = training.get("config", {}).get("fold", 0)
    if held_out.split == "val" and fold == 0:
        return ["its epoch, temperature and thresholds were chosen on this split"]
    return ["it has learnt from this split"]
