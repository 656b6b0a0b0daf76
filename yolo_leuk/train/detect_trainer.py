"""Ultralytics' detection trainer on our fields. Import it only where Ultralytics is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ultralytics.models.yolo.detect import DetectionTrainer

from yolo_leuk.labels import LabelScheme
from yolo_leuk.train.field_dataset import (
    TrainingFields,
    ValidationFields,
    collate,
    field_pictures,
)
from yolo_leuk.train.fields import FieldComposer, FieldPicture, FieldRecipe
from yolo_leuk.train.own_trainer import OwnTrainer, endless_workers_loader, tell_epoch


class FieldTrainer(OwnTrainer, DetectionTrainer):
    """Trains a detector on composed fields.

    Args:
        overrides: Ultralytics' arguments.
        folder: A detection data set of ``prepare``.
        scheme: Its classes.
        recipe: How fields are made.
        fields_per_epoch: Length of an epoch.
        validation_px_per_rbc: Scale of the validation fields.
        workers: Processes that make fields.
        leave_out: Sources that are not seen.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        folder: Path,
        scheme: LabelScheme,
        recipe: FieldRecipe,
        fields_per_epoch: int,
        validation_px_per_rbc: float,
        workers: int,
        leave_out: tuple[str, ...] = (),
    ) -> None:
        self._folder = folder
        self._scheme = scheme
        self._recipe = recipe
        self._fields_per_epoch = fields_per_epoch
        self._validation_px_per_rbc = validation_px_per_rbc
        self._workers = workers
        self._leave_out = leave_out
        super().__init__(overrides=overrides)
        self.add_callback("on_train_epoch_start", tell_epoch)

    def get_dataloader(
        self,
        dataset_path: str,
        batch_size: int = 16,
        rank: int = 0,  # noqa: ARG002  (Ultralytics hands it over; we train on one device)
        mode: str = "train",
    ) -> Any:
        """A loader of random fields for training, of whole pictures for validation."""
        pictures = [
            picture
            for picture in field_pictures(self._folder, dataset_path)
            if picture.source not in self._leave_out
        ]
        if mode != "train":
            composer = FieldComposer(_some_of_each_source(pictures), self._recipe, self._scheme)
            fields = ValidationFields(composer, self._validation_px_per_rbc)
            return endless_workers_loader(fields, batch_size, 0, collate, shuffle=False)
        composer = FieldComposer(pictures, self._recipe, self._scheme)
        training = TrainingFields(composer, self._fields_per_epoch, int(self.args.seed))
        return endless_workers_loader(training, batch_size, self._workers, collate, shuffle=True)


def _some_of_each_source(pictures: list[FieldPicture]) -> list[FieldPicture]:
    """At most 64 pictures of each source, evenly spread: validation is a part of every epoch."""
    of_source: dict[str, list[FieldPicture]] = {}
    for picture in pictures:
        of_source.setdefault(picture.source, []).append(picture)
    return [
        some[int(position)]
        for _, some in sorted(of_source.items())
        for position in np.linspace(0, len(some) - 1, min(len(some), 64))
    ]
