"""What both trainers do in our way instead of Ultralytics': data, checkpoints, the end of a run.

Import it only where torch is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits
from torch import distributed
from torch.utils.data import DataLoader, DistributedSampler

from yolo_leuk.artifacts import replaced, write_bytes
from yolo_leuk.errors import UsageError, YoloLeukError
from yolo_leuk.train import run_folder
from yolo_leuk.train.architectures import description
from yolo_leuk.train.dataset import TrainingData


class OwnTrainer:
    """Mixed in before a trainer of Ultralytics.

    Checkpoints are written to a temporary file and renamed, so a killed run leaves a whole one.
    After the last epoch nothing is stripped or validated again: the run goes on to its export.

    Attributes:
        keeps_last: Whether ``best.pt`` is of the last epoch and not of the best one.
    """

    _data: TrainingData
    keeps_last: bool = False
    last: Path
    best: Path
    csv: Path
    amp: bool
    ddp: bool
    epoch: int
    world_size: int
    train_loader: Any

    def __init__(self, overrides: dict[str, Any]) -> None:
        threads = torch.get_num_threads()
        super().__init__(overrides=overrides)  # type: ignore[call-arg]
        # Ultralytics leaves one core free, which on two cores is half of them.
        torch.set_num_threads(threads)
        if self.ddp:
            raise UsageError(
                "this process trains on several GPUs, but is none of several that share the work: "
                "Ultralytics was imported before it was told its number",
                hint="Import it inside the functions of a script that starts a training.",
            )

    def get_dataset(self) -> dict[str, Any]:
        """Our description of the data; Ultralytics would look for it, and download it."""
        return {
            "path": str(self._data.folder),
            "train": "train",
            "val": "val",
            "nc": len(self._data.scheme),
            "names": dict(enumerate(self._data.scheme.names)),
            "channels": 3,
        }

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """As Ultralytics does, for nets of ours too."""
        return super().get_model(description(cfg), weights, verbose)  # type: ignore[misc]

    def set_model_attributes(self) -> None:
        """As Ultralytics does, and on a CPU the memory order that its convolutions are faster in.

        Measured on v11n at 416 px: a step in 0.83 s instead of 1.13 s, gradients equal to 1e-4.
        Ultralytics saves in the usual order. On Windows its #26105 measured it three times slower.
        """
        super().set_model_attributes()  # type: ignore[misc]
        if self._pixels_last:
            self.model.to(memory_format=torch.channels_last)  # type: ignore[attr-defined]

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As Ultralytics does, in the memory order of the net."""
        batch = super().preprocess_batch(batch)  # type: ignore[misc]
        if self._pixels_last:
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch

    @property
    def _pixels_last(self) -> bool:
        is_cpu: bool = self.device.type == "cpu"  # type: ignore[attr-defined]
        return is_cpu and sys.platform != "win32"

    def check_resume(self, overrides: dict[str, Any]) -> None:
        """Go on in the precision of this device, not of the one that the run was stopped on."""
        stored = {key: value for key, value in overrides.items() if key != "amp"}
        super().check_resume(stored)  # type: ignore[misc]
        self.args.amp = overrides["amp"]  # type: ignore[attr-defined]

    def loader(
        self,
        dataset: Any,
        batch_size: int,
        workers: int,
        collate: Any,
        *,
        shuffle: bool,
        rank: int = -1,
    ) -> DataLoader[Any]:
        """A loader whose workers live as long as it; Ultralytics forces none on a CPU.

        Args:
            dataset: What is loaded.
            batch_size: Samples at once, in this process.
            workers: Processes that make them.
            collate: Makes a batch of samples.
            shuffle: Whether in another order in each epoch.
            rank: Number of this process where several share the samples: none gets a sample of
                another's, and each as many, so up to one for each process are left out; else −1.
        """
        share: DistributedSampler[Any] | None = None
        if rank >= 0:
            share = DistributedSampler(
                dataset, self.world_size, rank, shuffle=shuffle, drop_last=True
            )
        return _LazyLoader(
            dataset,
            batch_size=batch_size,
            shuffle=shuffle and share is None,
            sampler=share,
            num_workers=workers,
            collate_fn=collate,
            pin_memory=self.device.type == "cuda",  # type: ignore[attr-defined]
            worker_init_fn=_keep_to_one_core,
            persistent_workers=workers > 0,
            prefetch_factor=4 if workers else None,
            # A worker that cannot hand over a batch only prints that; the run would wait for ever.
            timeout=_LONGEST_WAIT_S if workers else 0,
        )

    def validate(self) -> tuple[Any, Any]:
        """Validate in float32, the arithmetic of the exported net, in one process.

        Ultralytics would take float16, in which a net that was trained in bfloat16 can overflow,
        and deal out the samples; with all of them in the first process the figures do not depend
        on the number of processes. The others wait.
        """
        if self.world_size > 1 and distributed.get_rank() > 0:
            return None, None
        amp, world_size = self.amp, self.world_size
        self.amp, self.world_size = False, 1
        try:
            found: tuple[Any, Any] = super().validate()  # type: ignore[misc]
        finally:
            self.amp, self.world_size = amp, world_size
        return found

    def read_results_csv(self) -> dict[str, list[float]]:
        """The table of epochs by column, for the checkpoint; Ultralytics would need polars."""
        return run_folder.epochs(self.csv.parent)

    def save_model(self) -> bool:
        """Write ``last.pt``, and ``best.pt`` where this epoch is to be kept, each atomically."""
        last, best = self.last, self.best
        with replaced(last) as last_partial:
            is_best = self.best_fitness == self.fitness  # type: ignore[attr-defined]
            self.last = last_partial
            try:
                if is_best:
                    with replaced(best) as best_partial:
                        self.best = best_partial
                        super().save_model()  # type: ignore[misc]
                else:
                    super().save_model()  # type: ignore[misc]
            finally:
                self.last, self.best = last, best
        if self.keeps_last and not is_best:
            write_bytes(best, last.read_bytes())
        return True

    def final_eval(self) -> None:
        """Leave the checkpoints as they are."""

    def plot_training_labels(self) -> None:
        """Draw nothing: Ultralytics would read label files that our data do not have."""


