"""Members in, an ensemble out: what ``yolo-leuk ensemble`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.config import as_plain
from yolo_leuk.dataset import DataSet, read_dataset
from yolo_leuk.ensemble.assembly import assembled
from yolo_leuk.ensemble.comparison import Comparison, Settings, compared
from yolo_leuk.ensemble.decision import Decision, Pick, decided
from yolo_leuk.ensemble.fitness import FigureName, Fitness, fitness_of
from yolo_leuk.ensemble.genetic import GeneticSearch
from yolo_leuk.ensemble.given import PROBABILITIES, FoldNets, Given, all_given
from yolo_leuk.ensemble.growth import write_growth
from yolo_leuk.ensemble.joined import Joined
from yolo_leuk.ensemble.tables import gathered
from yolo_leuk.ensemble_file import (
    FILE_NAME,
    Ensemble,
    check_nets,
    read_ensemble,
    write_ensemble,
)
from yolo_leuk.ensemble_graph import write_vote
from yolo_leuk.errors import ConfigError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.progress import progress_bar
from yolo_leuk.run_folder import free_folder

RUNS = Path("runs/ensemble")
CONFIG_NAME = "config.json"

_LONGEST_NAME = 100  # of a folder; file systems take 255, and a number may follow


@dataclass(frozen=True)
class EnsembleConfig:
    """What to weigh, and how.

    Attributes:
        members: Runs of ``train``, nets, or tables of probabilities; two or more.
        data: Data set that they were trained on; needed where a member has no table.
        out: A new or empty folder; None: ``runs/ensemble/<members>``, numbered.
        fitness: What is to be large: a figure, or figures and their shares.
        pick: ``safe`` keeps equal weights unless the genetic ones are better on unseen data.
        table: Name of the table in the folder of a run; ``probabilities-swapped.csv`` is that in
            swapped colours.
        fold_nets: Of a run of all folds ``first`` takes the net of fold 0, as which the tables
            measure it, ``all`` takes one for each fold, which share the weight.
        coverage: Share of the samples that the threshold for ``unidentified`` still calls.
        genetic: Settings of the genetic search.
        nested_folds: Of the nested cross-validation, at most; 0 leaves it out.
        draws: Of the bootstrap.
        seed: Of everything random.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    members: tuple[Path, ...]
    data: Path | None = None
    out: Path | None = None
    fitness: FigureName | dict[FigureName, float] = "weighted_f1"
    pick: Pick = "safe"
    table: str = PROBABILITIES
    fold_nets: FoldNets = "first"
    coverage: float = 0.95
    genetic: GeneticSearch = field(default_factory=GeneticSearch)
    nested_folds: int = 5
    draws: int = 2000
    seed: int = 0
    progress: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.coverage <= 1:
            raise ConfigError(f"coverage is {self.coverage}; expected above 0, at most 1")
        if self.nested_folds < 0 or self.nested_folds == 1:
            raise ConfigError(f"nested_folds is {self.nested_folds}; expected 0, or 2 or more")
        for name, least in (("draws", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected {least} or more")


@dataclass(frozen=True)
class EnsembleResult:
    """What came out.

    Attributes:
        file: ``ensemble.json``.
        ensemble: What it says.
        comparison: Of all methods.
        decision: Whose weights are kept.
    """

    file: Path
    ensemble: Ensemble
    comparison: Comparison
    decision: Decision


def run(config: EnsembleConfig) -> EnsembleResult:
    """Weigh the members of an ensemble, and write it with its nets.

    Raises:
        UsageError: A name stands for nothing that can be a member, or --data is needed.
        ConfigError: The fitness does not fit the classes.
        DataError: Members are of other samples, classes or data sets than each other.
        LeakageError: Samples of the test split are among them, or a net has learnt from them.
        ModelError: A net is missing, damaged, or does not fit the others.
        ExportError: The nets cannot be put into one graph.
        OutputError: The folder cannot be written.
    """
    given = all_given(config.members, config.table, config.fold_nets)
    data = None if config.data is None else read_dataset(config.data)
    joined = gathered(given, data)
    scheme = _scheme(joined, given, data)
    fitness = fitness_of(config.fitness, joined.classes)
    out = config.out or free_folder(RUNS / "-".join(joined.members)[:_LONGEST_NAME])
    with artifacts.new_folder(out) as folder:
        artifacts.write_json(
            folder / CONFIG_NAME,
            {
                "schema": "yolo-leuk/ensemble-config/1",
                "version": __version__,
                **as_plain(config, whole_paths=False),
            },
        )
        comparison = _compared(joined, fitness, config)
        decision = decided(comparison, config.pick)
        ensemble = assembled(
            joined,
            given,
            scheme,
            comparison,
            decision,
            manifest_sha256=_manifest_sha256(given, data),
            coverage=config.coverage,
            search=_asked_for(config, fitness),
            warnings=() if data is None else data.warnings,
        )
        write_vote(folder, write_ensemble(folder, ensemble))
        write_growth(folder, comparison)
    file = out / FILE_NAME
    return EnsembleResult(file, read_ensemble(file), comparison, decision)


def _scheme(joined: Joined, given: Sequence[Given], data: DataSet | None) -> LabelScheme:
    """The classes, and the blasts among them where a data set or a card tells."""
    nets = [net for one in given for net in one.nets]
    cards = check_nets(LabelScheme(joined.classes), nets)
    schemes = [*([] if data is None else [data.scheme]), *(card.scheme for card in cards)]
    return schemes[0] if schemes else LabelScheme(joined.classes)


def _manifest_sha256(given: Sequence[Given], data: DataSet | None) -> str:
    """Of the data set: all that tell one were found to tell the same."""
    told = [one.manifest_sha256 for one in given if one.manifest_sha256]
    return told[0] if told else ("" if data is None else data.manifest_sha256)


def _compared(joined: Joined, fitness: Fitness, config: EnsembleConfig) -> Comparison:
    settings = Settings(fitness, config.genetic, config.nested_folds, config.draws, config.seed)
    with progress_bar(1 + config.nested_folds, enabled=config.progress) as show:
        return compared(joined, settings, show)


def _asked_for(config: EnsembleConfig, fitness: Fitness) -> dict[str, Any]:
    return {
        "fitness": dict(fitness.shares),
        "pick": config.pick,
        "table": config.table,
        "seed": config.seed,
        "genetic": asdict(config.genetic),
    }
