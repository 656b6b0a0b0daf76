"""What ``yolo-leuk benchmark`` is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.errors import ConfigError


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is timed, and how.

    Attributes:
        models: Nets, ensembles or pipelines, or folders of them.
        batches: Sizes of the batches that a classifier is shown.
        tiles: Sizes of the batches that a detector is shown; in use it sees four tiles at most.
        runs: Of each batch, of which median and percentiles are told.
        warm_up: Runs before them, which are not counted.
        cores: That a process may use; None: all that this one may. Linux only.
        image: That a pipeline is shown; None: the synthetic smear that comes with the package.
        out: A new or empty folder; None: ``runs/benchmark/<first model>``, numbered.
        trust: Run nets although their hashes differ from their cards.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: A value out of its range.
    """

    models: tuple[Path, ...]
    batches: tuple[int, ...] = (1, 8, 16, 64)
    tiles: tuple[int, ...] = (1, 4)
    runs: int = 30
    warm_up: int = 3
    cores: int | None = None
    image: Path | None = None
    out: Path | None = None
    trust: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("expected at least one model, got none")
        for name in ("batches", "tiles"):
            sizes = getattr(self, name)
            if not sizes or min(sizes) < 1 or len(set(sizes)) != len(sizes):
                raise ConfigError(
                    f"{name} is {list(sizes)}; expected sizes from 1, each of them once"
                )
        if self.runs < 1 or self.warm_up < 0:
            raise ConfigError(
                f"runs is {self.runs} and warm_up {self.warm_up}; "
                "expected runs from 1, warm_up from 0"
            )
        if self.cores is not None and self.cores < 1:
            raise ConfigError(f"cores is {self.cores}; expected a number from 1")