class OwnValidator:
    """Mixed in before a validator of Ultralytics."""

    def gather_stats(self) -> None:
        """Nothing: the one process that validates has seen all samples."""


# For one batch; the first of a run comes after its worker has read many pictures.
_LONGEST_WAIT_S = 900


class _LazyLoader(DataLoader[Any]):
    def __iter__(self) -> Iterator[Any]:
        """Start an epoch when its first batch is asked for.

        Ultralytics calls ``iter`` twice per epoch and uses the second one; an eager loader would
        fill its queue twice and throw away what is in it.
        """
        try:
            yield from super().__iter__()
        except YoloLeukError as error:
            raise _without_traceback(error) from error

    def close(self) -> None:
        """Let the workers end; Ultralytics asks for it before a smaller batch and at the end."""
        self._iterator = None


def _without_traceback(error: YoloLeukError) -> YoloLeukError:
    """The error as it was raised; torch puts the traceback of a worker before what it says."""
    kind = type(error)
    told = str(error).rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2]
    return kind(told.strip(), hint=error.hint)


def _keep_to_one_core(_worker: int) -> None:
    """Keep numpy's matrix products off the other workers' cores; torch and OpenCV do of their own.

    A product of 416×416 pixels took 3 ms instead of 0.4 with 16 threads on two cores.
    """
    threadpool_limits(1)


def tell_epoch(trainer: Any) -> None:
    """A callback: let the training data make the samples of the epoch that begins."""
    trainer.train_loader.dataset.set_epoch(trainer.epoch)
