"""Ultralytics' classification trainer on our cells. Import it only where Ultralytics is there."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from ultralytics.models.yolo.classify import ClassificationTrainer, ClassificationValidator
from ultralytics.utils.torch_utils import unwrap_model

from yolo_leuk.train.cell_dataset import TrainingCells, ValidationCells, collate
from yolo_leuk.train.cell_figures import figures
from yolo_leuk.train.cells import CellRecipe, CellVariation, load_cells
from yolo_leuk.train.dataset import TrainingData
from yolo_leuk.train.own_trainer import OwnTrainer, OwnValidator, tell_epoch

_KEYS = ("weighted_f1", "balanced_accuracy", "ece")


class CellTrainer(OwnTrainer, ClassificationTrainer):
    """Trains a classifier on cells, with class weights, and keeps the best by weighted F1.

    Args:
        overrides: Ultralytics' arguments.
        data: A classification data set, of cells or of whole pictures.
        recipe: How cells are varied.
        class_weights: Of the loss, in the order of the scheme.
        cells_per_epoch: Length of an epoch, at most.
        label_smoothing: Probability mass that is spread over all classes.
        workers: Processes that make cells.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        data: TrainingData,
        recipe: CellRecipe,
        class_weights: npt.NDArray[np.float64],
        cells_per_epoch: int,
        label_smoothing: float,
        workers: int,
    ) -> None:
        self._data = data
        self._recipe = recipe
        self._class_weights = class_weights
        self._cells_per_epoch = cells_per_epoch
        self._label_smoothing = label_smoothing
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
        """A loader of varied cells for training, of colour-swapped ones for validation."""
        data = self._data
        cells = load_cells(data.folder, data.part(dataset_path), data.scheme)
        variation = CellVariation(cells, self._recipe, data.level)
        seed = int(self.args.seed)
        if mode != "train":
            validation = ValidationCells(cells, variation, seed)
            return self.loader(validation, batch_size, 0, collate, shuffle=False)
        training = TrainingCells(cells, variation, self._cells_per_epoch, seed)
        return self.loader(training, batch_size, self._workers, collate, shuffle=False, rank=rank)

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """To the device, as float in [0, 1]: the arithmetic of the exported graph."""
        batch = super().preprocess_batch(batch)
        batch["img"] = batch["img"].float() / 255
        return batch

    def set_class_weights(self) -> None:
        """Let the loss weigh each class; Ultralytics' own does not."""
        weights = torch.tensor(self._class_weights, dtype=torch.float32, device=self.device)
        loss = _WeightedLoss(weights, self._label_smoothing, max(1, self.world_size))
        unwrap_model(self.model).criterion = loss  # of the net, not of what wraps it

    def get_validator(self) -> Any:
        """A validator that knows weighted F1."""
        return _CellValidator(
            self.test_loader, self.save_dir, args=copy(self.args), _callbacks=self.callbacks
        )


class _WeightedLoss:
    """Cross-entropy with class weights and label smoothing; not part of any checkpoint.

    Args:
        weights: Of the classes, shape (classes,).
        label_smoothing: Probability mass that is spread over all classes.
        processes: How many train together. Ultralytics multiplies the loss of each by it, as is
            right for a sum over the batch; this is a mean.
    """

    def __init__(self, weights: torch.Tensor, label_smoothing: float, processes: int) -> None:
        self._weights = weights
        self._label_smoothing = label_smoothing
        self._processes = processes

    def __call__(self, preds: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        logits = preds[1] if isinstance(preds, list | tuple) else preds
        loss = functional.cross_entropy(
            logits, batch["cls"], weight=self._weights, label_smoothing=self._label_smoothing
        )
        return loss / self._processes, {"loss": loss.detach()}


class _CellMetrics:
    """What Ultralytics asks a metrics object for."""

    def __init__(self) -> None:
        self.keys = [f"metrics/{key}" for key in _KEYS]
        self.results_dict: dict[str, float] = {}
        self.speed: dict[str, float] = {}
        self.save_dir: Any = None
        self.confusion_matrix: Any = None

    def process(self, targets: list[Any], predictions: list[Any]) -> None:
        """Figures of all batches; ``fitness`` is the weighted F1."""
        found = figures(torch.cat(predictions).numpy(), torch.cat(targets).numpy())
        self.results_dict = {f"metrics/{key}": found[key] for key in _KEYS}
        self.results_dict["fitness"] = found["weighted_f1"]


class _CellValidator(OwnValidator, ClassificationValidator):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.metrics = _CellMetrics()

    def preprocess(self, batch: dict[str, Any]) -> dict[str, Any]:
        batch = super().preprocess(batch)
        batch["img"] = batch["img"] / 255
        return batch

    def postprocess(self, preds: Any) -> Any:
        """Probabilities, of nets that give both and of those that give logits alone."""
        logits = preds[1] if isinstance(preds, list | tuple) else preds
        return logits.float().softmax(1)

    def update_metrics(self, preds: Any, batch: dict[str, Any]) -> None:
        self.pred.append(preds.cpu())
        self.targets.append(batch["cls"].cpu())

    def finalize_metrics(self) -> None:
        """No confusion matrix is drawn."""

    def get_desc(self) -> str:
        return ("%22s" + "%18s" * len(_KEYS)) % ("classes", *_KEYS)

    def print_results(self) -> None:
        """The figures stand in results.csv."""
