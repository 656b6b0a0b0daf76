"""``yolo-leuk`` where there seem to be GPUs 0 and 1: they are two processes of the CPU.

A script, for a process of its own; those that it starts run it first, too. Only what needs CUDA is
replaced: what torch says of GPUs, the choice of a device, NCCL by gloo. And cloudpickle is missing,
which only Ultralytics' own way to start processes would need. Each process notes in
``seen-<rank>.txt`` of the current folder what it was shown, and what its loss was.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from yolo_leuk.train.cell_dataset import TrainingCells
from yolo_leuk.train.field_dataset import TrainingFields
from yolo_leuk.train.own_trainer import OwnTrainer

_begin = OwnTrainer.__init__
_preprocess = OwnTrainer.preprocess_batch
_wrap = torch.nn.parallel.DistributedDataParallel.__init__
_cell = TrainingCells.__getitem__
_field = TrainingFields.__getitem__


def begin_on_cpu(self, overrides):
    _begin(self, {**overrides, "device": "cpu"})
    self.world_size = int(os.environ["WORLD_SIZE"])


def wrap_on_cpu(self, module, device_ids, **others):
    assert device_ids == [None]  # CPUs have no number
    _wrap(self, module, **others)


def in_memory_that_holds(most):
    def preprocess_batch(self, batch):
        if len(batch["im_file"] if "im_file" in batch else batch["cls"]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 MiB.")
        return _preprocess(self, batch)

    return preprocess_batch


def noted_cell(self, index):
    item = _cell(self, index)
    epoch, order = self._drawn
    _note(f"{epoch} {self._cells[int(order[index])].sample.sample_id}")
    return item


def noted_field(self, index):
    _note(f"{int(self._epoch[0])} field-{index}")
    return _field(self, index)


def _note(line: str) -> None:
    with Path(f"seen-{os.environ['RANK']}.txt").open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


sys.modules["cloudpickle"] = None
torch.cuda.device_count = lambda: 2
torch.cuda.get_device_capability = lambda _number: (7, 5)
torch.cuda.get_device_name = lambda number: f"stand-in {number}"
torch.nn.parallel.DistributedDataParallel.__init__ = wrap_on_cpu
OwnTrainer.__init__ = begin_on_cpu
OwnTrainer._setup_ddp = lambda _self: torch.distributed.init_process_group("gloo")
TrainingCells.__getitem__ = noted_cell
TrainingFields.__getitem__ = noted_field
if "MOST_SAMPLES" in os.environ:
    OwnTrainer.preprocess_batch = in_memory_that_holds(int(os.environ["MOST_SAMPLES"]))

if __name__ == "__main__":
    from yolo_leuk.cli.main import main

    main()
