"""Ultralytics' detection trainer on our fields. Import it only where Ultralytics is there."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from ultralytics.models.yolo.detect import DetectionTrainer, DetectionValidator

from yolo_leuk.train.dataset import TrainingData
from yolo_leuk.train.field_dataset import (
    TrainingFields,
    ValidationFields,
    collate,
    field_pictures,
)
from yolo_leuk.train.fields import FieldComposer, FieldPicture, FieldRecipe
from yolo_leuk.train.own_trainer import OwnTrainer, OwnValidator, tell_epoch


class FieldTrainer(OwnTrainer, DetectionTrainer):
    """Trains a detector on composed fields.

    Args:
        overrides: Ultralytics' arguments.
        data: A detection data set.
        recipe: How fields are made.
        fields_per_epoch: Length of an epoch.
        validation_px_per_rbc: Scale of the validation fields.
        workers: Processes that make fields.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        data: TrainingData,
        recipe: FieldRecipe,
        fields_per_epoch: int,
        validation_px_per_rbc: float,
        workers: int,
    ) -> None:
        self._data = data
        self._recipe = recipe
        self._fields_per_epoch = fields_per_epoch
        self._validation_px_per_rbc = validation_px_per_rbc
        self._workers = workers
        super().__init__(overrides=overrides)
        self.add_callback("on_train_epoch_start", tell_epoch)

    def get_dataloader(
        self,
        dataset_path: str,
        batch_size: int = 16,
        rank: int = -1,
        mode: str = "train",
    ) -> Any:
        """A loader of random fields for training, of whole pictures for validation."""
        scheme = self._data.scheme
        pictures = field_pictures(self._data, self._data.part(dataset_path))
        if mode != "train":
            composer = FieldComposer(_some_of_each_source(pictures), self._recipe, scheme)
            fields = ValidationFields(composer, self._validation_px_per_rbc)
            return self.loader(fields, batch_size, 0, collate, shuffle=False)
        composer = FieldComposer(pictures, self._recipe, scheme)
        if self._workers > 1:
            composer.read_ahead(self._workers)
        training = TrainingFields(composer, self._fields_per_epoch, int(self.args.seed))
        return self.loader(training, batch_size, self._workers, collate, shuffle=True, rank=rank)

    def get_validator(self) -> Any:
        """A validator that works alone."""
        return _FieldValidator(
            self.test_loader, self.save_dir, args=copy(self.args), _callbacks=self.callbacks
        )


class _FieldValidator(OwnValidator, DetectionValidator):
    """Ultralytics' own in one process."""


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
